//! The authorization endpoint of the code grant, with PKCE (RFC 6749 section 4.1, RFC 7636). Nobody is
//! asked to log in: whoever comes is sent back with a code at once.
//!
//! A page of any origin can send a browser here, so it only ever sends back to this machine (RFC 8252
//! section 7.3).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

/// How long a code can be exchanged.
const LIFETIME: Duration = Duration::from_mins(1);
/// How many codes are kept at most.
const MAX_CODES: usize = 1000;

/// The codes that are not exchanged yet.
#[derive(Default)]
pub(super) struct Codes(Mutex<HashMap<String, Pending>>);

struct Pending {
    expires: Instant,
    client: String,
    redirect_uri: String,
    challenge: String,
    grant: Grant,
}

/// What a client asked for when it asked for the code.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) scope: Option<String>,
    pub(super) resource: Option<String>,
    /// This issuer's own, as in a request for a token.
    pub(super) audience: Option<String>,
    pub(super) claims: Option<String>,
}

/// The query of a request for a code.
#[derive(Deserialize)]
pub(super) struct AuthorizationRequest {
    response_type: Option<String>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    scope: Option<String>,
    resource: Option<String>,
    audience: Option<String>,
    claims: Option<String>,
    state: Option<String>,
}

/// What a client shows for a code (RFC 7636 section 4.5).
pub(super) struct Exchange<'a> {
    pub(super) code: &'a str,
    pub(super) client: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) verifier: &'a str,
}

/// Where to go back to is not known, so that the person who came is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NowhereToGo(pub(super) &'static str);

impl Codes {
    /// Where the browser goes next: back to the client, with a code or an error.
    pub(super) fn authorize(&self, request: AuthorizationRequest) -> Result<Url, NowhereToGo> {
        let client = request.client_id.filter(|client| !client.is_empty());
        let client = client.ok_or(NowhereToGo("client_id is missing"))?;
        let redirect_uri = request
            .redirect_uri
            .ok_or(NowhereToGo("redirect_uri is missing"))?;
        let mut back = loopback(&redirect_uri).ok_or(NowhereToGo(
            "redirect_uri is http on a loopback address here, without a fragment",
        ))?;
        let challenge = match request.code_challenge_method.as_deref() {
            Some("S256") => request
                .code_challenge
                .filter(|challenge| is_of_pkce(challenge)),
            _ => None,
        };
        let (name, value) = match (request.response_type.as_deref(), challenge) {
            (Some("code"), Some(challenge)) => {
                let grant = Grant {
                    scope: request.scope,
                    resource: request.resource,
                    audience: request.audience,
                    claims: request.claims,
                };
                let pending = Pending {
                    expires: Instant::now() + LIFETIME,
                    client,
                    redirect_uri,
                    challenge,
                    grant,
                };
                ("code", self.keep(pending))
            }
            // PKCE is not for the client to leave out.
            (Some("code"), None) => ("error", "invalid_request".to_owned()),
            _ => ("error", "unsupported_response_type".to_owned()),
        };
        back.query_pairs_mut().append_pair(name, &value);
        if let Some(state) = &request.state {
            back.query_pairs_mut().append_pair("state", state);
        }
        Ok(back)
    }

    /// What was asked for with this code, if the same client shows that it is the one. A code is good
    /// for one try.
    pub(super) fn redeem(&self, exchange: &Exchange<'_>) -> Option<Grant> {
        let pending = self.lock().remove(exchange.code)?;
        let hash = digest(&SHA256, exchange.verifier.as_bytes());
        let is_shown = is_of_pkce(exchange.verifier)
            && Instant::now() < pending.expires
            && pending.client == exchange.client
            && pending.redirect_uri == exchange.redirect_uri
            && pending.challenge == URL_SAFE_NO_PAD.encode(hash);
        is_shown.then_some(pending.grant)
    }

    fn keep(&self, pending: Pending) -> String {
        let now = Instant::now();
        let mut codes = self.lock();
        codes.retain(|_, pending| now < pending.expires);
        if codes.len() >= MAX_CODES {
            let oldest = codes.iter().min_by_key(|(_, pending)| pending.expires);
            if let Some(oldest) = oldest.map(|(code, _)| code.clone()) {
                codes.remove(&oldest);
            }
        }
        let code = Uuid::new_v4().to_string();
        codes.insert(code.clone(), pending);
        code
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Pending>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a text has the form of a code verifier or of a code challenge (RFC 7636 sections 4.1 and 4.2).
fn is_of_pkce(text: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved)
}

/// A redirect address on this machine.
pub(super) fn loopback(redirect_uri: &str) -> Option<Url> {
    let url = Url::parse(redirect_uri).ok()?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    (url.scheme() == "http" && is_here && url.fragment().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const REDIRECT_URI: &str = "http://127.0.0.1:7000/callback?a=b";

    /// The challenge is that of RFC 7636, appendix B.
    fn request() -> AuthorizationRequest {
        AuthorizationRequest {
            response_type: Some("code".to_owned()),
            client_id: Some("me".to_owned()),
            redirect_uri: Some(REDIRECT_URI.to_owned()),
            code_challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned()),
            code_challenge_method: Some("S256".to_owned()),
            scope: Some("books:read".to_owned()),
            resource: None,
            audience: None,
            claims: None,
            state: Some("x&y".to_owned()),
        }
    }

    /// A parameter of the address that the browser is sent back to.
    fn parameter(back: &Url, name: &str) -> Option<String> {
        let mut pairs = back.query_pairs();
        let (_, value) = pairs.find(|(key, _)| key == name)?;
        Some(value.into_owned())
    }

    fn exchange(code: &str) -> Exchange<'_> {
        Exchange {
            code,
            client: "me",
            redirect_uri: REDIRECT_URI,
            verifier: VERIFIER,
        }
    }

    #[test]
    fn a_code_is_exchanged_once_by_whoever_asked_for_it() {
        let codes = Codes::default();
        let back = codes.authorize(request()).unwrap();
        assert!(back.as_str().starts_with(REDIRECT_URI));
        assert_eq!(parameter(&back, "state").as_deref(), Some("x&y"));
        let code = parameter(&back, "code").unwrap();
        let granted = Grant {
            scope: Some("books:read".to_owned()),
            ..Grant::default()
        };
        assert_eq!(codes.redeem(&exchange(&code)), Some(granted));
        assert_eq!(codes.redeem(&exchange(&code)), None);
    }

    #[test]
    fn a_code_is_of_no_use_to_anybody_else() {
        let codes = Codes::default();
        let wrong: [fn(&mut Exchange<'_>); 3] = [
            |exchange| exchange.client = "you",
            |exchange| exchange.redirect_uri = "http://127.0.0.1:7000/callback",
            |exchange| exchange.verifier = "",
        ];
        for change in wrong {
            let back = codes.authorize(request()).unwrap();
            let code = parameter(&back, "code").unwrap();
            let mut changed = exchange(&code);
            change(&mut changed);
            assert_eq!(codes.redeem(&changed), None);
        }
    }

    #[test]
    fn a_verifier_that_an_issuer_would_refuse_is_refused_though_its_hash_is_the_challenge() {
        let long = "a".repeat(129);
        for verifier in ["a", &VERIFIER[..42], &VERIFIER.replace('-', "+"), &long] {
            let codes = Codes::default();
            let mut request = request();
            let hash = digest(&SHA256, verifier.as_bytes());
            request.code_challenge = Some(URL_SAFE_NO_PAD.encode(hash));
            let back = codes.authorize(request).unwrap();
            let code = parameter(&back, "code").unwrap();
            let mut shown = exchange(&code);
            shown.verifier = verifier;
            assert_eq!(codes.redeem(&shown), None, "{verifier}");
        }
    }

    #[test]
    fn a_client_is_told_what_is_wrong_with_its_request() {
        let without_a_type = AuthorizationRequest {
            response_type: None,
            ..request()
        };
        let without_pkce = AuthorizationRequest {
            code_challenge: None,
            ..request()
        };
        let plain = AuthorizationRequest {
            code_challenge_method: Some("plain".to_owned()),
            ..request()
        };
        let short = AuthorizationRequest {
            code_challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c".to_owned()),
            ..request()
        };
        for (wrong, error) in [
            (short, "invalid_request"),
            (without_a_type, "unsupported_response_type"),
            (without_pkce, "invalid_request"),
            (plain, "invalid_request"),
        ] {
            let back = Codes::default().authorize(wrong).unwrap();
            assert_eq!(parameter(&back, "error").as_deref(), Some(error));
            assert_eq!(parameter(&back, "code"), None);
        }
    }

    #[test]
    fn nobody_is_sent_off_this_machine() {
        for address in [
            "https://evil.example/",
            "http://evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1@evil.example/",
            "http://localhost/#a",
            "javascript:alert(1)",
            "/callback",
        ] {
            let mut request = request();
            request.redirect_uri = Some(address.to_owned());
            assert!(Codes::default().authorize(request).is_err(), "{address}");
        }
        assert!(loopback("http://[::1]:7000/").is_some());
        assert!(loopback("http://localhost:7000/callback").is_some());
    }

    #[test]
    fn the_codes_that_are_kept_are_bounded_and_the_latest_are_good() {
        let codes = Codes::default();
        for _ in 0..2 * MAX_CODES {
            codes.authorize(request()).unwrap();
        }
        let back = codes.authorize(request()).unwrap();
        let code = parameter(&back, "code").unwrap();
        let kept = codes.lock();
        assert_eq!(kept.len(), MAX_CODES);
        assert!(kept.contains_key(&code));
    }
}
