//! The one credential of a request: `Bearer <JWT>`, `Bearer <API key>` or `ApiKey <API key>` in
//! `Authorization`, the scheme in any case (RFC 9110 section 11.1, RFC 6750 section 2.1), or an API
//! key in `X-Api-Key`, where the event carries that header.

use std::fmt;

use keygate_api_key::{ApiKey, ApiKeyError, looks_like_api_key};

use crate::event::Presented;
use crate::token;

/// A credential of a known kind. Nothing is known yet about whether it is good.
pub(crate) enum Credential<'a> {
    /// What is to be read as a JWT: characters of RFC 6750's `b64token` only, within the limit.
    Token(&'a str),
    /// A key whose shape and checksum are right.
    ApiKey(ApiKey),
}

/// Why a request holds no credential. Nothing of its headers is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CredentialError {
    #[error("there is no credential")]
    Missing,
    /// Which of them counts would depend on who reads the request (RFC 6750 section 2).
    #[error("the request holds two different credentials")]
    Several,
    #[error("the scheme is neither Bearer nor ApiKey")]
    Scheme,
    #[error("the header does not hold exactly one credential")]
    Malformed,
    #[error(transparent)]
    Token(#[from] token::TokenError),
    #[error(transparent)]
    ApiKey(#[from] ApiKeyError),
}

impl CredentialError {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Missing => "credential-missing",
            Self::Several => "credential-several",
            Self::Scheme => "credential-scheme",
            Self::Malformed => "credential-malformed",
            Self::Token(error) => error.code(),
            Self::ApiKey(ApiKeyError::Shape) => "api-key-malformed",
            Self::ApiKey(ApiKeyError::Checksum) => "api-key-checksum",
        }
    }
}

impl<'a> Credential<'a> {
    /// Reads what a request presents. The same credential in two places is one credential.
    pub(crate) fn of(presented: &'a Presented) -> Result<Self, CredentialError> {
        let authorization = presented.authorization.iter();
        let authorization = authorization.map(|value| Self::in_authorization(value));
        let api_key = presented.api_key.iter();
        let api_key = api_key.map(|value| Self::in_api_key(value));
        let mut found: Option<Self> = None;
        for read in authorization.chain(api_key) {
            match (read, &found) {
                (Err(CredentialError::Missing), _) => {}
                (Err(error), _) => return Err(error),
                (Ok(other), Some(found)) if !found.is_same(&other) => {
                    return Err(CredentialError::Several);
                }
                (Ok(credential), _) => found = Some(credential),
            }
        }
        found.ok_or(CredentialError::Missing)
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Token(token), Self::Token(other)) => token == other,
            (Self::ApiKey(key), Self::ApiKey(other)) => key.expose() == other.expose(),
            _ => false,
        }
    }

    fn in_api_key(value: &str) -> Result<Self, CredentialError> {
        match value.trim_matches(' ') {
            "" => Err(CredentialError::Missing),
            key => Ok(Self::ApiKey(key.parse()?)),
        }
    }

    fn in_authorization(authorization: &'a str) -> Result<Self, CredentialError> {
        let authorization = authorization.trim_matches(' ');
        if authorization.is_empty() {
            return Err(CredentialError::Missing);
        }
        let (scheme, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        if !is("Bearer") && !is("ApiKey") {
            return Err(CredentialError::Scheme);
        }
        let credential = rest.trim_start_matches(' ');
        if credential.len() > token::MAX_LENGTH {
            return Err(token::TokenError::TooLong.into());
        }
        if credential.is_empty() || !credential.bytes().all(is_b64token) {
            return Err(CredentialError::Malformed);
        }
        // No JWT is lost: it has dots, and no key has one.
        if is("ApiKey") || looks_like_api_key(credential) {
            return Ok(Self::ApiKey(credential.parse()?));
        }
        Ok(Self::Token(credential))
    }
}

/// Without what makes it a credential.
impl fmt::Debug for Credential<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => formatter.write_str("Token(..)"),
            Self::ApiKey(key) => key.fmt(formatter),
        }
    }
}

fn is_b64token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(header: &str) -> CredentialError {
        Credential::in_authorization(header).unwrap_err()
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        for header in [
            "Bearer a.b.c",
            "bearer a.b.c",
            "BEARER   a.b.c",
            "bEaReR a.b.c ",
        ] {
            assert!(
                matches!(
                    Credential::in_authorization(header),
                    Ok(Credential::Token("a.b.c"))
                ),
                "{header}"
            );
        }
    }

    #[test]
    fn an_api_key_comes_under_either_scheme() {
        let key = ApiKey::generate().unwrap();
        for scheme in ["Bearer", "ApiKey", "apikey", "APIKEY"] {
            let header = format!("{scheme} {}", key.expose());
            match Credential::in_authorization(&header) {
                Ok(Credential::ApiKey(read)) => assert_eq!(read.id(), key.id()),
                other => panic!("{scheme}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_key_with_a_wrong_checksum_or_shape_goes_no_further() {
        let key = ApiKey::generate().unwrap();
        let shortened = &key.expose()[..key.expose().len() - 1];
        assert_eq!(
            error(&format!("ApiKey {shortened}")),
            ApiKeyError::Shape.into()
        );
        let mistyped = format!("{shortened}!");
        assert_eq!(
            error(&format!("ApiKey {mistyped}")),
            CredentialError::Malformed
        );
        assert_eq!(error("ApiKey a.b.c"), ApiKeyError::Shape.into());
        assert_eq!(error("Bearer kg_abc"), ApiKeyError::Shape.into());
        let dotted = Credential::in_authorization("Bearer kg_a.b.c");
        assert!(matches!(dotted, Ok(Credential::Token("kg_a.b.c"))));
    }

    #[test]
    fn anything_but_one_credential_is_refused() {
        for (header, expected) in [
            ("", CredentialError::Missing),
            ("   ", CredentialError::Missing),
            ("Basic YTpi", CredentialError::Scheme),
            ("Bearer", CredentialError::Malformed),
            ("Bearer ", CredentialError::Malformed),
            ("Bearera.b.c", CredentialError::Scheme),
            ("a.b.c", CredentialError::Scheme),
            ("Bearer a.b.c d", CredentialError::Malformed),
            ("Bearer a.b.c,Bearer d.e.f", CredentialError::Malformed),
            ("Bearer a.b.c\n", CredentialError::Malformed),
            ("Bearer\ta.b.c", CredentialError::Scheme),
            ("Bearer \u{e9}", CredentialError::Malformed),
        ] {
            assert_eq!(error(header), expected, "{header:?}");
        }
    }

    #[test]
    fn a_credential_that_is_longer_than_any_token_is_refused_before_it_is_read() {
        for length in [token::MAX_LENGTH + 1, 100_000] {
            let header = format!("Bearer {}", "a".repeat(length));
            assert_eq!(error(&header), token::TokenError::TooLong.into());
        }
        let longest = format!("Bearer {}", "a".repeat(token::MAX_LENGTH));
        assert!(Credential::in_authorization(&longest).is_ok());
    }

    #[test]
    fn the_same_token_twice_is_one_credential() {
        let presented = presented(&["Bearer a.b.c", "bearer a.b.c "], &[]);
        let credential = Credential::of(&presented);
        assert!(matches!(credential, Ok(Credential::Token("a.b.c"))));
    }

    proptest! {
        #[test]
        fn reading_never_panics(header in "\\PC{0,64}") {
            let _ = Credential::in_authorization(&header);
        }

        #[test]
        fn reading_after_a_scheme_never_panics(rest in "(bearer|ApiKey) ?(kg_)?\\PC{0,60}") {
            let _ = Credential::in_authorization(&rest);
        }
    }

    fn presented(authorization: &[&str], api_key: &[&str]) -> Presented {
        let owned = |values: &[&str]| values.iter().map(ToString::to_string).collect();
        Presented {
            authorization: owned(authorization),
            api_key: owned(api_key),
        }
    }

    #[test]
    fn an_api_key_comes_in_its_own_header_too() {
        let key = ApiKey::generate().unwrap();
        for (authorization, api_key) in [
            (&[][..], &[key.expose()][..]),
            (&[""], &[key.expose()]),
            (&[&format!("Bearer {}", key.expose())], &[key.expose()]),
            (&[&format!("ApiKey {}", key.expose())], &["", " "]),
        ] {
            match Credential::of(&presented(authorization, api_key)) {
                Ok(Credential::ApiKey(read)) => assert_eq!(read.expose(), key.expose()),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn two_different_credentials_are_refused_wherever_they_are() {
        let (key, other) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
        let bearer = format!("Bearer {}", key.expose());
        for (authorization, api_key) in [
            (&[bearer.as_str()][..], &[other.expose()][..]),
            (&["Bearer a.b.c"], &[key.expose()]),
            (&["Bearer a.b.c", "Bearer a.b.d"], &[]),
            (&[bearer.as_str(), "Bearer a.b.c"], &[]),
            (&[], &[key.expose(), other.expose()]),
        ] {
            let error = Credential::of(&presented(authorization, api_key)).unwrap_err();
            assert_eq!(error, CredentialError::Several);
        }
    }

    #[test]
    fn one_bad_credential_spoils_a_good_one() {
        let key = ApiKey::generate().unwrap();
        for (authorization, api_key) in [
            (&["Basic YTpi"][..], &[key.expose()][..]),
            (&["Bearer a.b.c"], &["0123456789"]),
            (&["Bearer a.b.c"], &["a.b.c"]),
        ] {
            assert!(Credential::of(&presented(authorization, api_key)).is_err());
        }
        let nothing = Credential::of(&Presented::default()).unwrap_err();
        assert_eq!(nothing, CredentialError::Missing);
    }
}
