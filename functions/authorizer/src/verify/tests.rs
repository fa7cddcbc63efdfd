use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::refusal::{TokenRefusal, VerifyError};
use super::verifier::{VerifiedToken, Verifier};
use crate::issuer::Issuer;
use crate::key_set::set::{KeySet, NoKey};
use crate::key_set::source::KeySetSource;
use crate::trusted_url::TrustedUrl;
use crate::watch::Unwatched;
use keygate_tests::issuer::{AUDIENCE, epoch_seconds};
use keygate_tests::signer::{Signer, base64url};

const ISSUER: &str = "https://login.example.com/";

static RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("rsa"));
static P256: LazyLock<Signer> = LazyLock::new(|| Signer::p256("p256"));
static P384: LazyLock<Signer> = LazyLock::new(|| Signer::p384("p384"));
static P521: LazyLock<Signer> = LazyLock::new(|| Signer::p521("p521"));
static ED25519: LazyLock<Signer> = LazyLock::new(|| Signer::ed25519("ed25519"));

const EVERY_ALGORITHM: [&str; 10] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
];

fn issuer(name: &str) -> Issuer {
    Issuer {
        audience: vec![AUDIENCE.to_owned(), "second".to_owned()],
        algorithms: EVERY_ALGORITHM.map(|name| name.parse().unwrap()).to_vec(),
        leeway: Duration::from_secs(30),
        ..Issuer::of(name, AUDIENCE)
    }
}

/// A source that holds these keys, and whose issuer is nowhere to be asked for others.
fn source(mut issuer: Issuer, keys: &[&Signer]) -> KeySetSource {
    issuer.jwks_uri = Some(TrustedUrl::parse("http://127.0.0.1:9/jwks").unwrap());
    let outbound = keygate_outbound::Outbound::new(&keygate_settings::Settings::default()).unwrap();
    let source = KeySetSource::new(issuer, outbound, keygate_metrics::Metrics::default());
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    source.seed(KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap());
    source
}

fn verify_by(verifier: &Verifier, token: &str) -> Result<VerifiedToken, VerifyError> {
    verify_at(verifier, token, SystemTime::now())
}

fn verify_at(
    verifier: &Verifier,
    token: &str,
    now: SystemTime,
) -> Result<VerifiedToken, VerifyError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(verifier.verify(token, now, &mut Unwatched))
}

fn verify_with(issuer: Issuer, token: &str) -> Result<VerifiedToken, VerifyError> {
    let keys = [&*RSA, &*P256, &*P384, &*P521, &*ED25519];
    verify_by(&Verifier::new(vec![source(issuer, &keys)]), token)
}

fn verify(token: &str) -> Result<VerifiedToken, VerifyError> {
    verify_with(issuer(ISSUER), token)
}

fn refusal(token: &str) -> TokenRefusal {
    match verify(token) {
        Err(VerifyError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn claims() -> Value {
    let now = epoch_seconds();
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 600})
}

fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn claims_without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[test]
fn a_token_of_every_algorithm_is_verified() {
    for alg in EVERY_ALGORITHM {
        let signer = match alg {
            "ES256" => &P256,
            "ES384" => &P384,
            "ES512" => &P521,
            "EdDSA" => &ED25519,
            _ => &RSA,
        };
        let token = signer.token_with(&json!({"alg": alg, "kid": signer.kid}), &claims());
        let verified = verify(&token).unwrap_or_else(|error| panic!("{alg}: {error}"));
        assert_eq!(verified.issuer().iss, ISSUER);
    }
}

#[test]
fn an_algorithm_that_the_issuer_is_not_configured_for_is_refused() {
    let mut only_es256 = issuer(ISSUER);
    only_es256.algorithms = vec!["ES256".parse().unwrap()];
    let error = verify_with(only_es256, &RSA.token(&claims())).unwrap_err();
    assert_eq!(error, TokenRefusal::Algorithm.into());
    for alg in ["none", "NONE", "HS256", "ES256K", "ES521", "RSA-OAEP", ""] {
        let token = RSA.token_with(&json!({"alg": alg, "kid": "rsa"}), &claims());
        assert_eq!(refusal(&token), TokenRefusal::Algorithm, "{alg}");
    }
}

#[test]
fn a_key_is_not_used_for_an_algorithm_of_another_kind() {
    for (kid, alg) in [
        ("p256", "RS256"),
        ("rsa", "ES256"),
        ("p256", "ES384"),
        ("p521", "ES256"),
        ("p256", "ES512"),
        ("rsa", "ES512"),
        ("rsa", "EdDSA"),
    ] {
        let token = RSA.token_with(&json!({"alg": alg, "kid": kid}), &claims());
        assert_eq!(refusal(&token), NoKey::Unfit.into(), "{alg} by {kid}");
    }
}

#[test]
fn a_key_that_the_token_brings_along_is_not_honoured() {
    let stranger = Signer::rsa("rsa");
    let header = json!({
        "alg": "RS256", "kid": "rsa", "jwk": stranger.jwk(),
        "jku": "http://127.0.0.1:9/jwks", "x5u": "http://127.0.0.1:9/x5u", "x5c": ["AAAA"],
    });
    let token = stranger.token_with(&header, &claims());
    assert_eq!(refusal(&token), TokenRefusal::Signature);
}

#[test]
fn a_signature_of_another_length_is_refused() {
    let token = P256.token(&claims());
    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    let longer = format!("{signing_input}.{signature}AAAA");
    let shorter = format!("{signing_input}.{}", &signature[..signature.len() - 6]);
    let zero = format!("{signing_input}.{}", base64url([0; 64]));
    for token in [longer, shorter, zero] {
        assert!(
            matches!(
                refusal(&token),
                TokenRefusal::Signature | TokenRefusal::Malformed(_)
            ),
            "{token}"
        );
    }
}

#[test]
fn the_issuer_is_compared_exactly_and_only_its_own_keys_are_tried() {
    for iss in [
        ISSUER.trim_end_matches('/'),
        "https://LOGIN.example.com/",
        "x",
        "",
    ] {
        let token = RSA.token(&claims_with("iss", json!(iss)));
        assert_eq!(refusal(&token), TokenRefusal::Issuer, "{iss}");
    }
    assert_eq!(
        refusal(&RSA.token(&claims_with("iss", json!([ISSUER])))).code(),
        "claim-malformed"
    );
    assert_eq!(
        refusal(&RSA.token(&claims_without("iss"))).code(),
        "claim-missing"
    );

    let other = "https://other.example.com/";
    let both = Verifier::new(vec![
        source(issuer(ISSUER), &[&RSA]),
        source(issuer(other), &[&P256]),
    ]);
    assert!(verify_by(&both, &P256.token(&claims_with("iss", json!(other)))).is_ok());
    let crossed = verify_by(&both, &P256.token(&claims())).unwrap_err();
    assert!(
        !matches!(crossed, VerifyError::Refused(TokenRefusal::Issuer)),
        "{crossed}"
    );
}

#[test]
fn times_count_to_the_second_of_the_leeway() {
    const TIME: u64 = 2_000_000_000;
    let verifier = Verifier::new(vec![source(issuer(ISSUER), &[&RSA])]);
    let at = |now: u64, name: &str| {
        let mut claims = claims_with("exp", json!(TIME + 1000));
        claims["iat"] = json!(TIME - 1000);
        claims[name] = json!(TIME);
        let now = UNIX_EPOCH + Duration::from_secs(now);
        match verify_at(&verifier, &RSA.token(&claims), now) {
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        }
    };
    let said = |refusal: TokenRefusal| Some(VerifyError::from(refusal).to_string());
    assert_eq!(at(TIME + 29, "exp"), None);
    assert_eq!(at(TIME + 30, "exp"), said(TokenRefusal::Expired));
    assert_eq!(at(TIME - 30, "nbf"), None);
    assert_eq!(at(TIME - 31, "nbf"), said(TokenRefusal::NotYetValid));
    assert_eq!(at(TIME - 30, "iat"), None);
    assert_eq!(at(TIME - 31, "iat"), said(TokenRefusal::IssuedInFuture));
    assert_eq!(
        refusal(&RSA.token(&claims_without("exp"))).code(),
        "claim-missing"
    );
    for name in ["exp", "nbf", "iat"] {
        let token = RSA.token(&claims_with(name, json!("1")));
        assert_eq!(refusal(&token).code(), "claim-malformed", "{name}");
    }
}

#[test]
fn one_audience_must_be_accepted_and_is_compared_exactly() {
    for audience in [
        json!("second"),
        json!(["x", "second"]),
        json!([AUDIENCE, "second"]),
    ] {
        assert!(verify(&RSA.token(&claims_with("aud", audience))).is_ok());
    }
    for audience in [
        json!("x"),
        json!([]),
        json!("Second"),
        json!(format!("{AUDIENCE}/")),
        json!(""),
    ] {
        let token = RSA.token(&claims_with("aud", audience.clone()));
        assert_eq!(refusal(&token), TokenRefusal::Audience, "{audience}");
    }
    assert_eq!(
        refusal(&RSA.token(&claims_without("aud"))).code(),
        "claim-missing"
    );
}

#[test]
fn a_type_that_says_something_else_is_refused() {
    let typed = |typ: &str| {
        RSA.token_with(
            &json!({"alg": "RS256", "kid": "rsa", "typ": typ}),
            &claims(),
        )
    };
    for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(verify(&typed(typ)).is_ok(), "{typ}");
    }
    for typ in ["dpop+jwt", "logout+jwt", "secevent+jwt", "JOSE", ""] {
        assert_eq!(refusal(&typed(typ)), TokenRefusal::Type, "{typ}");
    }
    let mut strict = issuer(ISSUER);
    strict.required_typ = Some("at+jwt".into());
    assert!(verify_with(strict.clone(), &typed("application/at+jwt")).is_ok());
    for token in [
        typed("JWT"),
        RSA.token_with(&json!({"alg": "RS256", "kid": "rsa"}), &claims()),
    ] {
        assert!(verify_with(strict.clone(), &token).is_err());
    }
}

#[test]
fn cognito_says_what_a_token_is_for_in_claims_of_its_own() {
    let mut cognito = issuer(ISSUER);
    cognito.token_use = Some("access".into());
    let mut claims = claims_without("aud");
    claims["token_use"] = json!("access");
    claims["client_id"] = json!("second");
    assert!(verify_with(cognito.clone(), &RSA.token(&claims)).is_ok());
    claims["token_use"] = json!("id");
    let error = verify_with(cognito.clone(), &RSA.token(&claims)).unwrap_err();
    assert_eq!(error, TokenRefusal::TokenUse.into());
    claims["client_id"] = json!("x");
    let error = verify_with(cognito, &RSA.token(&claims)).unwrap_err();
    assert_eq!(error, TokenRefusal::Audience.into());
}

#[test]
fn another_claim_than_aud_can_say_whom_a_token_is_for() {
    let mut clerk = issuer(ISSUER);
    clerk.audience_claim = Some("azp".parse().unwrap());
    let outcome = |azp: Option<Value>, aud: Option<Value>| {
        let mut claims = claims_without("aud");
        for (name, value) in [("azp", azp), ("aud", aud)] {
            if let Some(value) = value {
                claims[name] = value;
            }
        }
        let verified = verify_with(clerk.clone(), &RSA.token(&claims));
        verified.map(|_| ()).map_err(|error| error.failure().code)
    };
    let some = |text: &str| Some(json!(text));
    assert_eq!(outcome(some("second"), None), Ok(()));
    assert_eq!(outcome(Some(json!(["x", "second"])), None), Ok(()));
    assert_eq!(outcome(some("second"), some(AUDIENCE)), Ok(()));
    for (azp, aud) in [
        (some("x"), None),
        (Some(json!([])), None),
        (some("x"), some("second")),
        // An audience that is there counts, whatever else is asked.
        (some("second"), some("x")),
        (some("second"), Some(json!([]))),
    ] {
        assert_eq!(outcome(azp, aud), Err("audience-mismatch"));
    }
    assert_eq!(outcome(None, None), Err("claim-missing"));
    assert_eq!(outcome(None, some("second")), Err("claim-missing"));
    assert_eq!(outcome(Some(json!(1)), None), Err("claim-malformed"));
    assert_eq!(
        outcome(some("second"), Some(json!(1))),
        Err("claim-malformed")
    );
    // What stands in for Cognito's audience does not stand in for this one.
    clerk.token_use = Some("access".into());
    let mut cognito = claims_without("aud");
    cognito["token_use"] = json!("access");
    cognito["client_id"] = json!("second");
    let error = verify_with(clerk, &RSA.token(&cognito)).unwrap_err();
    assert_eq!(error.failure().code, "claim-missing");
}

#[test]
fn a_bound_token_is_no_bearer_token_unless_the_deployment_knows() {
    let mut knowing = issuer(ISSUER);
    knowing.allows_bound_tokens = true;
    for cnf in [
        json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({}),
        json!(false),
    ] {
        let token = RSA.token(&claims_with("cnf", cnf.clone()));
        assert_eq!(refusal(&token), TokenRefusal::Bound, "{cnf}");
        assert!(verify_with(knowing.clone(), &token).is_ok(), "{cnf}");
    }
    assert!(verify(&RSA.token(&claims_with("cnf", json!(null)))).is_ok());
}

#[test]
fn an_unknown_key_is_nobody_s_fault_while_the_issuer_cannot_be_asked() {
    let token = RSA.token_with(&json!({"alg": "RS256", "kid": "new"}), &claims());
    assert!(matches!(verify(&token), Err(VerifyError::Unavailable(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_token_with_any_byte_changed_is_never_verified(at in any::<prop::sample::Index>(), byte: u8) {
        static TOKEN: LazyLock<String> = LazyLock::new(|| P256.token(&claims()));
        let mut bytes = TOKEN.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(verify(&text).is_err());
        }
    }

    #[test]
    fn any_text_in_the_shape_of_a_token_is_never_verified(
        header in "\\PC{0,40}", claims in "\\PC{0,40}", signature in any::<[u8; 64]>()
    ) {
        let parts = [header.as_bytes(), claims.as_bytes(), &signature].map(base64url);
        prop_assert!(verify(&parts.join(".")).is_err());
    }
}
