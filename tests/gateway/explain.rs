//! `keygate explain`: the authorizer's checks one by one, for the credentials of a gateway that runs.

use serde_json::json;

use crate::keys::{issue, text};
use keygate_tests::keygate::free_port;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_good_token_is_shown_with_every_check_and_the_routes_that_it_opens needs "own-gateway";
    a_bad_token_is_shown_with_what_was_found_and_what_was_expected needs "own-gateway";
    an_api_key_is_explained_by_its_record needs "own-gateway";
    no_explanation_holds_a_credential needs "own-gateway";
    a_setting_that_is_wrong_is_named needs "own-gateway";
}

fn a_good_token_is_shown_with_every_check_and_the_routes_that_it_opens(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token_with(&[("client_id", "me"), ("scope", "books:read")]);
    let output = target.build().explain(&gateway, &[], &token);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("FAILED"), "{said}");
    for check in [
        "iss ",
        "alg ",
        "typ ",
        "signature ",
        "exp ",
        "nbf ",
        "iat ",
        "aud ",
        "revocation ",
    ] {
        assert!(
            said.contains(&format!("ok      {check}")),
            "no {check}: {said}"
        );
    }
    // A passed check names what would have passed too, where there is more than what was found.
    for (line, says_more) in [
        ("alg  ", true),
        ("exp  ", true),
        ("signature  ", false),
        ("aud  ", false),
        ("principal  ", false),
    ] {
        let mut lines = said.lines();
        let line = lines.find(|other| other.contains(line)).unwrap();
        assert_eq!(line.contains("(expected: "), says_more, "{line}");
    }
    assert!(said.contains("accepted, 2 routes are open"), "{said}");
    assert!(said.contains("open    GET /books "), "{said}");
    assert!(said.contains("closed  POST /books "), "{said}");
    // A rule that is only asked about here.
    let rule = ["--set", "OAUTH_RULE=claims.sub == 'you'"];
    let output = target.build().explain(&gateway, &rule, &token);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("refused: rule-not-true"), "{said}");
}

fn a_bad_token_is_shown_with_what_was_found_and_what_was_expected(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let wrong = [("lifetime", "-3600"), ("audience", "somebody-else")];
    let output = target.build().explain(
        &gateway,
        &[],
        &format!("Bearer {}\n", own.token_with(&wrong)),
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("FAILED  exp ") && said.contains(" s ago"),
        "{said}"
    );
    assert!(
        said.contains("FAILED  aud               somebody-else"),
        "{said}"
    );
    assert!(said.contains("expected: keygate-local"), "{said}");
    assert!(said.contains("refused: token-expired"), "{said}");
}

fn an_api_key_is_explained_by_its_record(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let output = target
        .build()
        .explain(&gateway, &[], &gateway.ready.api_key);
    assert!(output.status.success(), "{output:?}");
    let token = own.token();
    let call = own.post("/keys").bearer(&token);
    let body =
        json!({"name": "bound", "scopes": ["books:read"], "allowed_cidrs": ["192.0.2.0/24"]});
    let bound = call.json(&body).send().expect(201).json();
    for (source, reason) in [
        (&[][..], Some("api-key-source-address")),
        (&["--source", "192.0.3.1"], Some("api-key-network")),
        (&["--source", "192.0.2.1"], None),
    ] {
        let output = target
            .build()
            .explain(&gateway, source, text(&bound, "key"));
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.success(), reason.is_none(), "{said}");
        let refused = reason.map_or("accepted".to_owned(), |reason| format!("refused: {reason}"));
        assert!(said.contains(&refused), "{said}");
    }
    let key = issue(&own, &token, &["books:read"]).json();
    let path = format!("/keys/{}", text(&key, "id"));
    own.delete(&path).bearer(&token).send().expect(204);
    let output = target.build().explain(&gateway, &[], text(&key, "key"));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("refused: api-key-revoked"), "{said}");
}

fn no_explanation_holds_a_credential(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let (token, key) = (own.token(), &gateway.ready.api_key);
    for credential in [
        token.as_str(),
        key,
        &format!("{token}x"),
        &format!("{key}x"),
        "Basic dTpwYXNz",
    ] {
        let output = target.build().explain(&gateway, &[], credential);
        let said = format!("{output:?}");
        let secret = &credential[credential.len() - 8..];
        assert!(!said.contains(secret), "{said}");
    }
    // A dependency that fails is not said to be the credential's fault.
    let nowhere = ["--dynamodb-port", &free_port().to_string()];
    let output = target.build().explain(&gateway, &nowhere, key);
    let said = String::from_utf8(output.stdout).unwrap();
    let verdict = "not to be decided now: key-table-unavailable (503)";
    assert!(said.contains(verdict), "{said}");
    let output = target.build().explain(&gateway, &[&token], &token);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(
        said.contains("standard input") && !said.contains(&token),
        "{said}"
    );
}

fn a_setting_that_is_wrong_is_named(target: &Target) {
    let (gateway, own) = target.own(&[]);
    for (arguments, word) in [
        (["--set", "OAUTH_RULE=claims.sub =="], "OAUTH_RULE"),
        (["--parameter", "OAuthAlgorithms=HS256"], "OAUTH_ALGORITHMS"),
        (["--parameter", "Nothing=7"], "Nothing"),
        (["--source", "here"], "--source"),
    ] {
        let output = target.build().explain(&gateway, &arguments, &own.token());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(word), "{said}");
    }
}
