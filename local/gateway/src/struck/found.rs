//! Credentials in a text that says nothing else of itself, such as a log line: by their form, and by the name
//! before them. Every line of every function is gone through, and strangers choose what is in many: no byte
//! is looked at more often than a few times.

use std::borrow::Cow;
use std::ops::Range;

use keygate_api_key::{CHECKSUM_LENGTH, ID_LENGTH, MAX_PREFIX_LENGTH, SECRET_LENGTH};

use super::names::{STRUCK, is_name_of_cookies, is_name_of_credential};

/// How every JWT begins: `{"` in base64url.
const TOKEN: &[u8] = b"eyJ";
/// The longest name of a credential, with what may stand between its letters.
const MAX_NAME: usize = 40;
/// Words before a credential in one value.
const SCHEMES: [&str; 7] = [
    "bearer",
    "basic",
    "apikey",
    "digest",
    "dpop",
    "negotiate",
    "token",
];

/// A text without what has the form of a credential, or the name of one before it.
#[must_use]
pub fn strike_forms(text: &str) -> Cow<'_, str> {
    let mut kept = String::new();
    let mut end = 0;
    // Where the letters end that are known to be no token, nor to hold one.
    let mut no_token = 0;
    for (at, byte) in text.bytes().enumerate() {
        if at < end {
            continue;
        }
        let found = match byte {
            b'_' => key(text.as_bytes(), at),
            b'e' if at >= no_token => token(text.as_bytes(), at).unwrap_or_else(|run| {
                no_token = run;
                None
            }),
            b':' | b'=' => named(text, at),
            _ => None,
        };
        // A key begins before its underscore, but never before what is struck out already.
        if let Some(found) = found.filter(|found| found.start >= end) {
            kept.push_str(&text[end..found.start]);
            kept.push_str(STRUCK);
            end = found.end;
        }
    }
    if end == 0 {
        return text.into();
    }
    kept.push_str(&text[end..]);
    kept.into()
}

/// The API key whose first underscore is here.
fn key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let before = bytes[..at].iter().rev().take(MAX_PREFIX_LENGTH);
    let prefix = before.take_while(|byte| byte.is_ascii_alphabetic()).count();
    let id = at + 1..at + 1 + ID_LENGTH;
    let secret = id.end + 1..id.end + 1 + SECRET_LENGTH + CHECKSUM_LENGTH;
    let is_plain = |range: Range<usize>| {
        let part = bytes.get(range);
        part.is_some_and(|part| part.iter().all(u8::is_ascii_alphanumeric))
    };
    let is_key =
        prefix > 0 && bytes.get(id.end) == Some(&b'_') && is_plain(id) && is_plain(secret.clone());
    is_key.then_some(at - prefix..secret.end)
}

/// The JWT that begins here, or else where the run of a token's letters ends in which there is none from
/// here on.
fn token(bytes: &[u8], at: usize) -> Result<Option<Range<usize>>, usize> {
    let Some(rest) = bytes[at..].strip_prefix(TOKEN) else {
        return Ok(None);
    };
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let length = rest.iter().take_while(|byte| is_part(byte)).count();
    let dots = rest[..length].iter().filter(|byte| **byte == b'.');
    let end = at + TOKEN.len() + length;
    // What begins behind it has no more dots.
    if dots.count() < 2 {
        return Err(end);
    }
    Ok(Some(at..end))
}

/// The value behind this colon or equals sign, where the name before it is that of a credential. The quotes
/// of both may be escaped, as they are in JSON within JSON.
fn named(text: &str, at: usize) -> Option<Range<usize>> {
    let before = text[..at].trim_end_matches([' ', '\t', '"', '\'', '\\']);
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let bytes = before.as_bytes().iter().rev().take(MAX_NAME);
    let length = bytes.take_while(|byte| is_of_name(byte)).count();
    let name = &before[before.len() - length..];
    if name.is_empty() || !is_name_of_credential(name) {
        return None;
    }
    let behind = &text[at + 1..];
    let value = behind.trim_start_matches([' ', '\t', '[']);
    // What was struck out before is struck out.
    let bare = behind_scheme(value).trim_start_matches([' ', '[']);
    if bare.starts_with(STRUCK.trim_start_matches('[')) {
        return None;
    }
    let start = text.len() - behind.trim_start().len();
    let end = match list_end(behind) {
        Some(end) => at + 1 + end,
        None => text.len() - value.len() + length_of(value, is_name_of_cookies(name)),
    };
    (end > start).then_some(start..end)
}

/// Where a list ends that is the value, or the text, where it does not.
fn list_end(behind: &str) -> Option<usize> {
    behind.trim_start().starts_with('[').then(|| {
        let end = behind.find(']').map(|end| end + 1);
        end.unwrap_or(behind.len())
    })
}

/// How long a value is: what its quotes hold, with them, or the words that belong together. Cookies are
/// several, with semicolons and blanks between them, up to the end of the line or of what quotes it.
fn length_of(value: &str, is_cookies: bool) -> usize {
    let plain = value.trim_start_matches('\\');
    if let Some(quote) = plain
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\''))
    {
        let escapes = value.len() - plain.len();
        // One that nobody closes ends with the text.
        let closed = plain[1..].find(quote).map(|at| escapes + 1 + at + 1);
        return closed.unwrap_or(value.len());
    }
    if is_cookies {
        return value
            .find(['\n', '\r', '"', '\'', '\\'])
            .unwrap_or(value.len());
    }
    let word = behind_scheme(value);
    let is_end = |letter: char| letter.is_whitespace() || "\"'\\,;&{}[]".contains(letter);
    let length = word.find(is_end).unwrap_or(word.len());
    value.len() - word.len() + length
}

/// A value without the scheme before it.
fn behind_scheme(value: &str) -> &str {
    let behind = SCHEMES.iter().find_map(|scheme| {
        let (word, rest) = value.split_at_checked(scheme.len())?;
        let is_it = word.eq_ignore_ascii_case(scheme);
        is_it.then(|| rest.strip_prefix(' ')).flatten()
    });
    behind.map_or(value, str::trim_start)
}
