//! How keygate starts, or says why it does not.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use keygate_tests::build::PORTS;
use keygate_tests::keygate::wait_for;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_port_in_use_is_named_with_who_has_it_and_the_flag_that_changes_it needs "own-gateway";
    an_unknown_intrinsic_of_the_template_is_named_and_refused needs "own-gateway";
    what_the_template_asks_for_and_keygate_does_not_do_is_named_and_refused needs "own-gateway";
    a_template_that_is_no_yaml_or_is_not_there_is_refused needs "own-gateway";
    a_parameter_that_the_template_does_not_take_is_refused needs "own-gateway";
    a_setting_that_a_function_refuses_is_named needs "own-gateway";
    usage_plans_that_are_no_list_of_plans_are_named needs "own-gateway";
    a_function_without_an_executable_is_named needs "own-gateway";
    a_data_directory_belongs_to_one_gateway_at_a_time needs "own-gateway";
    the_ready_file_with_its_key_is_for_its_owner_alone needs "own-gateway";
}

/// The exit code of a command line or a template that cannot be right.
const USAGE: i32 = 64;

/// keygate ends with this code, and what it says names each of these words.
#[track_caller]
fn is_refused(target: &Target, arguments: &[&str], code: i32, words: &[&str]) {
    let Err((status, said)) = target.build().try_start(arguments) else {
        panic!("keygate starts with {arguments:?}");
    };
    assert_eq!(status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    for word in words {
        assert!(said.contains(word), "{word} is not named:\n{said}");
    }
}

fn a_port_in_use_is_named_with_who_has_it_and_the_flag_that_changes_it(target: &Target) {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let holder = format!("(process {})", std::process::id());
    for flag in PORTS {
        is_refused(target, &[flag, &port], 1, &[flag, &port, "in use by "]);
        // A program that another test is starting has this process's sockets until it runs.
        let named = wait_for(|| {
            let (_, said) = target.build().try_start(&[flag, &port]).err()?;
            said.contains(&holder).then_some(())
        });
        assert!(named.is_some(), "{holder} is never named for {flag}");
    }
}

/// A template with one passage replaced is refused, and what is wrong with it is named.
#[track_caller]
fn is_refused_with(target: &Target, passage: &str, replacement: &str, words: &[&str]) {
    let template = target.build().template_with(passage, replacement);
    let path = template.path().to_str().unwrap();
    is_refused(target, &["--template", path], USAGE, words);
}

fn an_unknown_intrinsic_of_the_template_is_named_and_refused(target: &Target) {
    let stage = "StageName: !Ref StageName";
    for (intrinsic, name) in [
        ("StageName: !Frobnicate StageName", "Frobnicate"),
        ("StageName: {Fn::Frobnicate: StageName}", "Fn::Frobnicate"),
        ("StageName: !ImportValue stage", "ImportValue"),
    ] {
        is_refused_with(target, stage, intrinsic, &[name]);
    }
    is_refused_with(target, stage, "StageName: !Ref Nothing", &["Nothing"]);
}

fn what_the_template_asks_for_and_keygate_does_not_do_is_named_and_refused(target: &Target) {
    let source = "ApiKeySourceType: AUTHORIZER";
    for (property, name) in [
        ("Frobnicate: 7", "Frobnicate"),
        ("CanarySetting: {PercentTraffic: 5}", "CanarySetting"),
    ] {
        let both = format!("{source}\n      {property}");
        is_refused_with(target, source, &both, &[name]);
    }
    let function = "CodeUri: functions/keys";
    let both = format!("{function}\n      ImageConfig: {{Command: [a]}}");
    is_refused_with(target, function, &both, &["ImageConfig"]);
    let resources = "\nResources:\n";
    let kind = "AWS::WAFv2::WebACLAssociation";
    let wall = format!("{resources}  Wall:\n    Type: {kind}\n");
    is_refused_with(target, resources, &wall, &["Wall", kind]);
}

fn a_template_that_is_no_yaml_or_is_not_there_is_refused(target: &Target) {
    let start = "AWSTemplateFormatVersion: '2010-09-09'";
    is_refused_with(target, start, "{[", &["line 1"]);
    let missing = ["--template", "/nonexistent/template.yaml"];
    is_refused(target, &missing, USAGE, &["/nonexistent/template.yaml"]);
}

fn a_parameter_that_the_template_does_not_take_is_refused(target: &Target) {
    for (parameter, name) in [
        ("Frobnicate=7", "Frobnicate"),
        ("RateLimit=many", "RateLimit"),
        ("RateLimit=0", "RateLimit"),
        ("QuotaPeriod=YEAR", "QuotaPeriod"),
        ("StageName=a b", "StageName"),
        ("RateLimit", "Name=Value"),
    ] {
        is_refused(target, &["--parameter", parameter], USAGE, &[name]);
    }
}

fn a_setting_that_a_function_refuses_is_named(target: &Target) {
    for (parameter, name) in [
        ("OAuthAlgorithms=HS256", "OAUTH_ALGORITHMS"),
        ("OAuthAlgorithms=none", "OAUTH_ALGORITHMS"),
        ("OAuthRule=claim.sub == 'a'", "OAUTH_RULE"),
        ("OAuthIssuers=[]", "OAUTH_ISSUERS"),
        (
            "OAuthJwksUri=http://issuer.example/jwks.json",
            "OAUTH_JWKS_URI",
        ),
    ] {
        let arguments = ["--parameter", parameter];
        is_refused(target, &arguments, 1, &[name, "AuthorizerFunction"]);
    }
}

fn usage_plans_that_are_no_list_of_plans_are_named(target: &Target) {
    let setting = "&usage_plans !Sub standard=";
    for malformed in [
        "&usage_plans !Sub ",
        "&usage_plans !Sub =",
        "&usage_plans !Sub a=b,a=",
    ] {
        let template = target.build().template_with(setting, malformed);
        let arguments = ["--template", template.path().to_str().unwrap()];
        is_refused(target, &arguments, 1, &["USAGE_PLANS", "KeysFunction"]);
    }
}

fn a_function_without_an_executable_is_named(target: &Target) {
    let empty = TempDir::new().unwrap();
    let path = empty.path().to_str().unwrap();
    is_refused(target, &["--functions", path], 1, &["authorizer", path]);
}

fn a_data_directory_belongs_to_one_gateway_at_a_time(target: &Target) {
    let data = TempDir::new().unwrap();
    let path = data.path().to_str().unwrap();
    let arguments = ["--data", path];
    let (gateway, own) = target.own(&arguments);
    is_refused(target, &arguments, 1, &["--data", path, "another keygate"]);
    let key = format!("ApiKey {}", gateway.ready.api_key);
    own.get("/books").authorization(&key).send().expect(200);
    assert!(gateway.stop().success());
    let (_gateway, _own) = target.own(&arguments);
}

fn the_ready_file_with_its_key_is_for_its_owner_alone(target: &Target) {
    let (gateway, _own) = target.own(&[]);
    let file = std::fs::metadata(gateway.ready_file()).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}
