//! Tokens of an issuer's own making through a whole gateway: what opens routes, what a handler is
//! told of the caller, and what the access log can show of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::access_log::line_of;
use crate::keys::{issue, text};
use crate::tokens::{is_unauthorized, list};
use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::keygate::Keygate;
use keygate_tests::signer::Signer;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    claims_reach_a_handler_and_the_access_log_can_show_them needs "access-log", "own-gateway";
    claims_that_are_too_large_are_no_fault_of_the_caller_s needs "own-gateway";
    roles_and_an_audience_of_another_name_open_routes needs "own-gateway";
    a_bound_token_is_refused_unless_the_deployment_knows needs "own-gateway";
    the_development_issuer_writes_tokens_as_others_do needs "own-gateway";
    a_name_with_a_backslash_is_its_keys_owner needs "own-gateway";
}

/// An issuer whose tokens are what a test says, and a gateway that trusts it.
struct House {
    signer: Signer,
    issuer: Issuer,
    own: Target,
    gateway: Keygate,
}

impl House {
    fn new(target: &Target, arguments: &[&str]) -> Self {
        let signer = Signer::p256("1");
        let issuer = Issuer::start(&[&signer]);
        let issuers = json!([{"issuer": issuer.url, "audience": [AUDIENCE]}]);
        let issuers = format!("OAuthIssuers={issuers}");
        let arguments = [&["--parameter", &issuers], arguments].concat();
        let (gateway, own) = target.own(&arguments);
        Self {
            signer,
            issuer,
            own,
            gateway,
        }
    }

    /// A good token's `Authorization` with these claims besides, or without those that are `null`.
    fn bearer(&self, own: &Value) -> String {
        let mut claims = self.issuer.claims();
        let members = claims.as_object_mut().unwrap();
        for (name, value) in own.as_object().unwrap() {
            match value {
                Value::Null => members.remove(name),
                value => members.insert(name.clone(), value.clone()),
            };
        }
        format!("Bearer {}", self.signer.token(&claims))
    }
}

fn claims_reach_a_handler_and_the_access_log_can_show_them(target: &Target) {
    let member = r#""credential":"$context.authorizer.credential","#;
    let more = r#""tenant":"$context.authorizer.claim_tenant","roles":"$context.authorizer.claim_realm_access_roles","#;
    let template = target
        .build()
        .template_with(member, &format!("{member}\n          {more}"));
    let template = template.path().to_str().unwrap();
    let chosen = "OAuthContextClaims=tenant,realm_access.roles,level,principal";
    let house = House::new(target, &["--template", template, "--parameter", chosen]);
    let bearer = house.bearer(&json!({
        "sub": "DOMAIN\\user",
        "tenant": "acme \"north\"",
        "realm_access": {"roles": ["reader", "editor"]},
        "level": 3,
        "principal": "somebody else",
        "email": "alice@example.com",
    }));
    let roles = r#"["reader","editor"]"#;
    // The second answer is from the gateway's cache.
    for _ in 0..2 {
        let reply = list(&house.own, &bearer).expect(200);
        let event = reply.json();
        let told = &event["requestContext"]["authorizer"];
        assert_eq!(told["claim_tenant"], "acme \"north\"");
        assert_eq!(told["claim_realm_access_roles"], roles);
        assert_eq!(told["claim_level"], "3");
        assert_eq!(told["claim_principal"], "somebody else");
        assert_eq!(told["principal"], "DOMAIN\\user");
        assert_eq!(told.get("claim_email"), None);
        let line = line_of(&house.gateway, &reply);
        assert_eq!(line["tenant"], "acme \"north\"");
        assert_eq!(line["roles"], roles);
        assert_eq!(line["principal"], "DOMAIN%5Cuser");
    }
    let without = list(&house.own, &house.bearer(&json!({}))).expect(200);
    let told = &without.json()["requestContext"]["authorizer"];
    assert_eq!(told.get("claim_tenant"), None);
    assert_eq!(line_of(&house.gateway, &without)["tenant"], "-");
    // A key has no claims.
    let key = format!("ApiKey {}", house.gateway.ready.api_key);
    let by_key = list(&house.own, &key).expect(200).json();
    let told = by_key["requestContext"]["authorizer"].as_object().unwrap();
    assert!(
        !told.keys().any(|name| name.starts_with("claim_")),
        "{told:?}"
    );
}

fn claims_that_are_too_large_are_no_fault_of_the_caller_s(target: &Target) {
    let house = House::new(target, &["--parameter", "OAuthContextClaims=groups"]);
    let groups = |count: usize| house.bearer(&json!({"groups": vec!["a group"; count]}));
    list(&house.own, &groups(100)).expect(200);
    let reply = list(&house.own, &groups(300));
    reply.gateway_problem(503, "service-unavailable");
    let _ = house.gateway.logged("context-too-large");
}

fn roles_and_an_audience_of_another_name_open_routes(target: &Target) {
    let house = House::new(
        target,
        &[
            "--parameter",
            "OAuthScopeClaims=permissions,realm_access.roles",
            "--parameter",
            "OAuthAudienceClaim=azp",
            "--parameter",
            "OAuthClientClaims=shop.id",
        ],
    );
    let with = |own: Value| {
        let mut claims = json!({"aud": null, "scope": null, "azp": AUDIENCE});
        let members = claims.as_object_mut().unwrap();
        members.extend(own.as_object().unwrap().clone());
        house.bearer(&claims)
    };
    for own in [
        json!({"permissions": ["books:read"]}),
        json!({"realm_access": {"roles": ["offline_access", "books:read"]}}),
        json!({"realm_access": {"roles": {"books:read": {}}}}),
    ] {
        let bearer = with(own.clone());
        list(&house.own, &bearer).expect(200);
        let call = house.own.post("/books").authorization(&bearer);
        let refused = call.json(&json!({"name": "x"})).send();
        refused.gateway_problem(403, "insufficient-scope");
    }
    for own in [
        json!({}),
        json!({"scope": "books:read", "roles": ["books:read"]}),
    ] {
        list(&house.own, &with(own)).gateway_problem(403, "insufficient-scope");
    }
    let permitted = json!({"permissions": ["books:read"], "shop": {"id": "north"}});
    let event = list(&house.own, &with(permitted)).expect(200).json();
    let told = &event["requestContext"]["authorizer"];
    assert_eq!(told["client_id"], "north");
    for own in [
        json!({"azp": null, "aud": AUDIENCE}),
        json!({"azp": "https://other.example"}),
        json!({"aud": "https://other.example"}),
        json!({"permissions": 1}),
    ] {
        is_unauthorized(&house.own, &list(&house.own, &with(own)));
    }
}

fn a_bound_token_is_refused_unless_the_deployment_knows(target: &Target) {
    let bound = json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}});
    let house = House::new(target, &[]);
    is_unauthorized(&house.own, &list(&house.own, &house.bearer(&bound)));
    list(&house.own, &house.bearer(&json!({}))).expect(200);
    let knowing = House::new(target, &["--parameter", "OAuthAllowBoundTokens=true"]);
    list(&knowing.own, &knowing.bearer(&bound)).expect(200);
}

fn the_development_issuer_writes_tokens_as_others_do(target: &Target) {
    let (gateway, own) = target.own(&[
        "--parameter",
        "OAuthScopeClaims=realm_access.roles",
        "--parameter",
        "OAuthContextClaims=tenant",
    ]);
    let claims = json!({
        "scope": null,
        "realm_access": {"roles": ["books:read"]},
        "tenant": "acme",
        "sub": "DOMAIN\\user",
    });
    let token = own.token_with(&[("claims", &claims.to_string())]);
    let event = list(&own, &format!("Bearer {token}")).expect(200).json();
    let told = &event["requestContext"]["authorizer"];
    assert_eq!(told["claim_tenant"], "acme");
    assert_eq!(told["principal"], "DOMAIN\\user");
    assert_eq!(told["scopes"], "books:read");
    let shown = target.build().explain(
        &gateway,
        &["--parameter", "OAuthScopeClaims=realm_access.roles"],
        &token,
    );
    let said = String::from_utf8(shown.stdout).unwrap();
    assert!(
        said.contains("books:read (from realm_access.roles)"),
        "{said}"
    );
    let endpoint = format!("{}/token", own.issuer);
    for wrong in ["[]", "%7B", "\"x\"", ""] {
        let form = format!("grant_type=client_credentials&client_id=x&claims={wrong}");
        let call = own.absolute(Method::POST, &endpoint);
        let call = call.header("content-type", "application/x-www-form-urlencoded");
        let refused = call.body(form).send().expect(400).json();
        assert_eq!(refused["error"], "invalid_request", "{wrong}");
    }
}

fn a_name_with_a_backslash_is_its_keys_owner(target: &Target) {
    let (_gateway, own) = target.own(&[]);
    let name = "DOMAIN\\user%5C";
    let token = own.token_with(&[("claims", &json!({"sub": name}).to_string())]);
    let key = issue(&own, &token, &["books:read"]).json();
    assert_eq!(key["owner"], name);
    let event = list(&own, &format!("ApiKey {}", text(&key, "key")));
    let event = event.expect(200).json();
    assert_eq!(event["requestContext"]["authorizer"]["principal"], name);
    let keys = own.get("/keys").bearer(&token).send().expect(200);
    assert!(keys.body.contains(text(&key, "id")), "{keys:?}");
    let path = format!("/keys/{}", text(&key, "id"));
    let other = own.token_with(&[("claims", r#"{"sub": "DOMAINuser%5C"}"#)]);
    own.delete(&path).bearer(&other).send().expect(404);
    own.delete(&path).bearer(&token).send().expect(204);
}
