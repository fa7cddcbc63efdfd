//! An authorizer in this process, and the issuer that it trusts: its key is the same in every run, so
//! that a token in a corpus stays a good one.

use std::io::Write as _;
use std::sync::LazyLock;

use authorizer::{Answer, AnswerError, Authorizer, Prepared};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keygate_principal::scope::Scopes;
use keygate_routes::RouteTable;
use keygate_settings::Settings;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::policy::{MAX_BYTES, allows};

/// Nobody listens there: the keys are in a file, and a fetch fails at once.
pub const ISSUER: &str = "http://127.0.0.1:9";
pub const AUDIENCE: &str = "https://api.example.com";
pub const STAGE: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev";
/// The clock skew that is allowed when nothing is configured, in seconds.
pub const LEEWAY: f64 = 30.0;

const ROUTES: &str = "GET /books books:read\nPOST /books books:write\nGET /books/{id} books:read\n\
    PUT /books/{id} books:write\nGET /books/{id}/audit audit:read\nANY /files/{path+} files:all\n\
    GET /files/{path+} files:read\nGET /me *\nGET /help -";
/// A request on each route, and on none.
const REQUESTS: [&str; 10] = [
    "GET/books",
    "POST/books",
    "GET/books/7",
    "PUT/books/7",
    "GET/books/7/audit",
    "PUT/files/a/b",
    "GET/files/a/b",
    "GET/me",
    "GET/help",
    "DELETE/books/7",
];

static HOUSE: LazyLock<House> = LazyLock::new(House::start);

struct House {
    runtime: Runtime,
    authorizer: Authorizer,
    table: RouteTable,
    key: Ed25519KeyPair,
}

impl House {
    fn start() -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
        let x = URL_SAFE_NO_PAD.encode(key.public_key());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "house", "x": x});
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(json!({ "keys": [jwk] }).to_string().as_bytes())
            .expect("it is written");
        let path = file.path().to_str().expect("its name is a text");
        let settings: Settings = [
            ("OAUTH_ISSUER", ISSUER),
            ("OAUTH_AUDIENCE", AUDIENCE),
            ("OAUTH_JWKS_FILE", path),
            ("ROUTES", ROUTES),
        ]
        .into_iter()
        .collect();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let prepared = Prepared::read(settings).expect("good settings");
        let authorizer = runtime.block_on(prepared.start()).expect("it starts");
        let house = Self {
            runtime,
            authorizer,
            table: ROUTES.parse().expect("a route table"),
            key,
        };
        // A house that accepts nothing would find nothing.
        assert!(house.answer(&presenting(&house.token())).is_ok());
        house
    }

    fn token(&self) -> String {
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": 4_102_444_800_u64,
            "client_id": "app", "scope": "books:read files:all",
        });
        self.signed(HEADER, claims.to_string().as_bytes())
    }

    fn signed(&self, header: &str, claims: &[u8]) -> String {
        let [header, claims] = [header.as_bytes(), claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let signing_input = format!("{header}.{claims}");
        let signature = self.signature(&signing_input);
        format!("{signing_input}.{signature}")
    }

    fn signature(&self, signing_input: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(signing_input.as_bytes()))
    }

    fn answer(&self, event: &Value) -> Result<Value, AnswerError> {
        let answer = self.authorizer.authorize(event, "request");
        let answer: Answer = self.runtime.block_on(answer)?;
        Ok(serde_json::to_value(answer).expect("an answer is JSON"))
    }
}

/// The header of the house's tokens.
pub const HEADER: &str = r#"{"alg":"EdDSA","kid":"house","typ":"at+jwt"}"#;

/// A token that nothing is wrong with.
pub static TOKEN: LazyLock<String> = LazyLock::new(|| HOUSE.token());

/// A token of these two parts, which the issuer has signed, whatever they are.
pub fn signed(header: &str, claims: &[u8]) -> String {
    HOUSE.signed(header, claims)
}

/// The only signature of it: Ed25519 has one for each text.
pub fn signature(signing_input: &str) -> String {
    HOUSE.signature(signing_input)
}

/// What becomes of `GET /books` with this bearer token: its answer on the wire.
pub fn authorize(token: &str) -> Result<Value, AnswerError> {
    HOUSE.answer(&presenting(token))
}

/// What becomes of an event: its answer on the wire.
pub fn answer(event: &Value) -> Result<Value, AnswerError> {
    HOUSE.answer(event)
}

fn presenting(token: &str) -> Value {
    json!({
        "type": "TOKEN",
        "authorizationToken": format!("Bearer {token}"),
        "methodArn": format!("{STAGE}/GET/books"),
    })
}

/// An answer has the members that API Gateway takes, a context of texts, and a policy that opens to
/// these scopes what the route table does.
pub fn check(answer: &Value, stage: &str) {
    let context = answer["context"].as_object().expect("a context");
    let texts = context
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str().expect("a text")));
    for (_, text) in texts.clone() {
        assert!(
            !text.contains(|one: char| one.is_control() || one == '"'),
            "{context:?}"
        );
    }
    // What stands in the access log besides.
    let name = context["principal"].as_str().expect("a name");
    let logged = name.replace('%', "%25").replace('\\', "%5C");
    assert_eq!(answer["principalId"], logged);
    assert!(
        texts
            .filter(|(name, _)| *name != "principal")
            .all(|(_, text)| !text.contains('\\'))
    );
    assert_eq!(answer.get("usageIdentifierKey"), None);
    let scopes = context["scopes"].as_str().expect("scopes");
    let scopes: Scopes = scopes.parse().expect("scopes of RFC 6749");

    let policy = &answer["policyDocument"];
    assert!(policy.to_string().len() <= MAX_BYTES);
    for request in REQUESTS {
        let (method, path) = request.split_once('/').expect("a method and a path");
        let method = method.parse().expect("a method");
        let route = HOUSE.table.resolve(&method, &format!("/{path}"));
        let is_open = route.is_some_and(|route| route.access.opens_to(&scopes));
        let allowed = allows(policy, &format!("{stage}/{request}"));
        assert_eq!(allowed, is_open, "{request} with {scopes}: {policy}");
    }
}
