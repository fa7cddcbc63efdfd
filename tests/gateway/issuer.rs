//! The development issuer as a page in a browser uses it: the code grant with PKCE, claims of one's
//! choice, and CORS.

use reqwest::Method;
use serde_json::{Value, json};

use keygate_tests::call::Reply;
use keygate_tests::target::Target;

use crate::tokens::list;

keygate_tests::tests! { for Target:
    a_code_is_exchanged_for_a_token_with_the_claims_that_were_asked_for needs "own-gateway";
    pages_of_this_machine_may_read_its_answers_and_no_others needs "own-gateway";
}

/// Of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://localhost:5173/callback";

/// What a token says, whoever signed it.
fn claims_of(token: &str) -> Value {
    use base64::Engine as _;

    let part = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part);
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}

fn authorized(own: &Target, more: &[(&str, &str)]) -> Reply {
    let mut url = reqwest::Url::parse(&format!("{}/authorize", own.issuer)).unwrap();
    let own_parameters = [
        ("response_type", "code"),
        ("client_id", "page"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s"),
    ];
    url.query_pairs_mut()
        .extend_pairs(own_parameters.iter().chain(more));
    own.absolute(Method::GET, url.as_str()).send().expect(302)
}

fn exchanged(own: &Target, reply: &Reply, more: &[(&str, &str)]) -> Reply {
    let back = reqwest::Url::parse(reply.must_header("location")).unwrap();
    let code = back
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("client_id", "page"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("code", &code),
    ];
    form.extend(more);
    let url = format!("{}/token", own.issuer);
    let mut encoded = reqwest::Url::parse(&url).unwrap();
    encoded.query_pairs_mut().extend_pairs(&form);
    own.absolute(Method::POST, &url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(encoded.query().unwrap().to_owned())
        .send()
}

fn a_code_is_exchanged_for_a_token_with_the_claims_that_were_asked_for(target: &Target) {
    let (_gateway, own) = target.own(&[]);
    let asked = json!({"tenant": "acme", "groups": ["a", {"b": 1}], "nickname": "first"});
    let asked = asked.to_string();
    let reply = authorized(&own, &[("scope", "books:read"), ("claims", &asked)]);
    let more = [("claims", r#"{"nickname":"last","jti":null}"#)];
    let answer = exchanged(&own, &reply, &more).expect(200).json();
    let token = answer["access_token"].as_str().unwrap();
    let claims = claims_of(token);
    assert_eq!(claims["tenant"], "acme");
    assert_eq!(claims["groups"], json!(["a", {"b": 1}]));
    assert_eq!(claims["nickname"], "last");
    assert_eq!(claims.get("jti"), None);
    list(&own, &format!("Bearer {token}")).expect(200);

    let elsewhere = authorized(&own, &[("audience", "elsewhere")]);
    let answer = exchanged(&own, &elsewhere, &[]).expect(200).json();
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(claims_of(token)["aud"], "elsewhere");
    list(&own, &format!("Bearer {token}")).expect(401);

    let malformed = authorized(&own, &[("claims", "[]")]);
    exchanged(&own, &malformed, &[]).expect(400);
}

fn pages_of_this_machine_may_read_its_answers_and_no_others(target: &Target) {
    let (_gateway, own) = target.own(&[]);
    let allowed = "access-control-allow-origin";
    for (origin, may_read) in [
        ("http://localhost:5173", true),
        ("https://evil.example", false),
        ("http://localhost.evil.example", false),
        ("null", false),
    ] {
        for (method, path) in [
            (Method::GET, "/.well-known/openid-configuration"),
            (Method::GET, "/jwks.json"),
            (Method::POST, "/token"),
        ] {
            let url = format!("{}{path}", own.issuer);
            let preflight = own
                .absolute(Method::OPTIONS, &url)
                .header("Origin", origin)
                .header("Access-Control-Request-Method", method.as_str())
                .header("Access-Control-Request-Headers", "content-type,dpop")
                .send()
                .expect(204);
            let asked = own.absolute(method.clone(), &url).header("Origin", origin);
            let answer = asked.send();
            for reply in [&preflight, &answer] {
                assert_eq!(reply.header(allowed), may_read.then_some(origin), "{path}");
                assert!(reply.list("vary").contains(&"origin".to_owned()), "{path}");
            }
            let headers = preflight.header("access-control-allow-headers");
            assert_eq!(headers, may_read.then_some("content-type,dpop"));
        }
    }
}
