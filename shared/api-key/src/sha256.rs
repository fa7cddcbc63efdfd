//! SHA-256 in hexadecimal: what fingerprints and stored secrets are written as.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};

/// The digest of `bytes` in 64 lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    digits(digest(&SHA256, bytes).as_ref())
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
