//! The report of `keygate explain`, word by word, from the library.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what breaks here is a test that fails"
)]

mod house;

use authorizer::{Authorizer, Prepared};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use house::{key_header, record, wire};
use keygate_api_key::ApiKey;
use keygate_key_record::{KeyRecord, Metadata, PreviousSecret, Status};
use keygate_outbound::Outbound;
use keygate_settings::Settings;
use keygate_tests::function::ROUTES;
use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::signer::Signer;
use keygate_tests::table::Table;
use regex_lite::Regex;
use serde_json::{Value, json};

/// 2033-05-18.
const LATER: u64 = 2_000_000_000;
/// 2020-09-13.
const EARLIER: u64 = 1_600_000_000;

struct Rig {
    signer: Signer,
    issuer: Issuer,
    table: Table,
    authorizer: Authorizer,
}

async fn rig(more: &[(&'static str, &str)]) -> Rig {
    let signer = Signer::p256("the-key");
    let issuer = Issuer::start(&[&signer]);
    let table = Table::start();
    let mut settings = vec![
        ("OAUTH_ISSUER", issuer.url.as_str()),
        ("OAUTH_AUDIENCE", AUDIENCE),
        ("KEY_TABLE", Table::NAME),
        ("KEY_CACHE_TTL_SECONDS", "0"),
        ("ROUTES", ROUTES),
    ];
    settings.extend_from_slice(more);
    let settings: Settings = settings.into_iter().collect();
    let outbound = Outbound::new(&settings).unwrap();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(&table.url)
        .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
        .http_client(keygate_aws::http_client(&outbound));
    let client = Client::from_conf(config.build());
    let authorizer = Prepared::read(settings).unwrap().start_with(client).await;
    Rig {
        signer,
        issuer,
        table,
        authorizer: authorizer.unwrap(),
    }
}

impl Rig {
    /// Claims whose times are always the same.
    fn claims(&self) -> Value {
        let mut claims = self.issuer.claims();
        claims["exp"] = json!(LATER);
        claims["iat"] = json!(EARLIER);
        claims["jti"] = json!("7");
        claims
    }

    async fn report(&self, pasted: &str) -> Vec<String> {
        let report = self.authorizer.explain(pasted, None).await.to_string();
        report.lines().map(str::to_owned).collect()
    }

    async fn report_of_token(&self, claims: &Value) -> Vec<String> {
        let header = json!({"alg": "ES256", "kid": "the-key", "typ": "at+jwt"});
        self.report(&self.signer.token_with(&header, claims)).await
    }

    async fn report_of_key(&self, key: &ApiKey, record: &KeyRecord) -> Vec<String> {
        self.table.put(&wire(&record.to_item()));
        self.report(&key_header(key)).await
    }
}

/// A report without what is another in each run: how far away a time is, how long a token, and where
/// the issuer.
fn settled(rig: &Rig, report: &[String]) -> String {
    let distance = Regex::new(r"Z, (in )?[0-9]+ days( ago)?").unwrap();
    let length = Regex::new(r"[0-9]+ bytes").unwrap();
    let text = report.join("\n").replace(&rig.issuer.url, "ISSUER");
    let text = distance.replace_all(&text, "Z");
    format!("\n{}", length.replace_all(&text, "N bytes"))
}

#[tokio::test]
async fn a_good_token() {
    let rig = rig(&[
        ("OAUTH_SCOPE_CLAIMS", "scope,roles"),
        ("OAUTH_CONTEXT_CLAIMS", "tenant"),
        ("OAUTH_RULE", "claims.tenant == 'acme'"),
        ("OAUTH_REVOCATION", "client,jti"),
        ("DEFAULT_USAGE_KEY", "usage-default"),
    ])
    .await;
    let mut claims = rig.claims();
    claims["client_id"] = json!("app");
    claims["tenant"] = json!("acme");
    claims["roles"] = json!(["reader", "Site Admin"]);
    let report = rig.report_of_token(&claims).await;
    assert_eq!(
        settled(&rig, &report),
        r#"
ok      credential        a token
ok      form              N bytes in three parts
ok      iss               ISSUER
ok      alg               ES256  (expected: RS256, PS256, ES256, EdDSA, Ed25519)
ok      typ               at+jwt  (expected: jwt, at+jwt, or none)
ok      signature         kid the-key
ok      exp               2033-05-18T03:33:20Z  (expected: after now, give or take 30 s)
ok      nbf               missing  (expected: before now, give or take 30 s)
ok      iat               2020-09-13T12:26:40Z  (expected: before now, give or take 30 s)
ok      aud               https://api.example.com
ok      cnf               missing
ok      rule              claims.tenant == 'acme'  (expected: true)
ok      principal         alice
ok      client            app
ok      scopes            books:read books:write (from scope)
ok      scopes            reader (from roles); no scope can be: Site Admin
ok      revocation        client app, jti 7
ok      claims            {"claim_tenant":"acme"}
ok      usage key         usage-default

accepted, 5 routes are open
  open    GET /books               books:read
  open    POST /books              books:write
  open    GET /books/{id}          books:read
  open    PUT /books/{id}          books:write
  open    DELETE /books/{id}       books:write"#
    );
}

#[tokio::test]
async fn a_token_with_which_everything_is_wrong() {
    let rig = rig(&[("OAUTH_RULE", "claims.tenant == 'acme'")]).await;
    let stranger = Signer::rsa("stranger");
    let mut claims = rig.claims();
    claims["exp"] = json!(EARLIER);
    claims["iat"] = json!(LATER);
    claims["nbf"] = json!(LATER);
    claims["aud"] = json!(["x", "y"]);
    claims["cnf"] = json!({"jkt": "thumbprint"});
    claims["scope"] = json!(7);
    let header = json!({"alg": "RS256", "kid": "stranger", "typ": "secevent+jwt"});
    let report = rig.report(&stranger.token_with(&header, &claims)).await;
    assert_eq!(
        settled(&rig, &report),
        r#"
ok      credential        a token
ok      form              N bytes in three parts
ok      iss               ISSUER
ok      alg               RS256  (expected: RS256, PS256, ES256, EdDSA, Ed25519)
FAILED  typ               secevent+jwt
                          token-type: the header's typ says that it is no access token
                          expected: jwt, at+jwt, or none
FAILED  signature         kid stranger
                          key-unknown: the issuer's key set has no such key
                          expected: one of the issuer's keys: the-key
FAILED  exp               2020-09-13T12:26:40Z
                          token-expired: the token has expired
                          expected: after now, give or take 30 s
FAILED  nbf               2033-05-18T03:33:20Z
                          token-not-yet-valid: the token is not valid yet
                          expected: before now, give or take 30 s
FAILED  iat               2033-05-18T03:33:20Z
                          token-issued-in-future: the token was issued in the future
                          expected: before now, give or take 30 s
FAILED  aud               ["x","y"]
                          audience-mismatch: the token is meant for another audience
                          expected: https://api.example.com
FAILED  cnf               {"jkt":"thumbprint"}
                          token-bound: the token is bound to a key (cnf): it is no bearer token
                          expected: missing
FAILED  rule              claims.tenant == 'acme'
                          rule-error: the rule cannot be evaluated for this token: there is no tenant
                          expected: true
-       principal         the token is not to be believed
-       client            the token is not to be believed
-       scopes            the token is not to be believed
-       revocation        the token is not to be believed

refused: token-type"#
    );
}

#[tokio::test]
async fn a_check_that_stands_on_one_that_failed_is_not_made() {
    let rig = rig(&[]).await;
    let header = json!({"alg": "HS256", "kid": "the-key"});
    let report = rig
        .report(&rig.signer.token_with(&header, &rig.claims()))
        .await;
    let report = settled(&rig, &report);
    let lines = "\n-       signature         no algorithm to verify it by\nok ";
    assert!(report.contains(lines), "{report}");
    assert!(report.contains("\nrefused: algorithm-refused"), "{report}");
}

#[tokio::test]
async fn what_a_deployment_has_settled_otherwise() {
    let rig = rig(&[
        ("OAUTH_ALLOW_BOUND_TOKENS", "true"),
        ("OAUTH_AUDIENCE_CLAIM", "azp"),
    ])
    .await;
    let mut claims = rig.claims();
    claims["cnf"] = json!({"jkt": "thumbprint"});
    claims["azp"] = json!(AUDIENCE);
    for (aud, shown) in [
        (json!(AUDIENCE), ", and aud https://api.example.com"),
        (json!(null), ""),
    ] {
        match aud {
            Value::Null => drop(claims.as_object_mut().unwrap().remove("aud")),
            aud => claims["aud"] = aud,
        }
        let report = settled(&rig, &rig.report_of_token(&claims).await);
        let aud = format!("\nok      aud               azp https://api.example.com{shown}  (");
        assert!(report.contains(&aud), "{report}");
        let bound = "\nok      cnf               {\"jkt\":\"thumbprint\"}  (expected: anything: \
                     OAUTH_ALLOW_BOUND_TOKENS is true, and no proof is checked)\n";
        assert!(report.contains(bound), "{report}");
        // No claims are passed on where none are named.
        assert!(
            !report.contains("claim_") && !report.contains("\nok      claims"),
            "{report}"
        );
    }
}

#[tokio::test]
async fn an_api_key() {
    let rig = rig(&[]).await;
    let key = ApiKey::generate().unwrap();
    let former = ApiKey::generate_for(key.id().clone()).unwrap();
    let mut record = record(&key);
    record.expires_at = Some(LATER);
    let report = rig.report_of_key(&key, &record).await;
    assert_eq!(
        settled(&rig, &report).replace(key.id().as_str(), "ID"),
        r"
ok      credential        an API key with the id ID
ok      checksum          right
ok      record            nightly import, of team-a
ok      secret            the current one
ok      status            active, expires 2033-05-18T03:33:20Z  (expected: active, and not expired)
ok      network           not known (--source ADDRESS)
ok      principal         team-a
ok      scopes            books:read
ok      usage key         usage-team-a

accepted, 2 routes are open
  open    GET /books               books:read
  closed  POST /books              books:write
  open    GET /books/{id}          books:read
  closed  PUT /books/{id}          books:write
  closed  DELETE /books/{id}       books:write"
    );

    record.metadata = Metadata::new([("tenant".into(), "acme".into())].into()).unwrap();
    let report = rig.report_of_key(&key, &record).await;
    let report = settled(&rig, &report);
    let line = "\nok      metadata          {\"tenant\":\"acme\"}\n";
    assert!(report.contains(line), "{report}");

    record.previous = Some(PreviousSecret {
        hash: former.secret_hash(),
        until: LATER,
    });
    record.status = Status::Revoked;
    record.expires_at = Some(EARLIER);
    record.allowed_cidrs = vec!["192.0.2.0/24".to_owned()];
    let report = rig.report_of_key(&former, &record).await;
    assert_eq!(
        settled(&rig, &report).replace(key.id().as_str(), "ID"),
        r"
ok      credential        an API key with the id ID
ok      checksum          right
ok      record            nightly import, of team-a
ok      secret            the former one, which ends 2033-05-18T03:33:20Z: the key was rotated  (expected: the current one, or the former one until 2033-05-18T03:33:20Z)
FAILED  status            revoked, expired 2020-09-13T12:26:40Z
                          api-key-revoked: the key is revoked
                          expected: active, and not expired
FAILED  network           not known (--source ADDRESS)
                          api-key-source-address: the key is bound to networks, and the request does not say where it comes from
                          expected: 192.0.2.0/24

refused: api-key-revoked"
    );
}
