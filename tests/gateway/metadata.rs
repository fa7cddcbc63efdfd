//! The protected resource metadata (RFC 9728), and what says where it is.

use reqwest::Method;
use serde_json::json;

use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    everybody_may_read_the_metadata_of_the_api;
    a_path_has_metadata_with_the_scopes_that_open_it;
    a_path_that_asks_for_no_credential_has_no_metadata;
    a_denial_names_its_error_and_where_the_metadata_is needs "gateway-responses";
    the_body_of_a_denial_leads_to_the_scopes_that_open_the_route needs "gateway-responses";
    the_metadata_names_every_issuer_and_the_scopes_that_are_advertised needs "own-gateway";
    without_a_public_address_the_challenge_is_bare_and_the_metadata_still_there needs "own-gateway";
}

/// Where the metadata of the API is.
pub(crate) const METADATA: &str = "/.well-known/oauth-protected-resource";

fn everybody_may_read_the_metadata_of_the_api(target: &Target) {
    let from_a_page = target.get(METADATA).header("origin", "https://any.example");
    let reply = from_a_page.send().expect(200);
    // Whoever comes from a 401 has no standing here yet.
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let metadata = reply.json();
    assert_eq!(metadata["resource"], target.url);
    assert_eq!(metadata["authorization_servers"], json!([target.issuer]));
    assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    for scope in ["books:read", "books:write", "keys:admin"] {
        assert!(scopes.contains(&json!(scope)), "{metadata}");
    }
    assert_eq!(target.get(&format!("{METADATA}/")).send().json(), metadata);
}

fn a_path_has_metadata_with_the_scopes_that_open_it(target: &Target) {
    for (path, scopes) in [
        ("/books", &["books:read", "books:write"][..]),
        ("/keys/abc/rotate", &["keys:admin"]),
    ] {
        let metadata = target.get(&format!("{METADATA}{path}"));
        let metadata = metadata.send().expect(200).json();
        assert_eq!(metadata["resource"], format!("{}{path}", target.url));
        assert_eq!(metadata["scopes_supported"], json!(scopes));
        assert_eq!(metadata["authorization_servers"], json!([target.issuer]));
    }
}

fn a_path_that_asks_for_no_credential_has_no_metadata(target: &Target) {
    for path in ["/nothing", "/problems", "/books/7/parts"] {
        let reply = target.get(&format!("{METADATA}{path}")).send();
        reply.problem(404, "not-found");
    }
    let reply = target.call(Method::POST, METADATA).send();
    if target.can("any-method") {
        reply.problem(405, "method-not-allowed");
    }
}

fn a_denial_names_its_error_and_where_the_metadata_is(target: &Target) {
    let token = target.token_with(&[("scope", "books:write")]);
    let challenge = format!(
        "Bearer error=\"insufficient_scope\", resource_metadata=\"{}{METADATA}\"",
        target.url
    );
    let denied = target.get("/books").bearer(&token).send();
    denied.gateway_problem(403, "insufficient-scope");
    assert_eq!(denied.header("www-authenticate"), Some(challenge.as_str()));
}

fn the_body_of_a_denial_leads_to_the_scopes_that_open_the_route(target: &Target) {
    let token = target.token_with(&[("scope", "books:write")]);
    for (path, needed) in [("/books/7", "books:read"), ("/keys/abc", "keys:admin")] {
        let denied = target.get(path).bearer(&token).send();
        let problem = denied.problem(403, "insufficient-scope");
        assert_eq!(problem["scopes"], "books:write");
        let place = problem["resource_metadata"].as_str().unwrap();
        let metadata = target.absolute(Method::GET, place).send();
        let scopes = &metadata.expect(200).json()["scopes_supported"];
        assert!(
            scopes.as_array().unwrap().contains(&json!(needed)),
            "{scopes}"
        );
    }
}

fn the_metadata_names_every_issuer_and_the_scopes_that_are_advertised(target: &Target) {
    let issuers = ["https://a.example", "https://b.example/"];
    let elements = issuers.map(|issuer| {
        json!({
            "issuer": issuer, "audience": ["x"], "jwks_uri": "https://a.example/jwks",
            "principal_prefix": format!("{}|", &issuer[8..9]),
        })
    });
    let parameters = [
        format!("OAuthIssuers={}", json!(elements)),
        "AdvertisedScopes=api://books/books:read offline_access".to_owned(),
    ];
    let arguments = parameters
        .iter()
        .flat_map(|parameter| ["--parameter", parameter.as_str()]);
    let (_gateway, own) = target.own(&arguments.collect::<Vec<_>>());
    let metadata = own.get(METADATA).send().expect(200).json();
    assert_eq!(metadata["authorization_servers"], json!(issuers));
    let advertised = ["api://books/books:read", "offline_access"];
    assert_eq!(metadata["scopes_supported"], json!(advertised));
}

fn without_a_public_address_the_challenge_is_bare_and_the_metadata_still_there(target: &Target) {
    let (_gateway, own) = target.own(&["--parameter", "PublicUrl="]);
    let unauthorized = own.get("/books").send();
    assert_eq!(unauthorized.status, 401);
    assert_eq!(unauthorized.header("www-authenticate"), Some("Bearer"));
    let token = own.token_with(&[("scope", "books:write")]);
    let denied = own.get("/books").bearer(&token).send();
    assert_eq!(denied.status, 403);
    let challenge = "Bearer error=\"insufficient_scope\"";
    assert_eq!(denied.header("www-authenticate"), Some(challenge));
    // As API Gateway says where the request came to, which always is https.
    let place = unauthorized.json()["resource_metadata"].clone();
    let at_https = own.url.replacen("http://", "https://", 1);
    assert_eq!(place, format!("{at_https}{METADATA}"));
    let metadata = own.get(METADATA).send().expect(200).json();
    assert_eq!(metadata["resource"], at_https);
}
