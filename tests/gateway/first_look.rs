//! What a person who starts keygate is told first, and where they would be lost.

use reqwest::Method;

use keygate_tests::project::Project;
use keygate_tests::target::Target;

use crate::handlers::BOOTSTRAP;
use crate::runtimes::foreign;

keygate_tests::tests! { for Target:
    the_routes_are_printed_with_what_opens_them needs "own-gateway";
    a_template_of_many_routes_prints_some_of_them needs "python", "own-gateway";
    a_path_outside_the_stage_is_said_to_be_so needs "own-gateway";
    a_dynamic_reference_is_given_or_refused_by_name needs "python", "own-gateway";
}

fn the_routes_are_printed_with_what_opens_them(target: &Target) {
    let (gateway, _own) = target.own(&[]);
    let printed = gateway.stdout();
    for (method, path, opens) in [
        ("GET", "/books", "books:read"),
        ("POST", "/books", "books:write"),
        ("GET", "/problems", "public"),
    ] {
        let line = printed.lines().find(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(method) && words.next() == Some(path)
        });
        let line = line.expect(path);
        assert!(line.ends_with(&format!(" {opens}")), "{line}");
    }
}

const PROVIDED: &str = "    Properties:\n      CodeUri: src\n      Runtime: provided.al2023";

fn a_template_of_many_routes_prints_some_of_them(target: &Target) {
    use std::fmt::Write as _;

    let mut template = foreign(PROVIDED);
    for number in 0..60 {
        writeln!(
            template,
            "        Get{number}: {{Type: Api, Properties: {{RestApiId: !Ref Shop, \
             Path: /many/{number}, Method: GET}}}}"
        )
        .unwrap();
    }
    let project = Project::new(&template).with_executable("src/bootstrap", BOOTSTRAP);
    let (gateway, _own) = target.own(&["--template", &project.template()]);
    let printed = gateway.stdout();
    let listed = printed.lines().filter(|line| line.starts_with("    GET "));
    assert_eq!(listed.count(), 40);
    assert!(
        printed.contains("    and 21 more: keygate routes"),
        "{printed}"
    );
}

fn a_path_outside_the_stage_is_said_to_be_so(target: &Target) {
    let (_gateway, own) = target.own(&[]);
    let outside = own.url.replace("/dev", "/books");
    let reply = own.absolute(Method::GET, &outside).send().expect(403);
    let hint = reply.must_header("x-keygate-hint");
    assert_eq!(
        hint,
        "it is outside the stage: every path here begins with /dev"
    );
    let refused = own.get("/books").send().expect(401);
    assert_eq!(refused.header("x-keygate-hint"), None);
}

fn a_dynamic_reference_is_given_or_refused_by_name(target: &Target) {
    let name = "resolve:ssm:/shop/greeting:3";
    let variable = format!("src\n      Environment: {{Variables: {{A: '{{{{{name}}}}}'}}}}");
    let template = foreign(&PROVIDED.replacen("src", &variable, 1));
    let program = BOOTSTRAP
        .replace(
            "json.load(event)[\"requestContext\"][\"authorizer\"][\"principal\"]",
            "os.environ['A']",
        )
        .replace("caller = os", "event.read(); caller = os");
    let project = Project::new(&template).with_executable("src/bootstrap", &program);
    let path = project.template();
    let Err((status, said)) = target.build().try_start(&["--template", &path]) else {
        panic!("keygate starts");
    };
    assert_eq!(status.code(), Some(64), "{said}");
    assert!(
        said.contains(&format!("--parameter {name}=Value")),
        "{said}"
    );
    let given = format!("{name}=hello");
    let (_gateway, own) = target.own(&["--template", &path, "--parameter", &given]);
    assert_eq!(
        own.get("/greeting").send().expect(200).body,
        "hello by Python"
    );
}
