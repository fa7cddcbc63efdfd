//! API keys: `<prefix>_<id>_<secret><checksum>`.
//!
//! `prefix` is 1 to 16 ASCII letters, `kg` unless the deployment has its own ([`KeyPrefix`]), `id` is 12,
//! `secret` 32 and `checksum` 6 characters of base62 (`0-9A-Za-z`). The checksum is the
//! CRC-32 (IEEE) of everything before it, zero padded, so that a secret scanner can tell a leaked
//! key from noise and a mistyped one never reaches the table. The secret carries 190 bits, so its
//! SHA-256 needs no salt and no slow hash.

mod prefix;
pub mod sha256;

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;

pub use self::prefix::{KeyPrefix, MAX_PREFIX_LENGTH, MalformedPrefix};

/// The characters of a key's id.
pub const ID_LENGTH: usize = 12;
/// The characters of a key's secret, which its checksum follows.
pub const SECRET_LENGTH: usize = 32;
/// The characters of a key's checksum.
pub const CHECKSUM_LENGTH: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Why a text is no API key. Nothing of the text is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// The length, prefix, separator or alphabet is wrong.
    #[error(
        "an API key is a prefix of letters such as kg, _, 12 base62 characters, _, and 38 base62 \
         characters"
    )]
    Shape,
    /// The shape is right and the checksum is not: a mistyped or invented key.
    #[error("the API key's checksum does not fit")]
    Checksum,
}

/// The system's random source did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random number generator failed")]
pub struct RandomnessUnavailable;

/// A key's public half: 12 base62 characters. Safe to log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKeyId(String);

impl ApiKeyId {
    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApiKeyId {
    type Err = ApiKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == ID_LENGTH && is_base62(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ApiKeyError::Shape)
        }
    }
}

impl fmt::Display for ApiKeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An API key whose shape and checksum are right. Its `Debug` shows the id only, and there is no
/// `Display`: whoever hands the key out says so with [`ApiKey::expose`].
#[derive(Clone)]
pub struct ApiKey {
    text: String,
    id: ApiKeyId,
}

impl ApiKey {
    /// A new key with a random id and secret, under the prefix `kg`.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, RandomnessUnavailable> {
        KeyPrefix::default().generate()
    }

    /// A new secret for an id that exists, under the prefix `kg`.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate_for(id: ApiKeyId) -> Result<Self, RandomnessUnavailable> {
        KeyPrefix::default().generate_for(id)
    }

    /// The public half.
    #[must_use]
    pub fn id(&self) -> &ApiKeyId {
        &self.id
    }

    /// The SHA-256 of the secret, which is all that is ever stored.
    #[must_use]
    pub fn secret_hash(&self) -> SecretHash {
        let end = self.text.len().saturating_sub(CHECKSUM_LENGTH);
        let start = end.saturating_sub(SECRET_LENGTH);
        let secret = self.text.get(start..end).unwrap_or("");
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
        SecretHash(hash)
    }

    /// The whole key, to be shown once to whom it is issued. Never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl KeyPrefix {
    /// A new key with a random id and secret, under this prefix.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate(&self) -> Result<ApiKey, RandomnessUnavailable> {
        self.generate_for(ApiKeyId(random_base62(ID_LENGTH)?))
    }

    /// A new secret for an id that exists: rotation.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate_for(&self, id: ApiKeyId) -> Result<ApiKey, RandomnessUnavailable> {
        let secret = random_base62(SECRET_LENGTH)?;
        let mut text = format!("{self}_{id}_{secret}");
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Ok(ApiKey { text, id })
    }
}

impl FromStr for ApiKey {
    type Err = ApiKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Any prefix: keys of before a deployment changed its own go on, and the checksum holds of it.
        let mut parts = text.splitn(3, '_');
        let (Some(prefix), Some(id), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(ApiKeyError::Shape);
        };
        let id: ApiKeyId = id.parse()?;
        let is_secret = rest.len() == SECRET_LENGTH + CHECKSUM_LENGTH && is_base62(rest);
        if !prefix::is_prefix(prefix) || !is_secret {
            return Err(ApiKeyError::Shape);
        }
        // All of it is ASCII.
        let (body, found) = text.split_at(text.len() - CHECKSUM_LENGTH);
        if checksum(body) == found {
            Ok(Self {
                text: text.to_owned(),
                id,
            })
        } else {
            Err(ApiKeyError::Checksum)
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ApiKey({}, ..)", self.id)
    }
}

/// The SHA-256 of a key's secret. Compared in constant time only, so there is no `PartialEq`.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Whether both are the hash of one secret, in time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    /// 64 lower-case hexadecimal digits, the form in the key table.
    #[must_use]
    pub fn to_hex(&self) -> String {
        sha256::digits(&self.0)
    }

    /// The 32 raw bytes, the other form in which the key table may hold it.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut hash = [0; 32];
        for (position, byte) in hash.iter_mut().enumerate() {
            let digits = text.get(position * 2..position * 2 + 2)?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self(hash))
    }

    /// Reads 32 raw bytes; `None` for any other length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretHash(..)")
    }
}

/// Whether a credential claims to be an API key, whatever else is wrong with it: letters, an
/// underscore, and no dot, of which a JWT has two.
#[must_use]
pub fn looks_like_api_key(credential: &str) -> bool {
    let prefix = credential.split_once('_').map(|(prefix, _)| prefix);
    prefix.is_some_and(prefix::is_prefix) && !credential.contains('.')
}

fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn digit(value: usize) -> char {
    char::from(BASE62[value % BASE62.len()])
}

fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes()) as usize;
    let mut digits = [' '; CHECKSUM_LENGTH];
    for place in digits.iter_mut().rev() {
        *place = digit(rest);
        rest /= BASE62.len();
    }
    digits.iter().collect()
}

fn random_base62(length: usize) -> Result<String, RandomnessUnavailable> {
    // 248 is the largest multiple of 62 in a byte; higher bytes are drawn again, so that every
    // character is equally likely.
    const FAIR: u8 = 248;
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 64];
        rand::fill(&mut bytes).map_err(|_| RandomnessUnavailable)?;
        let fair = bytes.iter().filter(|byte| **byte < FAIR);
        text.extend(
            fair.take(length - text.len())
                .map(|byte| digit(usize::from(*byte))),
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_generated_key_reads_back_and_matches_its_own_hash() {
        let key = ApiKey::generate().unwrap();
        let read: ApiKey = key.expose().parse().unwrap();
        assert_eq!(read.id(), key.id());
        assert!(read.secret_hash().matches(&key.secret_hash()));
    }

    #[test]
    fn a_key_reads_back_under_any_prefix_of_letters() {
        for prefix in ["k", "kg", "AcmeKey", "abcdefghijklmnop"] {
            let key = prefix.parse::<KeyPrefix>().unwrap().generate().unwrap();
            assert!(key.expose().starts_with(&format!("{prefix}_{}_", key.id())));
            let read: ApiKey = key.expose().parse().unwrap();
            assert_eq!(read.id(), key.id());
            assert!(read.secret_hash().matches(&key.secret_hash()));
            assert!(looks_like_api_key(key.expose()));
        }
    }

    #[test]
    fn the_checksum_holds_of_the_prefix() {
        let key = ApiKey::generate().unwrap();
        let renamed = key.expose().replacen("kg", "ab", 1);
        assert_eq!(
            renamed.parse::<ApiKey>().unwrap_err(),
            ApiKeyError::Checksum
        );
    }

    #[test]
    fn what_has_no_prefix_of_letters_is_no_key_whatever_its_checksum() {
        let body = format!("{}_{}", "a".repeat(ID_LENGTH), "b".repeat(SECRET_LENGTH));
        for prefix in ["", "k1", "k-", "é", "k g", "abcdefghijklmnopq", "kg_kg"] {
            let body = format!("{prefix}_{body}");
            let text = format!("{body}{}", checksum(&body));
            assert_eq!(text.parse::<ApiKey>().unwrap_err(), ApiKeyError::Shape);
        }
    }

    #[test]
    fn no_token_looks_like_a_key() {
        for token in [
            "eyJhbGciOiJub25lIn0.e30.",
            "eyJx_x.e30.abc",
            "a.b.c",
            "kg",
            "1_a",
        ] {
            assert!(!looks_like_api_key(token), "{token}");
        }
        assert!(looks_like_api_key("kg_mistyped!"));
    }

    #[test]
    fn two_keys_of_one_id_have_different_secrets() {
        let first = ApiKey::generate().unwrap();
        let second = ApiKey::generate_for(first.id().clone()).unwrap();
        assert_eq!(first.id(), second.id());
        assert!(!first.secret_hash().matches(&second.secret_hash()));
    }

    #[test]
    fn the_checksum_is_crc32_of_everything_before_it_in_base62() {
        // CRC-32 of "123456789" is 0xCBF43926, the algorithm's published check value.
        assert_eq!(checksum("123456789"), "3jZRME");
    }

    #[test]
    fn one_mistyped_character_is_a_checksum_error() {
        let key = ApiKey::generate().unwrap();
        let mut text = key.expose().to_owned();
        let last = if text.ends_with('0') { "1" } else { "0" };
        text.replace_range(text.len() - 1.., last);
        assert_eq!(text.parse::<ApiKey>().unwrap_err(), ApiKeyError::Checksum);
    }

    #[test]
    fn neither_debug_form_shows_the_secret() {
        let key = ApiKey::generate().unwrap();
        let shown = format!("{key:?} {:?}", key.secret_hash());
        assert!(!shown.contains(&key.expose()[16..]), "{shown}");
        assert!(!shown.contains(&key.secret_hash().to_hex()), "{shown}");
    }

    #[test]
    fn a_hash_survives_its_hexadecimal_form() {
        let hash = ApiKey::generate().unwrap().secret_hash();
        let read = SecretHash::from_hex(&hash.to_hex()).unwrap();
        assert!(read.matches(&hash));
        assert!(SecretHash::from_hex(&"+1".repeat(32)).is_none());
        assert!(SecretHash::from_hex("00").is_none());
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC*") {
            let _ = text.parse::<ApiKey>();
        }

        #[test]
        fn reading_text_in_the_shape_of_a_key_never_panics(text in "[a-zA-Z]{1,17}_[0-9A-Za-z_é]{45,55}") {
            let _ = text.parse::<ApiKey>();
        }
    }
}
