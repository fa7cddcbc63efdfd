//! An OAuth issuer for development: discovery (OpenID Connect Discovery 1.0, RFC 8414), a key set
//! (RFC 7517), a token endpoint for the client credentials grant (RFC 6749 section 4.4), and what clients
//! of the code grant need besides.
//!
//! It believes whoever asks, so it only ever listens on loopback, and its key is new at each start unless
//! it is kept.

mod authorization;
mod cors;
mod registration;

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use keygate_connection::{Malformed, Room, serve_router};
use keygate_key_record::now;
use keygate_model::deployment::AUDIENCE;
use keygate_principal::scope::Scopes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;
use uuid::Uuid;

use authorization::{AuthorizationRequest, Codes, Exchange, Grant};

/// How long a token is good for when the request does not say, in seconds.
const DEFAULT_LIFETIME: i64 = 3600;

/// The system's cryptography did not do its part.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the development issuer could not {0}")]
pub struct SigningFailed(&'static str);

impl SigningFailed {
    /// Key generation was broken off.
    pub const INTERRUPTED: Self = Self("finish making its signing key");
}

/// The issuer's signing key.
pub struct SigningKey {
    id: String,
    pair: RsaKeyPair,
}

impl SigningKey {
    /// A new RSA key of 2048 bits. Takes a good part of a second of one core.
    pub fn generate() -> Result<Self, SigningFailed> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048);
        Ok(Self {
            id: Uuid::new_v4().to_string(),
            pair: pair.map_err(|_| SigningFailed("make its signing key"))?,
        })
    }

    /// The key that was [`SigningKey::written`]; `None` where it is none.
    #[must_use]
    pub fn read(text: &str, id: &str) -> Option<Self> {
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(text).ok()?).ok()?;
        Some(Self {
            id: id.to_owned(),
            pair,
        })
    }

    /// The key as it is kept: PKCS #8, in base64. Whoever has it signs as this issuer.
    pub fn written(&self) -> Result<String, SigningFailed> {
        let der: Result<Pkcs8V1Der<'_>, _> = self.pair.as_der();
        let der = der.map_err(|_| SigningFailed("write its signing key"))?;
        Ok(STANDARD.encode(der.as_ref()))
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        })
    }

    /// A JWS in compact form (RFC 7515 section 3.1), of the type that RFC 9068 gives access tokens.
    fn sign(&self, claims: &Value) -> Result<String, SigningFailed> {
        let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": self.id});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .map_err(|_| SigningFailed("sign a token"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

struct Issuer {
    url: String,
    key: SigningKey,
    /// What a token opens when the request does not say.
    scopes: watch::Receiver<Scopes>,
    codes: Codes,
}

/// The address that an issuer on this listener has as `iss`.
pub fn url(listener: &TcpListener) -> std::io::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

/// Serves an issuer until the task is dropped. `scopes` are what a token opens when the request does
/// not say.
pub async fn serve(
    listener: TcpListener,
    room: &Room,
    key: SigningKey,
    scopes: watch::Receiver<Scopes>,
) -> std::io::Result<()> {
    let issuer = Issuer {
        url: url(&listener)?,
        key,
        scopes,
        codes: Codes::default(),
    };
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/jwks.json", get(key_set))
        .route("/token", post(token))
        .route("/authorize", get(authorize))
        .route("/register", post(register))
        .layer(middleware::from_fn(cors::answer))
        .with_state(Arc::new(issuer));
    serve_router(listener, room, router, unreadable).await;
    Ok(())
}

fn unreadable(malformed: Malformed) -> Response {
    let mut response = refuse("invalid_request", malformed.reason());
    *response.status_mut() = malformed.status();
    response
}

async fn metadata(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    let url = &issuer.url;
    Json(json!({
        "issuer": url,
        "jwks_uri": format!("{url}/jwks.json"),
        "token_endpoint": format!("{url}/token"),
        "authorization_endpoint": format!("{url}/authorize"),
        "registration_endpoint": format!("{url}/register"),
        "grant_types_supported": ["client_credentials", "authorization_code"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic"],
    }))
}

async fn key_set(State(issuer): State<Arc<Issuer>>) -> Response {
    let keys = Json(json!({"keys": [issuer.key.jwk()]}));
    ([(header::CACHE_CONTROL, "max-age=300")], keys).into_response()
}

async fn authorize(
    State(issuer): State<Arc<Issuer>>,
    Query(request): Query<AuthorizationRequest>,
) -> Response {
    match issuer.codes.authorize(request) {
        Ok(back) => (StatusCode::FOUND, [(header::LOCATION, back.to_string())]).into_response(),
        Err(nowhere) => (StatusCode::BAD_REQUEST, nowhere.0).into_response(),
    }
}

async fn register(client: Result<Json<Value>, JsonRejection>) -> Response {
    let Json(client) = client.unwrap_or_default();
    match registration::register(client) {
        Ok(client) => (StatusCode::CREATED, Json(client)).into_response(),
        Err((error, description)) => refuse(error, description),
    }
}

/// A token request. What stands from `audience` on is this issuer's own, so that a suite can ask for
/// tokens that must be refused, and anybody for tokens as another issuer writes them.
#[derive(Deserialize)]
struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
    /// The protected resource that the token is for (RFC 8707).
    resource: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    audience: Option<String>,
    /// Seconds until `exp`; may be negative.
    lifetime: Option<i64>,
    /// Seconds until `nbf`; may be negative.
    not_before: Option<i64>,
    /// Claims as a JSON object, in place of this issuer's own of the same names; `null` leaves a claim
    /// out.
    claims: Option<String>,
}

impl TokenRequest {
    /// What was granted before this request: nothing, but to who shows a code.
    fn grant(&self, issuer: &Issuer, client: &str) -> Option<Grant> {
        if self.grant_type.as_deref() == Some("client_credentials") {
            return Some(Grant::default());
        }
        issuer.codes.redeem(&Exchange {
            code: self.code.as_deref()?,
            client,
            redirect_uri: self.redirect_uri.as_deref()?,
            verifier: self.code_verifier.as_deref()?,
        })
    }

    /// The token's `aud`. Of a token for a resource it names that too.
    fn audience(&self, granted: Option<&str>, resource: Option<&str>) -> Value {
        match (self.audience.as_deref().or(granted), resource) {
            (Some(audience), _) => json!(audience),
            (None, Some(resource)) => json!([AUDIENCE, resource]),
            (None, None) => json!(AUDIENCE),
        }
    }

    /// The claims that were asked for, with the code or now: the latter last.
    fn chosen_claims(&self, granted: Option<&str>) -> serde_json::Result<Map<String, Value>> {
        let mut chosen = Map::new();
        for claims in granted.into_iter().chain(self.claims.as_deref()) {
            chosen.extend(serde_json::from_str::<Map<String, Value>>(claims)?);
        }
        Ok(chosen)
    }
}

async fn token(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    form: Result<Form<TokenRequest>, FormRejection>,
) -> Response {
    let Ok(Form(request)) = form else {
        let how = "send each parameter once, as application/x-www-form-urlencoded";
        return refuse("invalid_request", how);
    };
    match request.grant_type.as_deref() {
        Some("client_credentials" | "authorization_code") => {}
        Some(_) => {
            let which = "use client_credentials or authorization_code";
            return refuse("unsupported_grant_type", which);
        }
        None => return refuse("invalid_request", "grant_type is missing"),
    }
    let client = request.client_id.clone().or_else(|| basic_user(&headers));
    let Some(client) = client.filter(|client| (1..=128).contains(&client.chars().count())) else {
        return refuse(
            "invalid_client",
            "client_id has 1 to 128 characters, of your choice",
        );
    };
    let Some(grant) = request.grant(&issuer, &client) else {
        let why = "the code is used, expired, or was given for another request";
        return refuse("invalid_grant", why);
    };
    let scope = request.scope.clone().or_else(|| grant.scope.clone());
    let scope = scope.unwrap_or_else(|| issuer.scopes.borrow().to_string());
    if scope.parse::<Scopes>().is_err() {
        return refuse("invalid_scope", "scope is a list separated by spaces");
    }
    let resource = request.resource.as_deref().or(grant.resource.as_deref());
    if resource.is_some_and(|resource| Url::parse(resource).is_err()) {
        return refuse("invalid_target", "resource is an absolute address");
    }
    let Ok(chosen) = request.chosen_claims(grant.claims.as_deref()) else {
        return refuse("invalid_request", "claims is a JSON object");
    };
    let audience = request.audience(grant.audience.as_deref(), resource);
    issuer.answer(&request, &client, &scope, &audience, chosen)
}

impl Issuer {
    /// The token, as RFC 6749 section 5.1 gives it.
    fn answer(
        &self,
        request: &TokenRequest,
        client: &str,
        scope: &str,
        audience: &Value,
        chosen: Map<String, Value>,
    ) -> Response {
        let lifetime = request.lifetime.unwrap_or(DEFAULT_LIFETIME);
        let issued_at = i64::try_from(now()).unwrap_or(i64::MAX);
        let mut claims = json!({
            "iss": self.url,
            "sub": client,
            "client_id": client,
            "aud": audience,
            "iat": issued_at.saturating_add(lifetime.min(0)),
            "exp": issued_at.saturating_add(lifetime),
            "jti": Uuid::new_v4().to_string(),
            "scope": scope,
        });
        if let Some(seconds) = request.not_before {
            claims["nbf"] = json!(issued_at.saturating_add(seconds));
        }
        choose(&mut claims, chosen);
        match self.key.sign(&claims) {
            Ok(token) => {
                let body = json!({
                    "access_token": token, "token_type": "Bearer", "expires_in": lifetime,
                    "scope": scope,
                });
                ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
            }
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}

/// Puts the chosen claims in place of those that are there.
fn choose(claims: &mut Value, chosen: Map<String, Value>) {
    let Value::Object(claims) = claims else {
        return;
    };
    for (name, value) in chosen {
        if value.is_null() {
            claims.remove(&name);
        } else {
            claims.insert(name, value);
        }
    }
}

/// The client's id in HTTP Basic authentication (RFC 6749 section 2.3.1).
fn basic_user(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    decoded.split_once(':').map(|(user, _)| user.to_owned())
}

/// An error of RFC 6749 section 5.2.
fn refuse(error: &str, description: &str) -> Response {
    let status = if error == "invalid_client" {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::BAD_REQUEST
    };
    let body = json!({"error": error, "error_description": description});
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
