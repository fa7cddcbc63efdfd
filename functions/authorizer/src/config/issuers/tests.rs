use super::*;

fn paths(names: &str) -> Arc<[ClaimPath]> {
    claims::paths(SCOPE_CLAIMS, comma_separated(names)).unwrap()
}

fn defaults() -> Defaults {
    Defaults {
        algorithms: SigningAlgorithm::defaults(),
        leeway: LEEWAY,
        audience_claim: None,
        allows_bound_tokens: false,
        scope_claims: paths(DEFAULT_SCOPE_CLAIMS),
        client_claims: paths(DEFAULT_CLIENT_CLAIMS),
        rule: Some(rule(RULE, "claims.sub != 'root'").unwrap()),
    }
}

fn single_issuer(more: &[(&str, &str)]) -> Issuer {
    let required = [
        ("OAUTH_ISSUER", "https://a.example"),
        ("OAUTH_AUDIENCE", "x, y"),
    ];
    let settings: Settings = required.iter().chain(more).copied().collect();
    let mut issuers = read(&settings).unwrap();
    assert_eq!(issuers.len(), 1);
    issuers.remove(0)
}

#[test]
fn a_single_issuer_is_read_from_settings_of_its_own() {
    let issuer = single_issuer(&[]);
    assert_eq!(issuer.audience, ["x", "y"]);
    assert_eq!(issuer.audience_claim, None);
    assert!(!issuer.allows_bound_tokens);
    assert_eq!(issuer.scope_claims, paths("scope,scp"));
    assert_eq!(issuer.client_claims, paths("client_id,azp,cid,appid"));
    assert!(issuer.principal_prefix.is_empty() && issuer.reserved_prefixes.is_empty());
    let issuer = single_issuer(&[
        (AUDIENCE_CLAIM, " azp "),
        (SCOPE_CLAIMS, "permissions, realm_access.roles"),
        (CLIENT_CLAIMS, "app"),
        ("OAUTH_ALLOW_BOUND_TOKENS", "true"),
    ]);
    assert_eq!(issuer.audience_claim, "azp".parse().ok());
    assert!(issuer.allows_bound_tokens);
    assert_eq!(issuer.scope_claims, paths("permissions,realm_access.roles"));
    assert_eq!(issuer.client_claims, paths("app"));
    // Blank is not set, and `aud` is what is asked anyway.
    let issuer = single_issuer(&[(AUDIENCE_CLAIM, "aud"), (SCOPE_CLAIMS, " ")]);
    assert_eq!(issuer.audience_claim, None);
    assert_eq!(issuer.scope_claims, paths("scope,scp"));
}

#[test]
fn what_all_issuers_have_in_common_an_element_can_say_otherwise() {
    let json = r#"[
        {"issuer":"https://a.example","audience":["x"],"principal_prefix":"a|"},
        {"issuer":"https://b.example","audience":["x"],"audience_claim":"aud",
         "scope_claims":["scope"]}
    ]"#;
    let settings = [
        (ISSUERS, json),
        (AUDIENCE_CLAIM, "azp"),
        (SCOPE_CLAIMS, "roles"),
        ("OAUTH_ALLOW_BOUND_TOKENS", "true"),
    ];
    let issuers = read(&settings.into_iter().collect()).unwrap();
    assert_eq!(issuers[0].audience_claim, "azp".parse().ok());
    assert_eq!(issuers[1].audience_claim, None);
    assert_eq!(issuers[0].scope_claims, paths("roles"));
    assert_eq!(issuers[1].scope_claims, paths("scope"));
    assert!(issuers.iter().all(|issuer| issuer.allows_bound_tokens));
}

#[test]
fn an_element_says_everything_or_leaves_it_to_the_defaults() {
    let json = r#"[
        {"issuer":"https://a.example","audience":["x"]},
        {"issuer":"https://b.example/","audience":["x","y"],"algorithms":["ES384"],
         "leeway_seconds":0,"token_use":"access","required_typ":"at+jwt",
         "jwks_uri":"https://b.example/keys","rule":"has(claims.acr)","principal_prefix":"b|",
         "audience_claim":"azp","scope_claims":["realm_access.roles"],"client_claims":["app"]}
    ]"#;
    let issuers = several(json, &defaults()).unwrap();
    assert_eq!(issuers[0].leeway, Duration::from_secs(LEEWAY));
    assert_eq!(issuers[0].algorithms, SigningAlgorithm::defaults());
    assert_eq!(issuers[1].algorithms.len(), 1);
    assert_eq!(issuers[1].required_typ.as_deref(), Some("at+jwt"));
    let rules: Vec<Vec<&str>> = issuers
        .iter()
        .map(|issuer| issuer.rules.iter().map(|rule| rule.source()).collect())
        .collect();
    let common = "claims.sub != 'root'";
    assert_eq!(rules, [vec![common], vec![common, "has(claims.acr)"]]);
    assert_eq!(issuers[1].principal_prefix, "b|");
    assert_eq!(issuers[0].reserved_prefixes, ["b|"]);
    let claims = |issuer: &Issuer| {
        let (scopes, clients) = (&issuer.scope_claims, &issuer.client_claims);
        (Arc::clone(scopes), Arc::clone(clients))
    };
    assert_eq!(
        claims(&issuers[0]),
        (paths("scope,scp"), paths("client_id,azp,cid,appid"))
    );
    assert_eq!(
        claims(&issuers[1]),
        (paths("realm_access.roles"), paths("app"))
    );
    let audience_claims = issuers.iter().map(|issuer| issuer.audience_claim.as_ref());
    let audience_claims: Vec<_> = audience_claims
        .map(|claim| claim.map(ClaimPath::as_str))
        .collect();
    assert_eq!(audience_claims, [None, Some("azp")]);
}

#[test]
fn the_array_on_the_authorizer_s_page_is_read() {
    let page = include_str!("../../../../../docs/authorizer.md");
    let (_, json) = page.split_once("```json").unwrap();
    let (json, _) = json.split_once("```").unwrap();
    let issuers = several(json, &defaults()).unwrap();
    assert_eq!(issuers.len(), 2);
}

#[test]
fn a_malformed_array_is_named() {
    for json in [
        "[]",
        "{}",
        "x",
        r#"[{"issuer":"https://a.example"}]"#,
        r#"[{"issuer":"https://a.example","audience":[]}]"#,
        r#"[{"issuer":"https://a.example","audience":[""]}]"#,
        r#"[{"issuer":"http://a.example","audience":["x"]}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"algorithms":["HS256"]}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"algorithms":[]}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"jwks_uri":"http://b.example"}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"leeway_seconds":601}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"rule":"claims.sub =="}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"rule":""}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"principal_prefix":"\""}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"audience_claim":""}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"scope_claims":[]}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"scope_claims":"scope"}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"client_claims":["azp",""]}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"],"audiences":["y"]}]"#,
        r#"[{"issuer":"https://a.example","audience":["x"]},{"issuer":"https://a.example","audience":["y"]}]"#,
    ] {
        let error = several(json, &defaults()).unwrap_err();
        assert!(
            error.to_string().starts_with("OAUTH_ISSUERS is malformed"),
            "{json}: {error}"
        );
    }
}
