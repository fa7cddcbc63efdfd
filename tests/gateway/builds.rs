//! What builders say, and what is said of them.

use keygate_tests::project::Project;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_handler_that_does_not_compile_is_shown_with_its_errors needs "own-gateway";
    what_is_built_is_named_first needs "own-gateway";
}

/// A function that cargo builds, in a workspace of its own.
pub(crate) fn in_rust(program: &str) -> Project {
    let template = "Transform: AWS::Serverless-2016-10-31
Resources:
  Greeting:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: greeting}}
    Properties:
      CodeUri: .
      Handler: bootstrap
      Runtime: provided.al2023
      Events:
        Greet: {Type: Api, Properties: {Path: /greeting, Method: GET}}
";
    let manifest =
        "[package]\nname = \"greeting\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    Project::new(template)
        .with("Cargo.toml", manifest)
        .with("src/main.rs", program)
}

#[track_caller]
fn refused(target: &Target, project: &Project) -> String {
    let arguments = ["--template", &project.template()];
    let Err((status, said)) = target.build().try_start_building(&arguments) else {
        panic!("keygate starts");
    };
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

fn a_handler_that_does_not_compile_is_shown_with_its_errors(target: &Target) {
    let project = in_rust("fn main() { let number: u8 = \"a\"; }\n");
    let said = refused(target, &project);
    let parts = [
        "keygate: building with cargo: greeting",
        "Compiling greeting",
        "error[E0308]",
        "src/main.rs:1",
        "keygate: the functions do not build: `cargo build --bin greeting`",
    ];
    let places: Vec<Option<usize>> = parts.iter().map(|part| said.find(part)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{said}"
    );
}

fn what_is_built_is_named_first(target: &Target) {
    let project = in_rust("fn main() {}\n");
    let made = std::fs::read_to_string(project.template()).unwrap();
    let made = made.replace(
        "rust-cargolambda, BuildProperties: {Binary: greeting}",
        "makefile",
    );
    let makefile = "build-Greeting:\n\t@echo said by make\n\t@echo and its error >&2\n\t@exit 1\n";
    let said = refused(target, &Project::new(&made).with("Makefile", makefile));
    let words = [
        "building Greeting with make (1 of 1)",
        "said by make",
        "and its error",
    ];
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}
