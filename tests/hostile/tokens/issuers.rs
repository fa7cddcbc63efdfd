//! Tokens as issuers write them: what they open and whose they are is where each issuer puts it, and
//! nothing is where none was told to look.

use keygate_tests::authorizer::Authorizer;
use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::signer::Signer;
use serde_json::{Value, json};

use super::house::HOUSE;
use crate::cases::{Case, binary, explain, refuse_all};

/// An issuer's way of writing tokens.
struct Shape {
    issuer: &'static str,
    /// Its settings, as members of its element in `OAUTH_ISSUERS`.
    settings: Value,
    /// What its tokens have in place of `scope`.
    claims: Value,
    scopes: &'static str,
    client: Option<&'static str>,
}

fn shapes() -> Vec<Shape> {
    vec![
        Shape {
            issuer: "RFC 9068",
            settings: json!({}),
            claims: json!({"scope": "books:read books:write", "client_id": "app"}),
            scopes: "books:read books:write",
            client: Some("app"),
        },
        Shape {
            issuer: "Duende IdentityServer, Spring Authorization Server",
            settings: json!({}),
            claims: json!({"scope": ["books:read", "books:write"], "client_id": "app"}),
            scopes: "books:read books:write",
            client: Some("app"),
        },
        Shape {
            issuer: "Okta",
            settings: json!({}),
            claims: json!({"scp": ["books:read"], "cid": "0oa1"}),
            scopes: "books:read",
            client: Some("0oa1"),
        },
        Shape {
            issuer: "Entra ID v1 with scopes",
            settings: json!({}),
            claims: json!({"scp": "books:read", "appid": "11-22", "appidacr": "1"}),
            scopes: "books:read",
            client: Some("11-22"),
        },
        Shape {
            issuer: "Entra ID with app roles",
            settings: json!({"scope_claims": ["scp", "roles"]}),
            claims: json!({"roles": ["books:read"], "azp": "11-22"}),
            scopes: "books:read",
            client: Some("11-22"),
        },
        Shape {
            issuer: "Auth0 with permissions",
            settings: json!({"scope_claims": ["permissions"]}),
            // What was asked for is in `scope`, what was granted in `permissions`.
            claims: json!({"scope": "books:write", "permissions": ["books:read"], "azp": "a"}),
            scopes: "books:read",
            client: Some("a"),
        },
        Shape {
            issuer: "Keycloak, roles of the realm",
            settings: json!({"scope_claims": ["realm_access.roles"]}),
            claims: json!({
                "scope": "email profile", "azp": "shop",
                "realm_access": {"roles": ["default-roles-shop", "books:read"]},
            }),
            scopes: "books:read default-roles-shop",
            client: Some("shop"),
        },
        Shape {
            issuer: "Keycloak, roles of one client",
            settings: json!({"scope_claims": ["resource_access.books.api.roles"]}),
            claims: json!({"resource_access": {
                "account": {"roles": ["keys:admin"]},
                "books.api": {"roles": ["books:read"]},
                "books": {"api": {"roles": ["keys:admin"]}},
            }}),
            scopes: "books:read",
            client: None,
        },
        Shape {
            issuer: "Cognito with groups",
            settings: json!({"scope_claims": ["cognito:groups"], "client_claims": ["client_id"]}),
            claims: json!({"cognito:groups": ["books:read", "Site Admins"], "client_id": "5a"}),
            scopes: "books:read",
            client: Some("5a"),
        },
        Shape {
            issuer: "Zitadel",
            settings: json!({
                "scope_claims": ["urn:zitadel:iam:org:project:roles"],
                "client_claims": ["urn:zitadel.client.id"],
            }),
            claims: json!({
                "urn:zitadel:iam:org:project:roles": {"books:read": {"28": "a.example"}},
                "urn:zitadel.client.id": "z",
            }),
            scopes: "books:read",
            client: Some("z"),
        },
        Shape {
            issuer: "a namespace with dots",
            settings: json!({
                "scope_claims": ["https://example.com/roles"],
                "client_claims": ["https://example.com/app.id"],
            }),
            claims: json!({
                "https://example.com/roles": ["books:read"],
                "https://example": {"com/roles": ["keys:admin"]},
                "https://example.com/app": {"id": "n"},
            }),
            scopes: "books:read",
            client: Some("n"),
        },
    ]
}

#[test]
fn what_a_token_opens_and_its_client_are_read_where_each_issuer_puts_them() {
    let signer = Signer::p256("1");
    let shapes: Vec<(Shape, Issuer)> = shapes()
        .into_iter()
        .map(|shape| (shape, Issuer::start(&[&signer])))
        .collect();
    let elements = shapes.iter().enumerate().map(|(number, (shape, issuer))| {
        let mut element = shape.settings.clone();
        element["issuer"] = json!(issuer.url);
        element["audience"] = json!([AUDIENCE]);
        element["principal_prefix"] = json!(format!("{number}|"));
        element
    });
    let issuers = Value::Array(elements.collect()).to_string();
    let settings = [("OAUTH_ISSUERS", issuers.as_str())];
    let authorizer = Authorizer::start(binary(), &settings);
    for (shape, issuer) in &shapes {
        let token = signer.token(&claims(issuer, &shape.claims));
        let answer = authorizer.authorize(&format!("Bearer {token}")).response();
        let context = &answer["context"];
        assert_eq!(context["scopes"], shape.scopes, "{}", shape.issuer);
        assert_eq!(
            context["client_id"].as_str(),
            shape.client,
            "{}",
            shape.issuer
        );
        let effect = &answer["policyDocument"]["Statement"][0]["Effect"];
        assert_eq!(effect, "Allow", "{}", shape.issuer);
        let (report, accepted) = explain(&settings, &token);
        assert!(accepted, "{}: {report}", shape.issuer);
        let client = shape.client.unwrap_or("the token names none");
        for shown in ["ok      scopes ", client, "books:read"] {
            assert!(report.contains(shown), "{}: {report}", shape.issuer);
        }
    }
    // Where one issuer was told to be read, no other is: the first has the default claims.
    let (_, first) = &shapes[0];
    for (shape, _) in shapes
        .iter()
        .filter(|(shape, _)| shape.settings["scope_claims"].is_array())
    {
        let mut elsewhere = claims(first, &shape.claims);
        elsewhere.as_object_mut().unwrap().remove("scope");
        let token = signer.token(&elsewhere);
        let answer = authorizer.authorize(&format!("Bearer {token}")).response();
        assert_eq!(answer["context"]["scopes"], "", "{}", shape.issuer);
        let effect = &answer["policyDocument"]["Statement"][0]["Effect"];
        assert_eq!(effect, "Deny", "{}", shape.issuer);
    }
}

/// An issuer's good claims with these in place of `scope`.
fn claims(issuer: &Issuer, own: &Value) -> Value {
    let mut claims = issuer.claims();
    let members = claims.as_object_mut().unwrap();
    members.remove("scope");
    members.extend(own.as_object().unwrap().clone());
    claims
}

#[test]
fn a_role_whose_name_reads_like_scopes_opens_nothing() {
    let mut settings = HOUSE.settings();
    settings.push(("OAUTH_SCOPE_CLAIMS", "roles"));
    let authorizer = Authorizer::start(binary(), &settings);
    for roles in [
        json!(["x books:read"]),
        json!(["books:read keys:admin"]),
        json!([
            "\"books:read\"",
            "books:read\u{0}",
            " books:read",
            "books:read\n"
        ]),
        json!(["ｂooks:read"]),
        json!({"books:read keys:admin": {}}),
        json!({"books:read": false, "books:write": null}),
        json!([]),
        json!({}),
        json!(""),
        json!("x\tbooks:read\nbooks:write"),
    ] {
        let mut claims = HOUSE.claims_with("roles", roles.clone());
        // No claim that was not named counts, nor one that is called like the path.
        claims["realm_access"] = json!({"roles": ["books:read"]});
        let token = HOUSE.rsa.token(&claims);
        let answer = authorizer.authorize(&format!("Bearer {token}")).response();
        assert_eq!(answer["context"]["scopes"], "", "{roles}");
        let effect = &answer["policyDocument"]["Statement"][0]["Effect"];
        assert_eq!(effect, "Deny", "{roles}");
    }
    let cases = [
        json!(1),
        json!(null),
        json!(["a", 1]),
        json!([["books:read"]]),
    ]
    .map(|roles| {
        let token = HOUSE.rsa.token(&HOUSE.claims_with("roles", roles.clone()));
        Case::bearer(format!("roles {roles}"), &token, "claim-malformed")
    });
    let good = HOUSE
        .rsa
        .token(&HOUSE.claims_with("roles", json!("books:read x")));
    refuse_all(&settings, &cases, &format!("Bearer {good}"));
}

#[test]
fn a_path_that_leads_through_what_is_no_object_is_not_guessed() {
    let mut settings = HOUSE.settings();
    settings.push(("OAUTH_SCOPE_CLAIMS", "a.b.roles"));
    let cases = [
        json!({"a": "x"}),
        json!({"a": {"b": ["roles"]}}),
        // The longest name is meant, although a shorter one would lead somewhere.
        json!({"a.b": 1, "a": {"b": {"roles": ["books:read"]}}}),
    ]
    .map(|own| {
        let token = HOUSE.rsa.token(&claims(&HOUSE.issuer, &own));
        Case::bearer(own.to_string(), &token, "claim-malformed")
    });
    let good = json!({"a.b": {"roles": ["books:read"]}, "a": 1});
    let good = HOUSE.rsa.token(&claims(&HOUSE.issuer, &good));
    refuse_all(&settings, &cases, &format!("Bearer {good}"));
}

#[test]
fn an_issuer_without_an_audience_is_believed_by_the_claim_that_must_match() {
    let page = "https://app.example.com";
    let settings = [
        ("OAUTH_ISSUER", HOUSE.issuer.url.as_str()),
        ("OAUTH_AUDIENCE", page),
        ("OAUTH_AUDIENCE_CLAIM", "azp"),
    ];
    let with = |azp: Option<Value>, aud: Option<Value>| {
        let mut claims = HOUSE.claims_without("aud");
        for (name, value) in [("azp", azp), ("aud", aud)] {
            if let Some(value) = value {
                claims[name] = value;
            }
        }
        HOUSE.rsa.token(&claims)
    };
    let some = |text: &str| Some(json!(text));
    let cases = [
        ("no claim at all", with(None, None), "claim-missing"),
        ("aud alone", with(None, some(page)), "claim-missing"),
        (
            "another page",
            with(some("https://evil.example"), None),
            "audience-mismatch",
        ),
        (
            "a page that begins so",
            with(some(&format!("{page}.evil.example")), None),
            "audience-mismatch",
        ),
        ("nothing", with(some(""), None), "audience-mismatch"),
        ("a number", with(Some(json!(1)), None), "claim-malformed"),
        ("null", with(Some(json!(null)), None), "claim-malformed"),
        (
            "an aud for others",
            with(some(page), some("https://other.example")),
            "audience-mismatch",
        ),
    ];
    let cases = cases.map(|(what, token, reason)| Case::bearer(what, &token, reason));
    let good = with(some(page), None);
    refuse_all(&settings, &cases, &format!("Bearer {good}"));
    let (report, accepted) = explain(&settings, &good);
    assert!(
        accepted && report.contains(&format!("azp {page}")),
        "{report}"
    );
    // Without the setting a token without an audience is nobody's.
    let unnamed = [Case::bearer("no aud", &good, "claim-missing")];
    refuse_all(&HOUSE.settings(), &unnamed, &HOUSE.good_header());
}

#[test]
fn a_bound_token_is_taken_for_a_bearer_token_only_where_the_deployment_says_that_it_knows() {
    let cnf = json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"});
    let bound = HOUSE.rsa.token(&HOUSE.claims_with("cnf", cnf));
    let mut settings = HOUSE.settings();
    let (report, accepted) = explain(&settings, &bound);
    assert!(
        !accepted && report.contains("refused: token-bound\n"),
        "{report}"
    );
    settings.push(("OAUTH_ALLOW_BOUND_TOKENS", "false"));
    let cases = [Case::bearer("cnf", &bound, "token-bound")];
    refuse_all(&settings, &cases, &HOUSE.good_header());
    *settings.last_mut().unwrap() = ("OAUTH_ALLOW_BOUND_TOKENS", "true");
    // Nothing else is forgiven.
    let mut late = HOUSE.claims_with("cnf", json!({}));
    late["exp"] = json!(1);
    let cases = [Case::bearer(
        "expired",
        &HOUSE.rsa.token(&late),
        "token-expired",
    )];
    refuse_all(&settings, &cases, &format!("Bearer {bound}"));
    let (report, accepted) = explain(&settings, &bound);
    assert!(
        accepted && report.contains("no proof is checked"),
        "{report}"
    );
}

#[test]
fn no_issuer_can_write_another_s_principals() {
    let (first, second) = (Signer::p256("1"), Signer::p256("1"));
    let (bare, partner) = (Issuer::start(&[&first]), Issuer::start(&[&second]));
    let issuers = json!([
        {"issuer": bare.url, "audience": [AUDIENCE]},
        {"issuer": partner.url, "audience": [AUDIENCE], "principal_prefix": "partner|"},
    ])
    .to_string();
    let settings = [("OAUTH_ISSUERS", issuers.as_str())];
    let token = |issuer: &Issuer, signer: &Signer, sub: &str| {
        let mut claims = issuer.claims();
        claims["sub"] = json!(sub);
        signer.token(&claims)
    };
    let cases = ["partner|alice", "partner|", "partner|partner|alice"].map(|sub| {
        let token = token(&bare, &first, sub);
        Case::bearer(sub, &token, "principal-reserved")
    });
    let good = format!("Bearer {}", token(&bare, &first, "alice"));
    refuse_all(&settings, &cases, &good);
    let (report, accepted) = explain(&settings, &token(&bare, &first, "partner|alice"));
    assert!(
        !accepted && report.contains("refused: principal-reserved"),
        "{report}"
    );

    let authorizer = Authorizer::start(binary(), &settings);
    let principal = |token: String| {
        let answer = authorizer.authorize(&format!("Bearer {token}")).response();
        answer["context"]["principal"].as_str().unwrap().to_owned()
    };
    for sub in ["alice", "Partner|alice", "partner", " partner|alice"] {
        assert_eq!(principal(token(&bare, &first, sub)), sub);
    }
    for sub in ["alice", "partner|alice"] {
        let name = format!("partner|{sub}");
        assert_eq!(principal(token(&partner, &second, sub)), name);
    }
}
