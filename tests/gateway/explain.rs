//! `keygate explain`: the authorizer's checks one by one, for the credentials of a gateway that runs.

use serde_json::{Value, json};

use crate::keys::{issue, text};
use crate::operator::run;
use keygate_tests::keygate::{Keygate, free_port};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_good_token_is_shown_with_every_check_and_the_routes_that_it_opens needs "own-gateway";
    a_bad_token_is_shown_with_what_was_found_and_what_was_expected needs "own-gateway";
    an_api_key_is_explained_by_its_record needs "own-gateway";
    no_explanation_holds_a_credential needs "own-gateway";
    a_setting_that_is_wrong_is_named needs "own-gateway";
    a_pasted_header_line_is_taken_as_it_is needs "own-gateway";
    times_are_dates_and_how_far_away_they_are needs "own-gateway";
    a_former_secret_is_said_to_be_one needs "own-gateway";
    a_revocation_that_is_not_looked_up_is_not_said_to_be_fine needs "own-gateway";
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
        said.contains("FAILED  exp ") && said.contains(" min ago"),
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
    let told = ["--parameter", "AuthorizerEvents=REQUEST"];
    let (gateway, own) = target.own(&told);
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
        (&["--source", "::ffff:192.0.2.1"], None),
    ] {
        let output =
            target
                .build()
                .explain(&gateway, &[&told, source].concat(), text(&bound, "key"));
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.success(), reason.is_none(), "{said}");
        let refused = reason.map_or("accepted".to_owned(), |reason| format!("refused: {reason}"));
        assert!(said.contains(&refused), "{said}");
    }
    // With TOKEN events there is no address to explain.
    let source = ["--source", "192.0.2.1"];
    let output = target
        .build()
        .explain(&gateway, &source, text(&bound, "key"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains("AuthorizerEvents=REQUEST"), "{said}");
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
        (["--set", "OAUTH_AUDIENCES=me"], "OAUTH_AUDIENCES"),
        (["--set", "oauth_audience=me"], "oauth_audience"),
    ] {
        let output = target.build().explain(&gateway, &arguments, &own.token());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(word), "{said}");
    }
}

/// What is said of a credential, and the line of one check.
fn explained(target: &Target, gateway: &Keygate, arguments: &[&str], pasted: &str) -> String {
    let output = target.build().explain(gateway, arguments, pasted);
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn line<'s>(said: &'s str, check: &str) -> &'s str {
    let check = format!(" {check} ");
    let line = said.lines().find(|line| line.contains(&check));
    line.unwrap_or_else(|| panic!("no {check}: {said}"))
}

fn a_pasted_header_line_is_taken_as_it_is(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let (token, key) = (own.token(), &gateway.ready.api_key);
    for pasted in [
        format!("Authorization: Bearer {token}\n"),
        format!("> authorization: bearer {token}\r\n> accept: */*\r\n"),
        format!("Authorization: ApiKey {key}"),
        format!("X-Api-Key: {key}"),
    ] {
        let said = explained(target, &gateway, &[], &pasted);
        assert!(said.contains("accepted, "), "{said}");
    }
    for (pasted, reason) in [
        (format!("Authorization: {token}"), "credential-scheme"),
        (
            format!("Authorization: Bearer {token}\nX-Api-Key: {key}"),
            "credential-several",
        ),
    ] {
        let said = explained(target, &gateway, &[], &pasted);
        assert!(said.contains(&format!("refused: {reason}")), "{said}");
    }
}

fn times_are_dates_and_how_far_away_they_are(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let said = explained(target, &gateway, &[], &own.token());
    for (check, distance) in [("exp", "Z, in "), ("iat", "Z, ")] {
        let line = line(&said, check);
        let (before, _) = line
            .split_once(distance)
            .unwrap_or_else(|| panic!("{line}"));
        let date = before.rsplit(' ').next().unwrap();
        let form: String = date
            .chars()
            .map(|character| {
                if character.is_ascii_digit() {
                    '0'
                } else {
                    character
                }
            })
            .collect();
        assert_eq!(form, "0000-00-00T00:00:00", "{line}");
    }
}

fn a_former_secret_is_said_to_be_one(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token();
    let former = issue(&own, &token, &["books:read"]).json();
    let secret = |key: &Value| {
        let said = explained(target, &gateway, &[], text(key, "key"));
        assert!(said.contains("accepted, "), "{said}");
        line(&said, "secret").to_owned()
    };
    assert_eq!(secret(&former), "ok      secret            the current one");
    let rotated = run(target, &gateway, &["rotate", text(&former, "id")]);
    let said = secret(&former);
    assert!(said.contains("the former one, which ends 20"), "{said}");
    let said = secret(&rotated);
    let found = "ok      secret            the current one  (expected: ";
    assert!(said.starts_with(found), "{said}");
    assert!(said.contains("or the former one until 20"), "{said}");
}

fn a_revocation_that_is_not_looked_up_is_not_said_to_be_fine(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token_with(&[("client_id", "me")]);
    for (checks, is_looked_up) in [("none", false), ("client", true), ("jti", true)] {
        let checks = format!("OAUTH_REVOCATION={checks}");
        let said = explained(target, &gateway, &["--set", &checks], &token);
        assert_eq!(said.contains("ok      revocation "), is_looked_up, "{said}");
        assert!(said.contains("-       revocation "), "{said}");
    }
    let both = ["--set", "OAUTH_REVOCATION=client,jti"];
    let said = explained(target, &gateway, &both, &token);
    assert!(
        line(&said, "revocation").contains("client me, jti "),
        "{said}"
    );
    assert!(!said.contains("-       revocation "), "{said}");
}
