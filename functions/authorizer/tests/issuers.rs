//! The page of identity providers (`docs/issuers.md`): its settings, routes and tokens as they stand
//! there, but for the provider's address, the keys and the times.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what breaks here is a test that fails"
)]

use keygate_tests::authorizer::Authorizer;
use keygate_tests::issuer::{Issuer, epoch_seconds};
use keygate_tests::signer::Signer;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_authorizer");
const PAGE: &str = include_str!("../../../docs/issuers.md");

/// What a handler is told of the caller of each section's good token.
fn callers() -> Value {
    json!({
        "Amazon Cognito": {
            "principal": "aaaabbbb-cccc-4ddd-8eee-ffff00001111",
            "client_id": "1example23456789",
            "scopes": "https://api.example.com/books.read openid",
        },
        "Auth0": {
            "principal": "auth0|5f7c8ec7c33c6c004bbafe82",
            "client_id": "example1234567890",
            "scopes": "read:books",
        },
        "Okta": {
            "principal": "alice@example.com",
            "client_id": "0oaexample",
            "scopes": "books.read openid",
        },
        "Entra ID v2": {
            "principal": "00000000-1111-4222-8333-444444444444",
            "client_id": "99999999-8888-4777-8666-555555555555",
            "scopes": "Books.Read",
        },
        "Entra ID v1": {
            "principal": "00000000-1111-4222-8333-444444444444",
            "client_id": "99999999-8888-4777-8666-555555555555",
            "scopes": "Books.Read.All",
        },
        "Keycloak": {
            "principal": "0f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5",
            "client_id": "web",
            "scopes": "default-roles-shop email offline_access openid profile reader",
        },
        "Duende IdentityServer": {
            "principal": "88421113",
            "client_id": "web",
            "scopes": "books.read openid",
        },
        "Spring Authorization Server": {
            "principal": "alice",
            "client_id": "web",
            "scopes": "books.read openid",
        },
        "Zitadel": {
            "principal": "170848145649959169",
            "client_id": "237645378642378642@shop",
            "scopes": "reader",
        },
        "Clerk": {
            "principal": "user_2abcdEFGHijklMNOP",
            "client_id": "https://app.example.com",
            "scopes": "admin",
        },
        "Google": {
            "principal": "104029292853099978293",
            "client_id": "104029292853099978293",
            "scopes": "reports@example-project.iam.gserviceaccount.com",
        },
        "GitHub Actions": {
            "principal": "repo:octo-org/octo-repo:ref:refs/heads/main",
            "scopes": "octo-org/octo-repo",
        },
        "Kubernetes": {
            "principal": "system:serviceaccount:shop:reports",
            "scopes": "system:serviceaccount:shop:reports",
            "claim_kubernetes_io_namespace": "shop",
        },
        "Ory Hydra": {
            "principal": "0e1d2c3b-4a59-4687-a6b5-c4d3e2f10001",
            "client_id": "0e1d2c3b-4a59-4687-a6b5-c4d3e2f10001",
            "scopes": "books.read",
        },
    })
}

/// A block of a section: its language, the reason code behind it, and its text.
struct Block<'p> {
    language: &'p str,
    reason: Option<&'p str>,
    text: &'p str,
}

fn sections() -> Vec<(&'static str, &'static str)> {
    let sections = PAGE.split("\n## ").skip(1);
    sections
        .map(|section| section.split_once('\n').unwrap())
        .collect()
}

fn blocks(section: &str) -> Vec<Block<'_>> {
    let fenced = section.split("```").skip(1).step_by(2);
    let block = |text| {
        let (info, text) = str::split_once(text, '\n').unwrap();
        let (language, reason) = match info.split_once(' ') {
            Some((language, reason)) => (language, Some(reason)),
            None => (info, None),
        };
        Block {
            language,
            reason,
            text,
        }
    };
    fenced.map(block).collect()
}

/// The settings of a block, by name.
fn settings(text: &str) -> Vec<(&str, &str)> {
    text.lines()
        .map(|line| line.split_once('=').unwrap())
        .collect()
}

/// The issuer that settings trust.
fn issuer_of(settings: &[(&str, &str)]) -> String {
    let value = |wanted| settings.iter().find(|(name, _)| *name == wanted);
    match (value("OAUTH_ISSUER"), value("OAUTH_ISSUERS")) {
        (Some((_, issuer)), None) => (*issuer).to_owned(),
        (None, Some((_, list))) => {
            let list: Value = serde_json::from_str(list).unwrap();
            list[0]["issuer"].as_str().unwrap().to_owned()
        }
        _ => panic!("one of the two"),
    }
}

/// An issuer in the place of the provider, and how to write its address into the page's text.
struct Stand {
    issuer: Issuer,
    signer: Signer,
    hosts: Vec<String>,
    origin: String,
}

impl Stand {
    fn of(blocks: &[Block<'_>]) -> Self {
        let trusted = blocks.iter().filter(|block| block.language == "ini");
        let issuers: Vec<String> = trusted
            .map(|block| issuer_of(&settings(block.text)))
            .collect();
        let host = |issuer: &str| {
            let (scheme, rest) = issuer.split_once("://").unwrap();
            format!("{scheme}://{}", rest.split('/').next().unwrap())
        };
        let hosts: Vec<String> = issuers.iter().map(|issuer| host(issuer)).collect();
        let path = issuers[0].strip_prefix(&hosts[0]).unwrap();
        let signer = Signer::rsa("1");
        let issuer = Issuer::start_at(path, &[&signer]);
        let origin = issuer.url.strip_suffix(path).unwrap().to_owned();
        Self {
            issuer,
            signer,
            hosts,
            origin,
        }
    }

    fn moved(&self, text: &str) -> String {
        let hosts = self.hosts.iter();
        hosts.fold(text.to_owned(), |text, host| {
            text.replace(host, &self.origin)
        })
    }

    /// The block's token, signed now.
    fn token(&self, block: &str) -> String {
        let mut token: Value = serde_json::from_str(&self.moved(block)).unwrap();
        let now = epoch_seconds();
        let claims = token["claims"].as_object_mut().unwrap();
        for (name, time) in [
            ("iat", now),
            ("nbf", now),
            ("auth_time", now),
            ("exp", now + 60),
        ] {
            if let Some(claim) = claims.get_mut(name) {
                *claim = json!(time);
            }
        }
        let token = self.signer.token_with(&token["header"], &token["claims"]);
        format!("Bearer {token}")
    }

    fn authorizer(&self, block: &str, routes: &str) -> Authorizer {
        let keys = format!("{}/jwks.json", self.origin);
        let moved = self.moved(block);
        let mut settings = settings(&moved);
        settings.push(("ROUTES", routes));
        for (name, value) in &mut settings {
            if *name == "OAUTH_JWKS_URI" {
                *value = &keys;
            }
        }
        Authorizer::start(BINARY, &settings)
    }
}

/// Goes through a section of the page.
fn holds(provider: &str, section: &str) {
    let blocks = blocks(section);
    let stand = Stand::of(&blocks);
    let good = |language| {
        let of_language = |block: &&Block<'_>| block.language == language && block.reason.is_none();
        blocks.iter().find(of_language).unwrap().text
    };
    let (settings, routes, token) = (good("ini"), good("routes"), good("json"));

    let authorizer = stand.authorizer(settings, routes);
    let answer = authorizer.authorize(&stand.token(token)).response();
    for (name, value) in callers()[provider].as_object().unwrap() {
        assert_eq!(&answer["context"][name], value, "{provider}: {name}");
    }
    assert_eq!(answer["context"]["issuer"], json!(stand.issuer.url));
    assert_eq!(authorizer.reasons(), ["granted"], "{provider}");

    let mistakes: Vec<_> = blocks
        .iter()
        .filter_map(|block| Some((block, block.reason?)))
        .collect();
    assert!(!mistakes.is_empty(), "{provider}");
    for (block, reason) in mistakes {
        let (settings, token) = match block.language {
            "ini" => (block.text, token),
            _ => (settings, block.text),
        };
        let authorizer = stand.authorizer(settings, routes);
        let refused = authorizer.authorize(&stand.token(token)).error_message();
        assert_eq!(refused, "Unauthorized");
        assert_eq!(authorizer.reasons(), [reason], "{provider}");
    }
}

#[test]
fn every_provider_s_settings_take_its_token_and_the_usual_mistake_has_the_page_s_reason() {
    let sections = sections();
    assert_eq!(sections.len(), callers().as_object().unwrap().len());
    for (provider, section) in sections {
        holds(provider, section);
    }
}

#[test]
fn an_opaque_token_has_the_reason_that_the_page_names() {
    let signer = Signer::rsa("1");
    let issuer = Issuer::start(&[&signer]);
    let settings = [
        ("OAUTH_ISSUER", issuer.url.as_str()),
        ("OAUTH_AUDIENCE", "https://api.example.com"),
    ];
    let authorizer = Authorizer::start(BINARY, &settings);
    let opaque = [
        "ya29.example-example",
        "ory_at_example.example",
        "0123456789abcdef",
    ];
    for token in opaque {
        let refused = authorizer
            .authorize(&format!("Bearer {token}"))
            .error_message();
        assert_eq!(refused, "Unauthorized");
    }
    assert_eq!(authorizer.reasons(), ["token-malformed"; 3]);
    let words: Vec<&str> = PAGE.split_whitespace().collect();
    assert!(
        words
            .join(" ")
            .contains("it is refused as `token-malformed`")
    );
}
