//! What stays the same when keygate is started again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use keygate_tests::keygate::free_port;
use keygate_tests::target::Target;

use crate::tokens::list;

keygate_tests::tests! { for Target:
    keys_and_tokens_outlive_a_restart_with_data needs "own-gateway";
    keys_and_tokens_outlive_a_restart_with_a_file_for_them needs "own-gateway";
    without_either_nothing_is_kept needs "own-gateway";
    a_file_that_holds_something_else_is_named needs "own-gateway";
}

/// Starts a gateway twice, and tells whether its API key is the same and its first token still taken.
fn restarted(target: &Target, arguments: &[&str]) -> (bool, u16) {
    let port = free_port().to_string();
    let arguments = [arguments, &["--issuer-port", &port]].concat();
    let (gateway, own) = target.own(&arguments);
    let (key, token) = (gateway.ready.api_key.clone(), own.token());
    list(&own, &format!("ApiKey {key}")).expect(200);
    list(&own, &format!("Bearer {token}")).expect(200);
    assert!(gateway.stop().success());
    let (gateway, own) = target.own(&arguments);
    let is_same = gateway.ready.api_key == key;
    if is_same {
        list(&own, &format!("ApiKey {key}")).expect(200);
    }
    (is_same, list(&own, &format!("Bearer {token}")).status)
}

fn is_its_owners_alone(file: &Path) {
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", file.display());
}

fn keys_and_tokens_outlive_a_restart_with_data(target: &Target) {
    let data = TempDir::new().unwrap();
    let path = data.path().to_str().unwrap();
    assert_eq!(restarted(target, &["--data", path]), (true, 200));
    is_its_owners_alone(&data.path().join("keygate-identity.json"));
}

fn keys_and_tokens_outlive_a_restart_with_a_file_for_them(target: &Target) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("identity");
    let path = file.to_str().unwrap();
    assert_eq!(restarted(target, &["--identity", path]), (true, 200));
    is_its_owners_alone(&file);
}

fn without_either_nothing_is_kept(target: &Target) {
    assert_eq!(restarted(target, &[]), (false, 401));
}

fn a_file_that_holds_something_else_is_named(target: &Target) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("identity");
    for text in ["no JSON", r#"{"signing_key":"AAAA","signing_key_id":"a"}"#] {
        fs::write(&file, text).unwrap();
        let path = file.to_str().unwrap();
        let Err((status, said)) = target.build().try_start(&["--identity", path]) else {
            panic!("keygate starts");
        };
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains(path) && said.contains("--identity"), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}
