//! A token issuer on loopback whose answers a test can change.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::loopback::{self, Response};
use crate::signer::Signer;

/// What the tokens are for.
pub const AUDIENCE: &str = "https://api.example.com";

type Answer = Arc<dyn Fn() -> Response + Send + Sync>;

/// The issuer, which answers until the process ends.
pub struct Issuer {
    /// Its `iss`, and where it answers.
    pub url: String,
    published: Arc<Mutex<Answer>>,
    /// How often the key set was asked for.
    key_set_requests: Arc<AtomicUsize>,
    /// How often anything was.
    requests: Arc<AtomicUsize>,
}

impl Issuer {
    /// An issuer with OpenID Connect discovery that publishes these keys.
    pub fn start(keys: &[&Signer]) -> Self {
        Self::start_at("", keys)
    }

    /// One whose `iss` has a path.
    pub fn start_at(path: &str, keys: &[&Signer]) -> Self {
        let published: Arc<Mutex<Answer>> = Arc::new(Mutex::new(Arc::new(key_set(keys))));
        let key_set_requests = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(AtomicUsize::new(0));
        let own_address = Arc::new(Mutex::new(String::new()));
        let (answers, counted) = (Arc::clone(&published), Arc::clone(&key_set_requests));
        let (all, base) = (Arc::clone(&requests), Arc::clone(&own_address));
        let (iss_path, above) = (path.to_owned(), path.trim_end_matches('/'));
        let discovery = format!("{above}/.well-known/openid-configuration");
        let address = loopback::serve(move |request| {
            all.fetch_add(1, Ordering::SeqCst);
            let base = base.lock().unwrap().clone();
            match request.path.as_str() {
                path if path == discovery => {
                    let (issuer, keys) = (format!("{base}{iss_path}"), format!("{base}/jwks.json"));
                    let document = json!({"issuer": issuer, "jwks_uri": keys});
                    Response::new(200, document.to_string())
                }
                "/jwks.json" => {
                    counted.fetch_add(1, Ordering::SeqCst);
                    let answer = Arc::clone(&answers.lock().unwrap());
                    answer()
                }
                _ => Response::new(404, "{}"),
            }
        });
        let origin = format!("http://{address}");
        own_address.lock().unwrap().clone_from(&origin);
        Self {
            url: format!("{origin}{path}"),
            published,
            key_set_requests,
            requests,
        }
    }

    /// The keys that it publishes from now on.
    pub fn publish(&self, keys: &[&Signer]) {
        self.answer_with(key_set(keys));
    }

    /// What the key set's address answers from now on.
    pub fn answer_with(&self, answer: impl Fn() -> Response + Send + Sync + 'static) {
        *self.published.lock().unwrap() = Arc::new(answer);
    }

    /// How often the key set was asked for.
    pub fn key_set_requests(&self) -> usize {
        self.key_set_requests.load(Ordering::SeqCst)
    }

    /// How often anything was asked for.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Claims of a good access token.
    pub fn claims(&self) -> Value {
        let now = epoch_seconds();
        json!({
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "alice",
            "iat": now,
            "exp": now + 600,
            "jti": "1",
            "scope": "books:read books:write",
        })
    }
}

/// The answer that publishes these keys.
pub fn key_set(keys: &[&Signer]) -> impl Fn() -> Response + Send + Sync + use<> {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    let document = json!({ "keys": keys }).to_string();
    move || Response::new(200, document.clone())
}

/// The time in epoch seconds.
pub fn epoch_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}
