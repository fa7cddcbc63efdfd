use super::*;
use crate::yaml::parse;

fn read(text: &str, given: &[(&str, &str)]) -> (BTreeMap<String, Value>, Vec<String>) {
    let parameters = Parameters {
        given: given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        offered: [("Offered".to_owned(), "z".to_owned())].into(),
        ..Parameters::default()
    };
    let problems = Problems::default();
    let values = values(Some(&parse(text).unwrap()), &parameters, &problems);
    let problems = problems.into_list();
    (values, problems.iter().map(ToString::to_string).collect())
}

#[test]
fn an_override_wins_over_the_default() {
    let text = "A: {Type: String, Default: x}\nB: {Type: String, Default: ''}";
    let (values, problems) = read(text, &[("A", "y")]);
    assert!(problems.is_empty(), "{problems:?}");
    assert!(matches!(&values["A"], Value::Text(text) if text == "y"));
    assert!(matches!(&values["B"], Value::Text(text) if text.is_empty()));
}

#[test]
fn what_this_machine_offers_is_taken_where_the_template_has_it_and_nobody_says_otherwise() {
    let value = |text: &str, given: &[(&str, &str)]| {
        let (values, problems) = read(text, given);
        assert!(problems.is_empty(), "{problems:?}");
        match &values["Offered"] {
            Value::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        }
    };
    let text = "Offered: {Type: String, Default: x}";
    assert_eq!(value(text, &[]), "z");
    assert_eq!(value(text, &[("Offered", "y")]), "y");
    // A template without it is served all the same.
    let (_, problems) = read("A: {Type: String, Default: x}", &[]);
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn the_callers_value_goes_before_this_machines_and_that_before_the_files() {
    let one = |value: &str| BTreeMap::from([("P".to_owned(), value.to_owned())]);
    let mut parameters = Parameters {
        given: one("given"),
        offered: one("offered"),
        configured: Configured {
            place: "samconfig.toml [default.deploy.parameters]".to_owned(),
            values: one("configured"),
            unknown: Vec::new(),
        },
        config_env: None,
    };
    let value = |parameters: &Parameters| {
        let declared = parse("P: {Type: String, Default: own}").unwrap();
        let values = values(Some(&declared), parameters, &Problems::default());
        match &values["P"] {
            Value::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(value(&parameters), "given");
    parameters.given.clear();
    assert_eq!(value(&parameters), "offered");
    parameters.offered.clear();
    assert_eq!(value(&parameters), "configured");
    assert_eq!(configured(&parameters.configured, None).unknown, ["P"]);
    let problems = Problems::default();
    values(None, &parameters, &problems);
    assert_eq!(
        problems.into_list(),
        [],
        "SAM leaves out what a template does not know"
    );
}

#[test]
fn a_parameter_without_a_value_is_named_with_the_flag_that_gives_it() {
    let (values, problems) = read("OAuthIssuer:\n  Type: String", &[]);
    assert!(matches!(values["OAuthIssuer"], Value::Unknown));
    assert_eq!(
        problems,
        [
            "line 2: Parameters.OAuthIssuer: this parameter has no default: give it with \
          --parameter OAuthIssuer=Value"
        ]
    );
}

#[test]
fn an_override_of_a_parameter_that_is_not_there_is_an_error() {
    let (_, problems) = read("Stage: {Type: String, Default: x}", &[("Stag", "y")]);
    assert_eq!(
        problems,
        ["--parameter Stag: the template has no such parameter; it has Stage"]
    );
}

#[test]
fn values_outside_their_rules_are_refused() {
    let cases = [
        (
            "P: {Type: String, AllowedValues: [DAY, WEEK]}",
            "YEAR",
            "none of DAY, WEEK",
        ),
        (
            "P: {Type: String, AllowedPattern: 'a+'}",
            "baa",
            "AllowedPattern",
        ),
        (
            "P: {Type: String, AllowedPattern: 'a', ConstraintDescription: only a}",
            "b",
            "only a",
        ),
        ("P: {Type: Number}", "ten", "not a number"),
        ("P: {Type: Number, MinValue: 1}", "0.5", "MinValue"),
        ("P: {Type: Number, MaxValue: 3600}", "3601", "MaxValue"),
        ("P: {Type: String, MinLength: 1}", "", "MinLength"),
        ("P: {Type: String, MaxLength: 2}", "abc", "MaxLength"),
        (
            "P: {Type: CommaDelimitedList, AllowedValues: [a]}",
            "a, b",
            "`b` is none of",
        ),
        ("P: {Type: 'List<String>'}", "x", "not supported"),
        (
            "P: {Type: String, NoEcho: true, MinLength: 9}",
            "hunter2",
            "Parameters.P: its value is shorter than its MinLength",
        ),
        (
            "P: {Type: String, AllowedPattern: '(?=a)'}",
            "x",
            "look-around",
        ),
    ];
    for (text, given, expected) in cases {
        let (_, problems) = read(text, &[("P", given)]);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].contains(expected), "{text}: {problems:?}");
    }
}

#[test]
fn a_secret_is_in_no_message_whatever_is_wrong_with_it() {
    for rules in [
        "MinLength: 9",
        "MaxLength: 2",
        "AllowedPattern: a+",
        "AllowedPattern: a+, ConstraintDescription: only a",
        "AllowedValues: [a]",
    ] {
        let text = format!("P: {{Type: String, NoEcho: true, {rules}}}");
        let (_, problems) = read(&text, &[("P", "hunter2")]);
        assert_eq!(problems.len(), 1, "{rules}");
        assert!(!problems[0].contains("hunter2"), "{problems:?}");
    }
    for rules in ["", "MinValue: 9", "MaxValue: 2"] {
        let text = format!("P: {{Type: Number, NoEcho: 'true', {rules}}}");
        let (_, problems) = read(
            &text,
            &[("P", if rules.is_empty() { "x78" } else { "7.8" })],
        );
        assert!(!problems[0].contains('8'), "{problems:?}");
    }
}

#[test]
fn a_list_of_texts_between_commas_is_a_list() {
    for kind in ["CommaDelimitedList", "List<AWS::EC2::Subnet::Id>"] {
        let text = format!("P: {{Type: '{kind}', Default: 'a, b'}}");
        let (values, problems) = read(&text, &[]);
        assert!(problems.is_empty(), "{problems:?}");
        let Value::List(items) = &values["P"] else {
            panic!("no list")
        };
        let texts: Vec<_> = items.iter().map(|item| item.as_text().unwrap()).collect();
        assert_eq!(texts, ["a", "b"]);
    }
}

#[test]
fn a_parameter_of_awss_own_types_is_text_and_what_is_in_ssms_store_must_be_given() {
    let key = "P: {Type: 'AWS::EC2::KeyPair::KeyName', Default: mine}";
    let (values, problems) = read(key, &[]);
    assert!(problems.is_empty(), "{problems:?}");
    assert!(matches!(&values["P"], Value::Text(text) if text == "mine"));
    for kind in ["String", "List<String>", "AWS::EC2::Image::Id"] {
        let text = format!("P: {{Type: 'AWS::SSM::Parameter::Value<{kind}>', Default: /x}}");
        let (_, problems) = read(&text, &[]);
        assert_eq!(
            problems,
            [
                "line 1: Parameters.P: what SSM's store has for it is not on this machine: give it with \
              --parameter P=Value"
            ]
        );
        let (values, problems) = read(&text, &[("P", "y")]);
        assert!(problems.is_empty(), "{problems:?}");
        match &values["P"] {
            Value::Text(text) => assert_eq!(text, "y"),
            Value::List(items) => assert_eq!(items[0].as_text(), Some("y")),
            other => panic!("{other:?}"),
        }
    }
}
