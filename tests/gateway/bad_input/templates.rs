//! Templates that are too large, or grow when they are read.

use std::fmt::Write as _;
use std::fs::File;
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;

use keygate_tests::keygate::wait_for;
use keygate_tests::project::Project;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    templates_that_grow_or_never_end_are_refused_by_line needs "own-gateway";
    a_template_of_a_megabyte_is_read needs "own-gateway";
    more_mistakes_than_anybody_reads_are_counted needs "own-gateway";
    a_samconfig_of_any_form_is_refused_in_few_words needs "own-gateway";
}

const API: &str = "Transform: AWS::Serverless-2016-10-31
Resources:
  Shop: {Type: AWS::Serverless::Api, Properties: {StageName: prod}}
";

/// A function with a route of its own.
fn function(number: usize) -> String {
    format!(
        "  Fn{number}:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Runtime: provided.al2023
      Events:
        Get: {{Type: Api, Properties: {{RestApiId: !Ref Shop, Path: /r{number}, Method: get}}}}
"
    )
}

/// What `keygate routes` says of a template in some time: its exit code and both outputs.
#[track_caller]
fn routes(target: &Target, project: &Project) -> (Option<i32>, String, String) {
    let outputs = [NamedTempFile::new().unwrap(), NamedTempFile::new().unwrap()];
    let [stdout, stderr] = outputs
        .each_ref()
        .map(|file| File::create(file.path()).unwrap());
    let mut command = Command::new(target.build().directory.join("keygate"));
    command.args(["routes", "--template", &project.template()]);
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    let mut child = command.spawn().unwrap();
    let ended = wait_for(|| child.try_wait().unwrap());
    if ended.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let [stdout, stderr] = outputs.map(|file| std::fs::read_to_string(file.path()).unwrap());
    let status = ended.expect("a template is read in some time");
    (status.code(), stdout, stderr)
}

#[track_caller]
fn is_refused(target: &Target, name: &str, template: &str, words: &[&str]) {
    let (code, _, said) = routes(target, &Project::new(template));
    assert_eq!(code, Some(64), "{name}: {said}");
    assert!(said.len() < 128 * 1024, "{name}: {} bytes", said.len());
    for word in words {
        assert!(said.contains(word), "{name}: {word} is not said: {said}");
    }
}

/// Each anchor is nine aliases of the one before.
fn laughs() -> String {
    let mut text = format!("{API}Metadata:\n  a0: &a0 [lol, lol]\n");
    for number in 1..12 {
        let aliases = vec![format!("*a{}", number - 1); 9].join(", ");
        writeln!(text, "  a{number}: &a{number} [{aliases}]").unwrap();
    }
    text
}

fn templates_that_grow_or_never_end_are_refused_by_line(target: &Target) {
    let with_conditions = |conditions: &str| format!("Conditions:\n{conditions}{API}");
    let next = |number: usize| format!("  C{number}: !Not [!Condition C{}]\n", number + 1);
    let chain: Vec<String> = (0..20_000).map(next).collect();
    let chain = chain.concat();
    let doubled = |innermost: &str| {
        let variables = "${A}".repeat(10);
        let nested = (0..12).fold(innermost.to_owned(), |inner, _| {
            format!("!Sub ['{variables}', {{A: {inner}}}]")
        });
        API.replace("prod", &nested)
    };
    let next = |number: usize| {
        let next = number + 1;
        format!("M{number}: {{type: object, not: {{$ref: '#/definitions/m{next}'}}}}, ")
    };
    let models: Vec<String> = (0..3000).map(next).collect();
    let models = models.concat();
    let models = format!("prod, Models: {{{models}M3000: {{type: object}}}}");
    for (name, template, words) in [
        ("billion laughs", laughs(), &["line 10", "aliases"][..]),
        (
            "aliases of a long text",
            format!(
                "{API}Metadata: [&a '{}', {}]",
                "x".repeat(300_000),
                "*a, ".repeat(100_000)
            ),
            &["line 4", "aliases"],
        ),
        (
            "an alias in a key",
            format!("{API}Metadata: {{&a a: 1, *a : 2}}"),
            &["line 4", "key"],
        ),
        (
            "an alias in itself",
            format!("{API}Metadata: &a [*a]"),
            &["line 4", "alias"],
        ),
        (
            "nesting in brackets",
            format!("{API}Metadata: {}", "[".repeat(100_000)),
            &["line 4"],
        ),
        (
            "nesting in dashes",
            "- ".repeat(500_000),
            &["line 1", "64 deep"],
        ),
        (
            "a megabyte of one letter",
            "x".repeat(1_000_000),
            &["line 1"],
        ),
        (
            "conditions of conditions",
            with_conditions(&format!("{chain}  C20000: !Equals [a, a]\n")),
            &["line 33", "32 deep"],
        ),
        (
            "texts of texts",
            doubled("aaaaaaaaaa"),
            &["line 3", "too large"],
        ),
        (
            "nothing of nothing",
            doubled("''"),
            &["line 3", "too large"],
        ),
        (
            "models of models",
            API.replace("prod", &models),
            &["line 3", "too many others"],
        ),
        (
            "a pattern of a gigabyte",
            API.replace(
                "prod",
                "prod, Models: {M: {type: string, pattern: 'a{1000000}'}}",
            ),
            &["line 3", "Models.M"],
        ),
    ] {
        is_refused(target, name, &template, words);
    }
}

fn a_template_of_a_megabyte_is_read(target: &Target) {
    let functions: String = (0..5000).map(function).collect();
    let twice = |number: usize| {
        let next = number + 1;
        format!("  C{next}: !And [!Condition C{number}, !Condition C{number}]\n")
    };
    let conditions: Vec<String> = (0..1000).map(twice).collect();
    let conditions = conditions.concat();
    let template = format!("Conditions:\n  C0: !Equals [a, a]\n{conditions}{API}{functions}");
    assert!(template.len() > 1_000_000, "{}", template.len());
    let (code, printed, said) = routes(target, &Project::new(&template));
    assert_eq!(code, Some(0), "{said}");
    assert!(
        printed.contains("/r0 ") && printed.contains("/r4999 "),
        "{said}"
    );
}

fn more_mistakes_than_anybody_reads_are_counted(target: &Target) {
    let unknown = |number: usize| format!("  R{number}: {{Type: AWS::WAFv2::WebACLAssociation}}\n");
    let unknown: Vec<String> = (0..20_000).map(unknown).collect();
    let unknown = unknown.concat();
    let template = format!("{API}{unknown}");
    is_refused(target, "mistakes", &template, &["line 4: R0", "lines more"]);
}

fn a_samconfig_of_any_form_is_refused_in_few_words(target: &Target) {
    let template = format!("{API}{}", function(0));
    for config in [
        format!("a = {}", "[".repeat(100_000)),
        "a.".repeat(100_000),
        format!("a = {}", "{a = ".repeat(100_000)),
        "[[[".to_owned(),
        "a = \"\0\"".to_owned(),
    ] {
        let project = Project::new(&template).with("samconfig.toml", &config);
        let (code, _, said) = routes(target, &project);
        assert_eq!(code, Some(64), "{said}");
        assert!(said.len() < 8 * 1024, "{} bytes", said.len());
        assert!(said.contains("samconfig.toml"), "{said}");
    }
}
