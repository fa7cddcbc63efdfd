//! OAuth tokens as credentials: each row of the authorizer's decision table that a token reaches.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use keygate_tests::call::Reply;
use keygate_tests::target::Target;

use crate::metadata::METADATA;

keygate_tests::tests! { for Target:
    a_good_token_opens_every_route_of_its_scopes;
    one_credential_opens_a_second_route_and_a_second_method;
    a_token_opens_only_the_routes_of_its_scopes;
    a_token_whose_scopes_open_no_route_is_known_and_refused;
    the_scheme_is_read_in_any_case;
    a_request_without_a_credential_is_unauthorized;
    a_credential_that_is_malformed_is_unauthorized;
    a_token_that_is_expired_or_not_yet_valid_is_unauthorized;
    a_token_for_another_audience_is_unauthorized;
    a_token_that_was_changed_is_unauthorized;
    a_token_without_a_signature_is_unauthorized;
    a_token_signed_with_a_shared_secret_is_unauthorized;
    a_token_of_another_issuer_is_unauthorized needs "own-gateway";
    made_up_key_ids_are_unauthorized_and_do_no_harm;
    a_rule_of_the_deployment_refuses_what_is_not_true needs "own-gateway";
    each_of_several_issuers_is_believed_on_its_own_terms needs "own-gateway";
}

/// The answer is the gateway's 401, with the challenge of RFC 9728 section 5.1.
#[track_caller]
pub(crate) fn is_unauthorized(target: &Target, reply: &Reply) {
    reply.gateway_problem(401, "unauthorized");
    if target.can("gateway-responses") {
        let place = format!("{}{METADATA}", target.url);
        let challenge = format!("Bearer resource_metadata=\"{place}\"");
        assert_eq!(reply.header("www-authenticate"), Some(challenge.as_str()));
    }
}

/// `GET /books` with this value of the header `Authorization`.
#[track_caller]
pub(crate) fn list(target: &Target, authorization: &str) -> Reply {
    target.get("/books").authorization(authorization).send()
}

/// A part of a token: base64url of JSON.
pub(crate) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn read_part(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Header, claims and signature of a token.
fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<&str> = token.split('.').collect();
    parts.try_into().expect("a token has three parts")
}

fn a_good_token_opens_every_route_of_its_scopes(target: &Target) {
    let token = target.token();
    for (method, path, resource) in [
        (Method::GET, "/books", "/books"),
        (Method::POST, "/books", "/books"),
        (Method::GET, "/books/7", "/books/{id}"),
        (Method::PUT, "/books/7", "/books/{id}"),
        (Method::DELETE, "/books/7", "/books/{id}"),
    ] {
        let reply = target.call(method.clone(), path).bearer(&token).send();
        let event = reply.expect(200).json();
        assert_eq!(event["httpMethod"], method.as_str(), "{event}");
        assert_eq!(event["resource"], resource, "{event}");
    }
    for (method, path, status) in [
        (Method::GET, "/keys", 200),
        (Method::POST, "/keys", 415),
        (Method::GET, "/keys/unknown", 404),
        (Method::DELETE, "/keys/unknown", 404),
    ] {
        let reply = target.call(method.clone(), path).bearer(&token);
        // A body that the handler refuses shows that the request has reached it.
        let reply = if method == Method::POST {
            reply.header("content-type", "text/plain").body("x").send()
        } else {
            reply.send()
        };
        assert_eq!(reply.status, status, "{method} {path}: {reply:#?}");
    }
}

fn one_credential_opens_a_second_route_and_a_second_method(target: &Target) {
    let token = target.token();
    // Whatever was cached for the first answer must hold for the others.
    for path in ["/books", "/keys", "/books"] {
        target.get(path).bearer(&token).send().expect(200);
    }
    let added = target.post("/books").bearer(&token);
    added.json(&json!({"name": "third"})).send().expect(200);
}

fn a_token_opens_only_the_routes_of_its_scopes(target: &Target) {
    let token = target.token_with(&[("scope", "books:read")]);
    target.get("/books").bearer(&token).send().expect(200);
    for (method, path) in [
        (Method::POST, "/books"),
        (Method::PUT, "/books/7"),
        (Method::DELETE, "/books/7"),
        (Method::GET, "/keys"),
        (Method::POST, "/keys"),
        (Method::POST, "/keys/unknown/rotate"),
    ] {
        let call = target.call(method, path).bearer(&token);
        let refused = call.json(&json!({"name": "x"})).send();
        refused.gateway_problem(403, "insufficient-scope");
    }
    target.get("/books/7").bearer(&token).send().expect(200);
}

fn a_token_whose_scopes_open_no_route_is_known_and_refused(target: &Target) {
    for scope in ["something:else", "books", "books:read:all", "BOOKS:READ"] {
        let token = target.token_with(&[("scope", scope)]);
        for path in ["/books", "/keys"] {
            let refused = target.get(path).bearer(&token).send();
            refused.gateway_problem(403, "insufficient-scope");
        }
    }
}

fn the_scheme_is_read_in_any_case(target: &Target) {
    let token = target.token();
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "] {
        list(target, &format!("{scheme} {token}")).expect(200);
    }
}

fn a_request_without_a_credential_is_unauthorized(target: &Target) {
    for path in ["/books", "/keys", "/books/7"] {
        is_unauthorized(target, &target.get(path).send());
    }
    let call = target.post("/books").json(&json!({"name": "x"}));
    is_unauthorized(target, &call.send());
}

fn a_credential_that_is_malformed_is_unauthorized(target: &Target) {
    let token = target.token();
    let [header, claims, signature] = parts(&token);
    for value in [
        "Bearer".to_owned(),
        "Bearer x".to_owned(),
        "Bearer ..".to_owned(),
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer {token}, Bearer {token}"),
        format!("ApiKey {token}"),
        format!("Bearer {header}.{claims}"),
        format!("Bearer {header}.{claims}.{signature}.{signature}"),
        format!("Bearer {header}.{claims}.{signature}="),
        format!("Bearer {claims}.{header}.{signature}"),
    ] {
        is_unauthorized(target, &list(target, &value));
    }
    list(target, &format!("Bearer {token}")).expect(200);
}

fn a_token_that_is_expired_or_not_yet_valid_is_unauthorized(target: &Target) {
    for field in [("lifetime", "-3600"), ("not_before", "3600")] {
        let token = target.token_with(&[field]);
        is_unauthorized(target, &list(target, &format!("Bearer {token}")));
    }
}

fn a_token_for_another_audience_is_unauthorized(target: &Target) {
    for audience in ["x", &format!("{}x", target.audience)] {
        let token = target.token_with(&[("audience", audience)]);
        is_unauthorized(target, &list(target, &format!("Bearer {token}")));
    }
}

fn a_token_that_was_changed_is_unauthorized(target: &Target) {
    let token = target.token_with(&[("scope", "books:read")]);
    let [header, claims, signature] = parts(&token);
    let mut wider = read_part(claims);
    wider["scope"] = json!("books:read books:write keys:admin");
    let wider = part(&wider);
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[0] ^= 1;
    let flipped = URL_SAFE_NO_PAD.encode(flipped);
    for changed in [
        format!("{header}.{wider}.{signature}"),
        format!("{header}.{claims}.{flipped}"),
        format!("{header}.{claims}.{}", &signature[4..]),
    ] {
        is_unauthorized(target, &list(target, &format!("Bearer {changed}")));
    }
    list(target, &format!("Bearer {token}")).expect(200);
}

fn a_token_without_a_signature_is_unauthorized(target: &Target) {
    let token = target.token();
    let [header, claims, signature] = parts(&token);
    for algorithm in ["none", "None", "NONE", ""] {
        let mut unsigned = read_part(header);
        unsigned["alg"] = json!(algorithm);
        let unsigned = part(&unsigned);
        for signature in ["", signature] {
            let token = format!("Bearer {unsigned}.{claims}.{signature}");
            is_unauthorized(target, &list(target, &token));
        }
    }
}

fn a_token_signed_with_a_shared_secret_is_unauthorized(target: &Target) {
    let token = target.token();
    let [header, claims, _] = parts(&token);
    let key_id = read_part(header)["kid"].as_str().unwrap().to_owned();
    let claims = read_part(claims);
    for secret in [key_id.as_bytes(), b""] {
        for algorithm in [Algorithm::HS256, Algorithm::HS512] {
            let mut header = Header::new(algorithm);
            header.kid = Some(key_id.clone());
            header.typ = Some("at+jwt".to_owned());
            let forged = encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap();
            is_unauthorized(target, &list(target, &format!("Bearer {forged}")));
        }
    }
}

fn a_token_of_another_issuer_is_unauthorized(target: &Target) {
    let (_gateway, other) = target.own(&[]);
    let token = other.token();
    list(&other, &format!("Bearer {token}")).expect(200);
    is_unauthorized(target, &list(target, &format!("Bearer {token}")));
}

fn made_up_key_ids_are_unauthorized_and_do_no_harm(target: &Target) {
    let token = target.token();
    let [header, claims, signature] = parts(&token);
    for _ in 0..25 {
        let mut made_up = read_part(header);
        made_up["kid"] = json!(Uuid::new_v4().to_string());
        let made_up = format!("Bearer {}.{claims}.{signature}", part(&made_up));
        is_unauthorized(target, &list(target, &made_up));
    }
    // Another token than the one that may be cached.
    list(target, &format!("Bearer {}", target.token())).expect(200);
}

fn a_rule_of_the_deployment_refuses_what_is_not_true(target: &Target) {
    let rule = "OAuthRule=claims.sub.startsWith('team-') && header.alg == 'RS256'";
    let (_gateway, own) = target.own(&["--parameter", rule]);
    let bearer = |client: &str| format!("Bearer {}", own.token_with(&[("client_id", client)]));
    list(&own, &bearer("team-a")).expect(200);
    is_unauthorized(&own, &list(&own, &bearer("somebody")));
}

fn each_of_several_issuers_is_believed_on_its_own_terms(target: &Target) {
    let (_first, one) = target.own(&[]);
    let (_second, other) = target.own(&[]);
    let issuers = json!([
        {"issuer": one.issuer, "audience": ["keygate-local"], "required_typ": "at+jwt"},
        {"issuer": other.issuer, "audience": ["others"], "principal_prefix": "other|"},
    ]);
    let parameter = format!("OAuthIssuers={issuers}");
    let (_gateway, both) = target.own(&["--parameter", &parameter]);
    let bearer = |issuer: &Target, audience: &str| {
        let fields = [("client_id", "me"), ("audience", audience)];
        format!("Bearer {}", issuer.token_with(&fields))
    };
    for (issuer, audience, accepted) in [
        (&one, "keygate-local", true),
        (&one, "others", false),
        (&other, "others", true),
        (&other, "keygate-local", false),
    ] {
        let reply = list(&both, &bearer(issuer, audience));
        if accepted {
            reply.expect(200);
        } else {
            is_unauthorized(&both, &reply);
        }
    }
    // One name, two principals: no handler takes the one for the other.
    for (issuer, audience, principal) in [
        (&one, "keygate-local", "me"),
        (&other, "others", "other|me"),
    ] {
        let event = list(&both, &bearer(issuer, audience)).expect(200).json();
        let caller = &event["requestContext"]["authorizer"]["principal"];
        assert_eq!(caller, principal);
    }
}
