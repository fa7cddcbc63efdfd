//! A request's body: read up to API Gateway's quota, and discarded where the answer came first.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};

use super::fault::ResponseType;

/// API Gateway's quota for a body.
const MAX_BYTES: usize = 10 * 1024 * 1024;
/// The most that a client may send of a body that nobody reads any more.
const MAX_DISCARDED_BYTES: usize = 64 * 1024 * 1024;

/// Why a body is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    Slow,
    BrokenOff,
}

/// A body on its way.
pub(super) struct RequestBody {
    incoming: Incoming,
    is_read: bool,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming) -> Self {
        let is_read = incoming.is_end_stream();
        Self { incoming, is_read }
    }

    /// Reads the whole of it in at most `limit`.
    pub(super) async fn read(&mut self, limit: Duration) -> Result<Bytes, Unread> {
        let whole = Limited::new(&mut self.incoming, MAX_BYTES).collect();
        match tokio::time::timeout(limit, whole).await {
            Ok(Ok(body)) => {
                self.is_read = true;
                Ok(body.to_bytes())
            }
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
            Ok(Err(_)) => Err(Unread::BrokenOff),
            Err(_) => Err(Unread::Slow),
        }
    }

    /// Whether nothing of it is left on its way.
    pub(super) fn is_read(&self) -> bool {
        self.is_read
    }

    /// Reads the rest and throws it away, in at most `limit`. A connection that is closed on unread
    /// data is reset, and the reset can overtake the answer (RFC 9112 section 9.6).
    pub(super) async fn discard(mut self, limit: Duration) {
        let rest = async {
            let mut left = MAX_DISCARDED_BYTES;
            while let Some(Ok(frame)) = self.incoming.frame().await {
                let length = frame.data_ref().map_or(0, Bytes::len);
                match left.checked_sub(length) {
                    Some(rest) => left = rest,
                    None => break,
                }
            }
        };
        // Whoever sends for longer than that is cut off.
        let _ = tokio::time::timeout(limit, rest).await;
    }
}

impl Unread {
    pub(super) fn response_type(self) -> ResponseType {
        match self {
            Self::TooLarge => ResponseType::RequestTooLarge,
            Self::Slow | Self::BrokenOff => ResponseType::BadRequestParameters,
        }
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "the body is larger than 10 MB",
            Self::Slow => "the body did not come within 30 seconds",
            Self::BrokenOff => "the body ends before its length, or in a chunk that is none",
        }
    }
}
