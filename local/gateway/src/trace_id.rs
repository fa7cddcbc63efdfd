//! `X-Amzn-Trace-Id`: the trace that a request belongs to ("Tracing header", AWS X-Ray developer
//! guide).

use jiff::Timestamp;
use uuid::Uuid;

/// The header's name as API Gateway writes it.
pub(super) const NAME: &str = "X-Amzn-Trace-Id";

/// The trace header of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TraceHeader {
    /// What the function is told.
    pub(super) told: String,
    /// What the caller is answered.
    pub(super) answered: String,
}

impl TraceHeader {
    /// The caller's trace where its header has a root, or else a new one. A parent of API Gateway's
    /// own goes back with a root that has none.
    pub(super) fn of(sent: Option<&str>, received: Timestamp) -> Self {
        let root = sent.and_then(|sent| field(sent, "Root"));
        let told = match (sent, root) {
            (Some(sent), Some(_)) => sent.to_owned(),
            _ => format!("Root={}", new_root(received)),
        };
        let answered = match (field(&told, "Parent"), field(&told, "Root")) {
            (None, Some(root)) => {
                let sampled = field(&told, "Sampled").unwrap_or("0");
                format!("Root={root};Parent={};Sampled={sampled}", digits(16))
            }
            _ => told.clone(),
        };
        Self { told, answered }
    }
}

/// The value of a field of the header, where it is one.
fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let fields = header.split(';').filter_map(|field| field.split_once('='));
    let mut named = fields.filter(|(other, _)| other.trim().eq_ignore_ascii_case(name));
    let (_, value) = named.next()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    Some(value.trim()).filter(|value| !value.is_empty() && value.bytes().all(is_plain))
}

fn new_root(received: Timestamp) -> String {
    let seconds = u32::try_from(received.as_second()).unwrap_or(u32::MAX);
    format!("1-{seconds:08x}-{}", digits(24))
}

/// So many random hexadecimal digits, 32 at most.
fn digits(count: usize) -> String {
    let all = Uuid::new_v4().simple().to_string();
    all.chars().rev().take(count).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn trace(sent: Option<&str>) -> TraceHeader {
        TraceHeader::of(sent, "2026-11-24T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_request_without_a_trace_begins_one() {
        let root = Regex::new("^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$").unwrap();
        let parent = Regex::new("^;Parent=[0-9a-f]{16};Sampled=0$").unwrap();
        for sent in [
            None,
            Some(""),
            Some("Parent=1"),
            Some("Root=;x"),
            Some("Root=a b"),
        ] {
            let TraceHeader { told, answered } = trace(sent);
            assert!(root.is_match(&told), "{told}");
            let added = answered.strip_prefix(&told).unwrap();
            assert!(parent.is_match(added), "{answered}");
        }
    }

    #[test]
    fn the_callers_trace_stays_and_a_root_alone_is_given_a_parent() {
        let whole = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1";
        let TraceHeader { told, answered } = trace(Some(whole));
        assert_eq!((told.as_str(), answered.as_str()), (whole, whole));
        let root = "root=1-3152b799-8954dae64eda91bc9a23a7e8; Sampled=1";
        let TraceHeader { told, answered } = trace(Some(root));
        assert_eq!(told, root);
        let form = "^Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=[0-9a-f]{16};Sampled=1$";
        assert!(Regex::new(form).unwrap().is_match(&answered), "{answered}");
    }

    proptest! {
        #[test]
        fn whatever_is_sent_the_caller_is_answered_a_root_and_a_parent(sent in "\\PC{0,40}") {
            for sent in [sent.clone(), format!("Root={sent}"), format!("{sent};Root=1-a-b")] {
                let trace = trace(Some(&sent));
                prop_assert!(field(&trace.told, "Root").is_some());
                prop_assert_eq!(field(&trace.told, "Root"), field(&trace.answered, "Root"));
                prop_assert!(field(&trace.answered, "Parent").is_some());
            }
        }
    }
}
