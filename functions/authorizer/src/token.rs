//! A JWS in compact form (RFC 7515 section 7.1), read strictly and not yet believed: nothing here
//! says that the token is genuine. [`crate::verify`] does.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keygate_json::{self as json, JsonError, Object};
use serde_json::Value;

/// The longest token that is looked at, in bytes. API Gateway passes on headers of up to 10,240.
pub(crate) const MAX_LENGTH: usize = 8 * 1024;

/// How deep arrays and objects may nest. Keycloak's `resource_access` reaches four.
const MAX_DEPTH: usize = 16;

/// Which part of a token is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Header,
    Claims,
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Header => "header",
            Self::Claims => "claims",
            Self::Signature => "signature",
        })
    }
}

/// Why a text is no token that could be verified. Nothing of the text is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token is longer than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("the token does not have three parts")]
    Parts,
    /// Padding, white space, trailing bits or a character outside the alphabet.
    #[error("the token's {0} is not canonical base64url without padding")]
    Encoding(Part),
    #[error("the token's {0} cannot be read: {1}")]
    Json(Part, JsonError),
    #[error("the token's header member {0} is missing or has the wrong type")]
    HeaderMember(&'static str),
    /// No extension is understood, so every `crit` names one that is not (RFC 7515 section 4.1.11).
    #[error("the token's header demands an extension that is not supported")]
    CriticalExtension,
}

impl TokenError {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::TooLong => "token-too-long",
            Self::Json(_, JsonError::DuplicateMember) => "token-duplicate-member",
            Self::CriticalExtension => "token-critical-extension",
            Self::Parts | Self::Encoding(_) | Self::Json(..) | Self::HeaderMember(_) => {
                "token-malformed"
            }
        }
    }
}

/// The members of a JOSE header that decide anything. `jwk`, `jku`, `x5u` and `x5c` are not among
/// them: a token does not bring the key that proves it (RFC 8725 section 3.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) alg: String,
    pub(crate) kid: Option<String>,
    pub(crate) typ: Option<String>,
    /// Everything that the header says, for a deployment's own rules.
    pub(crate) members: Object,
}

/// A signature, in base64url that is known to be canonical and decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature<'a> {
    pub(crate) text: &'a str,
    pub(crate) bytes: Vec<u8>,
}

/// A well-formed token.
#[derive(Clone, PartialEq)]
pub(crate) struct UnverifiedToken<'a> {
    /// What the signature covers: header, dot, claims.
    pub(crate) signing_input: &'a str,
    pub(crate) signature: Signature<'a>,
    pub(crate) header: Header,
    pub(crate) claims: Object,
}

impl<'a> UnverifiedToken<'a> {
    /// Reads a token.
    pub(crate) fn parse(text: &'a str) -> Result<Self, TokenError> {
        if text.len() > MAX_LENGTH {
            return Err(TokenError::TooLong);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(TokenError::Parts)?;
        let (header, claims) = signing_input.split_once('.').ok_or(TokenError::Parts)?;
        if claims.contains('.') || [header, claims, signature].contains(&"") {
            return Err(TokenError::Parts);
        }
        Ok(Self {
            signing_input,
            signature: Signature {
                bytes: decode(Part::Signature, signature)?,
                text: signature,
            },
            header: Header::read(object(Part::Header, header)?)?,
            claims: object(Part::Claims, claims)?,
        })
    }
}

/// Without the claims and the signature, which make it a credential.
impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut token = formatter.debug_struct("UnverifiedToken");
        token.field("header", &self.header).finish_non_exhaustive()
    }
}

impl Header {
    fn read(members: Object) -> Result<Self, TokenError> {
        if members.contains_key("crit") {
            return Err(TokenError::CriticalExtension);
        }
        let text = |name: &'static str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(TokenError::HeaderMember(name)),
        };
        // Issuers whose keys have no name write that so: it means what a `kid` that is absent means.
        let is_unnamed = members.get("kid").is_some_and(Value::is_null);
        let kid = if is_unnamed { None } else { text("kid")? };
        Ok(Self {
            alg: text("alg")?.ok_or(TokenError::HeaderMember("alg"))?,
            kid,
            typ: text("typ")?,
            members,
        })
    }
}

fn decode(part: Part, text: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| TokenError::Encoding(part))
}

fn object(part: Part, text: &str) -> Result<Object, TokenError> {
    json::object(&decode(part, text)?, MAX_DEPTH).map_err(|error| TokenError::Json(part, error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(header: &str, claims: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!(
            "{}.{}.{}",
            encode(header),
            encode(claims),
            encode("signature")
        )
    }

    fn error(text: &str) -> TokenError {
        UnverifiedToken::parse(text).unwrap_err()
    }

    #[test]
    fn a_token_reads_into_its_parts() {
        let text = token(
            r#"{"alg":"ES256","kid":"1","typ":"JWT"}"#,
            r#"{"iss":"me"}"#,
        );
        let token = UnverifiedToken::parse(&text).unwrap();
        assert_eq!(token.header.alg, "ES256");
        assert_eq!(token.header.kid.as_deref(), Some("1"));
        assert_eq!(token.claims["iss"], "me");
        assert_eq!(token.signature.bytes, b"signature");
        assert!(text.starts_with(token.signing_input));
    }

    #[test]
    fn a_token_has_exactly_three_parts_and_none_is_empty() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        let (signing_input, _) = good.rsplit_once('.').unwrap();
        for text in [
            "",
            ".",
            "..",
            "a.b",
            &format!("{good}.x"),
            &format!("{signing_input}."),
        ] {
            assert_eq!(error(text), TokenError::Parts, "{text:?}");
        }
    }

    #[test]
    fn base64url_is_canonical_and_without_padding() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        for text in [
            format!("{good}="),
            format!("{good} "),
            format!(" {good}"),
            format!("{good}\n"),
            good.replace('.', "=."),
            // "e30" is {}; its last character carries two bits that must be zero.
            good.replace(".e30.", ".e31."),
            good.replace(".e30.", ".e3+."),
        ] {
            assert!(matches!(error(&text), TokenError::Encoding(_)), "{text:?}");
        }
    }

    #[test]
    fn an_error_says_which_part_is_at_fault() {
        for (text, said) in [
            (
                "e30=.e30.AA",
                "the token's header is not canonical base64url without padding",
            ),
            (
                &token(r#"{"alg":"RS256"}"#, "{"),
                "the token's claims cannot be read",
            ),
            (
                "e30.e30.A",
                "the token's signature is not canonical base64url without padding",
            ),
        ] {
            assert!(
                error(text).to_string().starts_with(said),
                "{text}: {}",
                error(text)
            );
        }
    }

    #[test]
    fn a_token_over_eight_kibibytes_is_refused_before_it_is_read() {
        assert_eq!(error(&"a".repeat(MAX_LENGTH + 1)), TokenError::TooLong);
        assert_eq!(error(&"a".repeat(MAX_LENGTH)), TokenError::Parts);
    }

    #[test]
    fn any_critical_extension_is_refused() {
        for crit in [r#"["b64"]"#, r#"["exp"]"#, "[]", "null", "\"exp\""] {
            let header = format!(r#"{{"alg":"RS256","crit":{crit}}}"#);
            assert_eq!(
                error(&token(&header, "{}")),
                TokenError::CriticalExtension,
                "{crit}"
            );
        }
    }

    #[test]
    fn a_kid_that_is_null_counts_as_absent() {
        let text = token(r#"{"alg":"RS256","kid":null}"#, "{}");
        assert_eq!(UnverifiedToken::parse(&text).unwrap().header.kid, None);
    }

    #[test]
    fn header_members_have_their_types() {
        for (header, member) in [
            ("{}", "alg"),
            (r#"{"alg":null}"#, "alg"),
            (r#"{"alg":["RS256"]}"#, "alg"),
            (r#"{"alg":"RS256","kid":1}"#, "kid"),
            (r#"{"alg":"RS256","typ":{}}"#, "typ"),
            (r#"{"alg":"RS256","typ":null}"#, "typ"),
        ] {
            assert_eq!(
                error(&token(header, "{}")),
                TokenError::HeaderMember(member),
                "{header}"
            );
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,128}") {
            let _ = UnverifiedToken::parse(&text);
        }

        #[test]
        fn reading_text_in_the_shape_of_a_token_never_panics(
            text in "[A-Za-z0-9_=-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}"
        ) {
            let _ = UnverifiedToken::parse(&text);
        }
    }
}
