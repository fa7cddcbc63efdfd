//! Of the credential that a request presents.

use keygate_api_key::{ApiKey, looks_like_api_key};

use super::TELLING;
use crate::credential::{Credential, CredentialError};
use crate::event::Presented;
use crate::token::MAX_LENGTH;

/// The values of `Authorization` and `X-Api-Key` of a request hold one credential, the same in all of
/// them, or none; and what is printed of them never shows it.
pub fn credential(authorization: &[&str], api_key: &[&str]) {
    let owned = |values: &[&str]| values.iter().map(ToString::to_string).collect();
    let presented = Presented {
        authorization: owned(authorization),
        api_key: owned(api_key),
    };
    let read = Credential::of(&presented);
    stays_hidden(&presented, &read);
    let values = || authorization.iter().chain(api_key);
    let mut present = values()
        .map(|value| value.trim_matches(' '))
        .filter(|value| !value.is_empty());
    match &read {
        Ok(Credential::Token(token)) => {
            assert!((1..=MAX_LENGTH).contains(&token.len()));
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
            assert!(token.bytes().all(allowed), "{token:?}");
            assert!(!looks_like_api_key(token), "{token:?}");
            assert!(present.all(|value| value.rsplit(' ').next() == Some(token)));
        }
        Ok(Credential::ApiKey(key)) => {
            let again: ApiKey = key.expose().parse().unwrap();
            assert_eq!(again.id(), key.id());
            assert!(present.all(|value| value.rsplit(' ').next() == Some(key.expose())));
        }
        Err(CredentialError::Missing) => assert_eq!(present.next(), None),
        Err(_) => assert!(present.next().is_some()),
    }
    let doubled = Presented {
        authorization: owned(&[authorization, authorization].concat()),
        api_key: owned(&[api_key, api_key].concat()),
    };
    let again = Credential::of(&doubled);
    assert_eq!(format!("{read:?}"), format!("{again:?}"));
}

fn stays_hidden(presented: &Presented, read: &Result<Credential<'_>, CredentialError>) {
    let error = read.as_ref().err().map(ToString::to_string);
    let printed = format!("{presented:?} {read:?} {}", error.unwrap_or_default());
    let values = presented.authorization.iter().chain(&presented.api_key);
    for word in values.flat_map(|value| value.split(' ')) {
        let is_shown = word.len() >= TELLING && printed.contains(word);
        assert!(!is_shown, "{printed} shows {word}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_of_tokens_keys_and_what_is_neither() {
        let key = ApiKey::generate().unwrap();
        let token = format!("Bearer {}.{}.{}", "a".repeat(30), "b".repeat(30), "c");
        let bearer = format!("Bearer {}", key.expose());
        credential(&[], &[]);
        credential(&["", " "], &[""]);
        credential(&[&token], &[]);
        credential(&[&token, &token], &[key.expose()]);
        credential(&[&bearer, ""], &[key.expose(), " "]);
        credential(&["Basic YTpi", "Bearer", "ApiKey kg_", "\u{e9}"], &["kg_"]);
        credential(&[&format!("Bearer {}", "a".repeat(MAX_LENGTH + 1))], &[]);
    }
}
