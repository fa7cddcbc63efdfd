//! What the gateway says when the authorizer cannot check a credential, and its cache: gateways of
//! each test's own.

use std::process::{Child, Stdio};

use serde_json::json;

use crate::services::{KEY_TABLE, dynamodb};
use crate::tokens::{is_unauthorized, list, part};
use keygate_tests::issuer::Issuer;
use keygate_tests::keygate::{Keygate, free_port, wait_for};
use keygate_tests::roca;
use keygate_tests::signer::Signer;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_token_that_cannot_be_checked_is_a_fault_of_the_service needs "own-gateway";
    an_issuer_that_comes_back_is_believed_again needs "own-gateway";
    an_issuer_without_a_usable_key_is_a_fault_of_the_service needs "own-gateway";
    a_key_that_cannot_be_looked_up_is_a_fault_of_the_service needs "own-gateway";
    an_answer_of_the_authorizer_is_cached_until_its_time_is_over needs "own-gateway";
}

/// A process that is killed with this value.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A gateway that trusts an issuer at this port, whether or not one is there.
fn trusting(target: &Target, port: u16) -> (Keygate, Target, String) {
    let issuer = format!("http://127.0.0.1:{port}");
    let setting = format!("OAuthIssuer={issuer}");
    let (gateway, own) = target.own(&["--parameter", &setting]);
    (gateway, own, issuer)
}

fn a_token_that_cannot_be_checked_is_a_fault_of_the_service(target: &Target) {
    let (gateway, own, issuer) = trusting(target, free_port());
    let header = part(&json!({"alg": "RS256", "typ": "at+jwt", "kid": "any"}));
    let claims = part(&json!({
        "iss": issuer, "aud": own.audience, "sub": "x", "exp": 4_102_444_800_u64, "scope": "books:read",
    }));
    for _ in 0..3 {
        let reply = list(
            &own,
            &format!("Bearer {header}.{claims}.{}", "A".repeat(342)),
        );
        reply.problem(503, "service-unavailable");
        let seconds: u64 = reply.must_header("retry-after").parse().unwrap();
        assert!(seconds > 0);
    }
    // 401 is still said about a credential that is wrong whatever the issuer would say, and a key
    // needs no issuer.
    is_unauthorized(&own, &own.get("/books").send());
    is_unauthorized(&own, &list(&own, "Bearer x"));
    list(&own, &format!("ApiKey {}", gateway.ready.api_key)).expect(200);
}

fn an_issuer_that_comes_back_is_believed_again(target: &Target) {
    let port = free_port();
    let (_gateway, own, issuer) = trusting(target, port);
    let mut command = std::process::Command::new(target.build().directory.join("keygate"));
    let command = command.args(["issuer", "--port", &port.to_string()]);
    // Its tokens open the routes of the template that the gateway serves.
    let command = command.arg("--template").arg(&target.build().template);
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let _issuer = Killed(command.spawn().unwrap());
    let token = wait_for(|| own.try_token_at(&issuer)).expect("the issuer answers");
    let answer = wait_for(|| {
        let reply = list(&own, &format!("Bearer {token}"));
        (reply.status != 503).then_some(reply)
    });
    answer.expect("an answer other than 503").expect(200);
}

fn an_issuer_without_a_usable_key_is_a_fault_of_the_service(target: &Target) {
    let (honest, weak) = (Signer::p256("honest"), roca::signer("weak"));
    let issuer = Issuer::start(&[&weak]);
    let setting = format!("OAuthIssuer={}", issuer.url);
    let (_gateway, own) = target.own(&["--parameter", &setting]);
    let asked_with = |signer: &Signer, id: &str| {
        let mut claims = issuer.claims();
        claims["aud"] = json!(own.audience);
        claims["jti"] = json!(id);
        list(&own, &format!("Bearer {}", signer.token(&claims)))
    };
    for signer in [&weak, &honest] {
        let reply = asked_with(signer, "1");
        reply.problem(503, "service-unavailable");
        reply.must_header("retry-after");
    }
    issuer.publish(&[&honest]);
    let answer = wait_for(|| {
        let reply = asked_with(&honest, "2");
        (reply.status != 503).then_some(reply)
    });
    answer.expect("an answer other than 503").expect(200);
    // The last good set goes on, and a key that is not in it may be one of the issuer's.
    issuer.publish(&[&weak]);
    asked_with(&Signer::p256("unknown"), "3").problem(503, "service-unavailable");
    asked_with(&honest, "4").expect(200);
}

fn a_key_that_cannot_be_looked_up_is_a_fault_of_the_service(target: &Target) {
    let (gateway, own) = target.own(&[]);
    dynamodb(
        &own,
        &gateway,
        "DeleteTable",
        &json!({"TableName": KEY_TABLE}),
    );

    let reply = list(&own, &format!("ApiKey {}", gateway.ready.api_key));
    reply.problem(503, "service-unavailable");
    reply.must_header("retry-after");
    // A mistyped key never reaches the table.
    let mut mistyped = gateway.ready.api_key.clone();
    let last = if mistyped.ends_with('0') { "1" } else { "0" };
    mistyped.replace_range(mistyped.len() - 1.., last);
    is_unauthorized(&own, &list(&own, &format!("ApiKey {mistyped}")));
}

fn an_answer_of_the_authorizer_is_cached_until_its_time_is_over(target: &Target) {
    // Gateways that nobody else empties the caches of, by revoking a key.
    let issuer = format!("OAuthIssuer={}", target.issuer);
    let arguments = [
        "--parameter",
        &issuer,
        "--parameter",
        "AuthorizerCacheTtl=1",
    ];
    let (_gateway, short) = target.own(&arguments);
    let (_another, long) = target.own(&arguments[..2]);
    // The authorizer allows 30 s of clock skew, so this token is good for 10 s more.
    let credential = format!("Bearer {}", target.token_with(&[("lifetime", "-20")]));
    list(&long, &credential).expect(200);
    list(&short, &credential).expect(200);
    let refused = wait_for(|| {
        let reply = list(&short, &credential);
        (reply.status != 200).then_some(reply)
    });
    is_unauthorized(&short, &refused.expect("the cached answer's time is over"));
    // The same token where the answer is kept for a minute.
    list(&long, &credential).expect(200);
}
