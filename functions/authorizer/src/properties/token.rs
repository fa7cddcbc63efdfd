//! Of a text that may be a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::TELLING;
use crate::token::{MAX_LENGTH, UnverifiedToken};

/// A text that reads as a token is the one way to write it, says what it is read as, and is not shown
/// where the token is printed.
pub fn token(text: &str) {
    let Ok(token) = UnverifiedToken::parse(text) else {
        return;
    };
    assert!(text.len() <= MAX_LENGTH);
    let parts: Vec<&str> = text.split('.').collect();
    let [header, claims, signature] = parts.clone().try_into().unwrap();
    let decoded = parts.iter().map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(&bytes), **part);
        bytes
    });
    let decoded: Vec<Vec<u8>> = decoded.collect();
    assert_eq!(token.signing_input, format!("{header}.{claims}"));
    let json = |part: &[u8]| serde_json::from_slice::<Value>(part).unwrap();
    let members = &token.header.members;
    assert_eq!(Value::Object(members.clone()), json(&decoded[0]));
    assert_eq!(Value::Object(token.claims.clone()), json(&decoded[1]));

    let member = |name: &str| members.get(name).and_then(Value::as_str);
    assert_eq!(member("alg"), Some(token.header.alg.as_str()));
    assert_eq!(member("kid"), token.header.kid.as_deref());
    assert_eq!(member("typ"), token.header.typ.as_deref());
    assert!(!members.contains_key("crit"));

    let printed = format!("{token:?}");
    assert!(signature.len() < TELLING || !printed.contains(signature));
    for more in ["=", ".", " ", "\n", ".a"] {
        assert!(UnverifiedToken::parse(&format!("{text}{more}")).is_err());
        assert!(UnverifiedToken::parse(&format!("{more}{text}")).is_err());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_of_a_token_and_of_what_is_none() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let header = part(r#"{"alg":"RS256","kid":"1","typ":"JWT","x":[1.5,-0.0]}"#);
        let good = format!("{header}.{}.{}", part("{}"), part(&"s".repeat(64)));
        assert!(UnverifiedToken::parse(&good).is_ok());
        for text in [&good, "", "..", "a.b.c", &good.replace('.', "..")] {
            token(text);
        }
    }
}
