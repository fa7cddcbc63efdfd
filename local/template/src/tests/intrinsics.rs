//! Intrinsic functions, by what they give a function's environment.

use super::{SMALL, changed, load, problem};

/// The same where the template has the language's extensions.
fn extended(expression: &str) -> Result<String, Vec<String>> {
    in_template(
        expression,
        "[AWS::LanguageExtensions, AWS::Serverless-2016-10-31]",
    )
}

/// The same in a template of SAM's own transform.
fn value(expression: &str) -> Result<String, Vec<String>> {
    in_template(expression, "AWS::Serverless-2016-10-31")
}

/// The value that an expression has in a template with a few things to refer to.
fn in_template(expression: &str, transform: &str) -> Result<String, Vec<String>> {
    let text = changed("'#value'", expression)
        + "
  Table:
    Type: AWS::DynamoDB::Table
    Properties: &table
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Named:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub named-${Stage}
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  NotMade: {Type: AWS::DynamoDB::Table, Condition: IsProd, Properties: *table}
  Key: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: a-value-of-twenty-characters}}
  Logs: {Type: AWS::Logs::LogGroup}
  Role: {Type: AWS::IAM::Role}
Mappings:
  Sizes: {dev: {memory: 128}}
";
    let text = text.replace(
        "Conditions:",
        "Conditions:
  IsProd: {'Fn::Not': [{Condition: IsDev}]}
  Both: !And [!Condition IsDev, !Not [!Condition IsProd]]
  Either: !Or [!Condition IsProd, !Condition IsDev]
  Nested: !Not [!And [!Equals [a, a], !Condition IsProd]]",
    );
    let text = text.replace(
        "Transform: AWS::Serverless-2016-10-31",
        &format!("Transform: {transform}"),
    );
    let application = load(&text, &[])?;
    Ok(application.functions["Fn"]
        .environment
        .get("VALUE")
        .map_or_else(|| "(absent)".to_owned(), Clone::clone))
}

#[test]
fn each_function_gives_its_value_in_either_spelling() {
    let cases = [
        ("!Ref Stage", "dev"),
        ("{Ref: Stage}", "dev"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref AWS::NoValue", "(absent)"),
        ("!Ref Api", "local"),
        ("!Ref Api.Stage", "dev"),
        ("!Ref Fn", "Fn"),
        ("!Ref Table", "keygate-local-Table"),
        ("!Ref Named", "named-dev"),
        ("!Ref Key", "key"),
        (
            "!GetAtt Fn.Arn",
            "arn:aws:lambda:us-east-1:123456789012:function:Fn",
        ),
        (
            "{Fn::GetAtt: [Named, Arn]}",
            "arn:aws:dynamodb:us-east-1:123456789012:table/named-dev",
        ),
        (
            "!GetAtt Logs.Arn",
            "arn:aws:logs:us-east-1:123456789012:log-group:keygate-local-Logs:*",
        ),
        (
            "!GetAtt Role.Arn",
            "arn:aws:iam::123456789012:role/keygate-local-Role",
        ),
        ("!Ref FnRole", "keygate-local-FnRole"),
        (
            "!GetAtt FnRole.Arn",
            "arn:aws:iam::123456789012:role/keygate-local-FnRole",
        ),
        ("!Sub 'x-${Stage}-${AWS::StackName}'", "x-dev-keygate-local"),
        (
            "!Sub '${Table.Arn}/index'",
            "arn:aws:dynamodb:us-east-1:123456789012:table/keygate-local-Table/index",
        ),
        (
            "!Sub '${!Stage} $context.x ${Api}/${Api.Stage}'",
            "${Stage} $context.x local/dev",
        ),
        ("!Sub ['${A}-${Stage}', {A: !Ref Stage}]", "dev-dev"),
        ("{Fn::Sub: ['${A}', {A: {Ref: AWS::Partition}}]}", "aws"),
        ("!If [IsDev, yes-it-is, 'no']", "yes-it-is"),
        ("!If [IsProd, a, !If [Both, b, c]]", "b"),
        ("!If [Either, {Ref: Stage}, c]", "dev"),
        ("!If [Nested, a, b]", "a"),
        ("!If [IsProd, a, !Ref AWS::NoValue]", "(absent)"),
        ("!Join [',', [a, !Ref Stage, !Ref AWS::NoValue]]", "a,dev"),
        ("!Join ['', !Split ['-', a-b-c]]", "abc"),
        ("!Select [1, !Split [',', 'a,b']]", "b"),
        ("{Fn::Select: ['0', [x, y]]}", "x"),
        ("!FindInMap [Sizes, !Ref Stage, memory]", "128"),
        ("!Base64 text", "dGV4dA=="),
        ("!Select [1, !Cidr [10.0.0.0/16, 2, 8]]", "10.0.1.0/24"),
        ("!Select [0, !GetAZs '']", "us-east-1a"),
        ("!Select [2, !GetAZs eu-west-1]", "eu-west-1c"),
        ("!Join ['', !Ref AWS::NotificationARNs]", ""),
    ];
    for (expression, expected) in cases {
        assert_eq!(value(expression).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn what_cannot_be_resolved_is_one_problem_with_its_reason() {
    let cases = [
        ("!Ref Nothing", "`Nothing` is no parameter and no resource"),
        (
            "!Sub '${Nothing}'",
            "`Nothing` is no parameter and no resource",
        ),
        ("!Sub 'a ${Stage'", "without its `}`"),
        ("!Sub [a]", "`Fn::Sub` takes"),
        ("!GetAtt Nothing.Arn", "`Nothing` is no resource"),
        (
            "!GetAtt Table.StreamArn",
            "no attribute `StreamArn` of AWS::DynamoDB::Table",
        ),
        (
            "!Ref TableRole",
            "`TableRole` is no parameter and no resource",
        ),
        ("!GetAtt FnRole.RoleId", "`FnRole` is no resource"),
        ("!GetAtt Table", "`Fn::GetAtt` takes"),
        ("!Ref NotMade", "`NotMade` is not made"),
        ("!If [Nothing, a, b]", "no condition `Nothing`"),
        ("!If [IsDev, a]", "`Fn::If` takes"),
        ("!Join [a]", "`Fn::Join` takes"),
        ("!Join [a, b]", "`Fn::Join` takes"),
        ("!Select [2, [a, b]]", "asks for item 2"),
        ("!Split ['', a]", "`Fn::Split` takes"),
        ("!FindInMap [Sizes, prod, memory]", "no entry of Mappings"),
        ("!Equals [a, b]", "within Conditions only"),
        ("!Split [a, bab]", "must be text"),
        ("!Base64 [a]", "`Fn::Base64` takes"),
        ("!GetAZs [a]", "`Fn::GetAZs` takes"),
        ("!Select [0, !Cidr [10.0.0.0/24, 2, 8]]", "`Fn::Cidr` takes"),
        (
            "!FindInMap [Sizes, prod, memory, {DefaultValue: 1}]",
            "takes a list of 3",
        ),
    ];
    for (expression, expected) in cases {
        let problems = value(expression).unwrap_err();
        assert_eq!(problems.len(), 1, "{expression}: {problems:#?}");
        assert!(problems[0].contains(expected), "{expression}: {problems:?}");
        assert!(
            problems[0].contains("Fn.Environment"),
            "{expression}: {problems:?}"
        );
    }
}

#[test]
fn an_unknown_function_is_named_with_its_place_even_where_it_is_never_used() {
    assert_eq!(
        problem(&changed("'#value'", "!ImportValue x")),
        "line 22: Resources.Fn.Properties.Environment.Variables.VALUE: the local gateway does not \
         know the intrinsic function `Fn::ImportValue` (`!ImportValue`)"
    );
    let unused = problem(&changed(
        "'#value'",
        "!If [IsDev, a, {'Fn::Transform': [b]}]",
    ));
    assert!(unused.contains("`Fn::Transform`"), "{unused}");
    let typo = problem(&changed("!Ref Stage\n      Api", "!Reff Stage\n      Api"));
    assert!(typo.contains("`Fn::Reff` (`!Reff`)"), "{typo}");
}

#[test]
fn a_condition_that_is_broken_is_found_even_when_nothing_uses_it() {
    let cases = [
        (
            "{Bad: !Equals [a]}",
            "Conditions.Bad: `Fn::Equals` takes a list of two values",
        ),
        ("{Bad: a}", "Conditions.Bad: a condition is one of"),
        ("{Bad: !Condition Nothing}", "no condition `Nothing`"),
        (
            "{Bad: !Not [!Condition Bad]}",
            "refers to itself in a circle",
        ),
        ("{Bad: !And [!Equals [a, b]]}", "2 to 10 conditions"),
    ];
    for (conditions, expected) in cases {
        let text = changed(
            "\n  IsDev: !Equals [!Ref Stage, dev]",
            &format!(" {conditions}"),
        );
        let problem = problem(&text);
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn names_that_refer_to_each_other_in_a_circle_are_reported() {
    let table = "{Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub 'x-${Other}'}}";
    let other = "{Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub 'x-${Table}'}}";
    let text = format!("{SMALL}  Table: {table}\n  Other: {other}\n");
    let problems = load(&text, &[]).unwrap_err();
    assert!(
        problems.iter().all(|problem| problem.contains("circle")),
        "{problems:?}"
    );
}

#[test]
fn an_output_that_refers_to_nothing_is_a_problem() {
    let text = format!("{SMALL}Outputs: {{Url: {{Value: !Ref Nothing}}}}\n");
    assert!(problem(&text).contains("Outputs.Url: `Nothing`"));
}

#[test]
fn a_dynamic_reference_is_what_the_caller_says_or_is_refused_by_name() {
    let name = "resolve:secretsmanager:shop/issuer:SecretString:url";
    let given = [
        (name, "https://issuer.example"),
        ("resolve:ssm:/dev/a", "b"),
    ];
    for (expression, expected) in [
        (format!("'<{{{{{name}}}}}>'"), "<https://issuer.example>"),
        ("!Sub '{{resolve:ssm:/${Stage}/a}}'".to_owned(), "b"),
        ("!Join ['', ['{{resolve:ssm:/dev/', 'a}}']]".to_owned(), "b"),
    ] {
        let text = changed("'#value'", &expression);
        let used: Vec<(&str, &str)> = given
            .into_iter()
            .filter(|(_, value)| expected.contains(value))
            .collect();
        let application = load(&text, &used).unwrap();
        assert_eq!(application.functions["Fn"].environment["VALUE"], expected);
        let refused = load(&text, &[]).unwrap_err();
        let words = format!("--parameter {}=Value", used[0].0);
        assert!(refused[0].contains(&words), "{refused:?}");
    }
    let unused = load(SMALL, &given[1..]).unwrap_err();
    assert!(
        unused[0].contains("--parameter resolve:ssm:/dev/a"),
        "{unused:?}"
    );
}

#[test]
fn the_language_extensions_give_their_values_where_they_are_declared() {
    for (expression, expected) in [
        ("!Length [a, b, !Ref Stage]", "3"),
        ("!Length {Ref: AWS::NotificationARNs}", "0"),
        (
            "!ToJsonString {stage: !Ref Stage, size: 2, text: '2', list: [true, ~]}",
            r#"{"list":[true,null],"size":2,"stage":"dev","text":"2"}"#,
        ),
        (
            "!FindInMap [Sizes, prod, memory, {DefaultValue: !Ref Stage}]",
            "dev",
        ),
        ("!FindInMap [Sizes, dev, memory, {DefaultValue: 1}]", "128"),
    ] {
        assert_eq!(
            extended(expression).as_deref(),
            Ok(expected),
            "{expression}"
        );
    }
    for name in ["Length", "ToJsonString"] {
        let problems = value(&format!("!{name} [a]")).unwrap_err();
        let expected = format!("`Fn::{name}` needs the transform AWS::LanguageExtensions");
        assert!(problems[0].contains(&expected), "{problems:?}");
    }
    for (expression, expected) in [
        ("!Length text", "`Fn::Length` takes a list"),
        (
            "!ToJsonString text",
            "`Fn::ToJsonString` takes a list or a mapping",
        ),
        ("!FindInMap [Sizes, prod, memory]", "no entry of Mappings"),
    ] {
        let problems = extended(expression).unwrap_err();
        assert!(problems[0].contains(expected), "{expression}: {problems:?}");
    }
}

#[test]
fn another_transform_is_named_with_its_line() {
    for transform in [
        "AWS::LanguageExtensions",
        "[AWS::Serverless-2016-10-31, Macro]",
        "{a: b}",
    ] {
        let problems = in_template("a", transform).unwrap_err();
        assert!(
            problems[0].starts_with("line 2: Transform: must be AWS::Serverless"),
            "{problems:?}"
        );
    }
}
