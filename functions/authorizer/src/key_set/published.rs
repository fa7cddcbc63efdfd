//! The JSON documents of an issuer, which are read as they are published.

use serde_json::Value;

/// What some editors and servers write before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads a document. A byte order mark before it is passed over, as RFC 8259 section 8.1 allows.
pub(super) fn json(document: &[u8]) -> Option<Value> {
    let text = document.strip_prefix(BYTE_ORDER_MARK).unwrap_or(document);
    serde_json::from_slice(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_order_mark_before_the_document_is_passed_over() {
        assert_eq!(json(b"\xef\xbb\xbf{}"), Some(serde_json::json!({})));
        for text in [
            &b"\xef\xbb\xbf\xef\xbb\xbf{}"[..],
            b"{}\xef\xbb\xbf",
            b"\xef\xbb{}",
            b"\xff\xfe{\0}\0",
            b"\xef\xbb\xbf",
        ] {
            assert_eq!(json(text), None, "{text:?}");
        }
    }
}
