//! One request and what became of it: what `$context` variables are read from.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use uuid::Uuid;

use super::fault::Fault;
use super::spelling::Spelling;
use super::trace::Trace;
use super::trace_id::{self, TraceHeader};

/// How one call of a function went.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) latency: Duration,
    pub(super) status: Option<u16>,
    pub(super) error: Option<String>,
}

/// The usage key that a request was counted on.
#[derive(Debug)]
pub(super) struct UsedKey {
    pub(super) id: String,
    pub(super) value: String,
}

/// One request, filled in step by step.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) request_id: String,
    /// The id that a client cannot choose, which it is told as `x-amz-apigw-id`.
    pub(super) extended_request_id: String,
    pub(super) trace_header: TraceHeader,
    pub(super) received: Timestamp,
    pub(super) started: Instant,
    pub(super) method: Method,
    /// The path with the stage, percent-encoded, as the client sent it.
    pub(super) full_path: String,
    /// The query string, percent-encoded.
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) spelling: Spelling,
    pub(super) protocol: String,
    pub(super) source_ip: String,
    pub(super) domain: String,
    /// The port that it came in by.
    pub(super) port: u16,
    pub(super) resource_path: Option<String>,
    pub(super) path_parameters: Vec<(String, String)>,
    /// The authorizer's context, every value a string.
    pub(super) authorizer: BTreeMap<String, String>,
    pub(super) authorizer_call: Option<Call>,
    pub(super) integration_call: Option<Call>,
    pub(super) usage_key: Option<UsedKey>,
    pub(super) fault: Option<Fault>,
    pub(super) status: u16,
    pub(super) response_length: usize,
    /// For who looks on.
    pub(super) trace: Trace,
}

impl Exchange {
    pub(super) fn new(parts: &Parts, source_ip: String, port: u16) -> Self {
        let host = parts.headers.get(http::header::HOST);
        // The host of an address goes before the header (RFC 9112 section 3.2.2).
        let of_target = parts.uri.authority().map(Authority::as_str);
        let host = of_target.or_else(|| host?.to_str().ok());
        let received = Timestamp::now();
        Self {
            request_id: Uuid::new_v4().to_string(),
            extended_request_id: extended_request_id(),
            trace_header: TraceHeader::of(last(&parts.headers, trace_id::NAME), received),
            received,
            started: Instant::now(),
            method: parts.method.clone(),
            full_path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(ToOwned::to_owned),
            headers: parts.headers.clone(),
            spelling: parts.extensions.get().cloned().unwrap_or_default(),
            protocol: format!("{:?}", parts.version),
            source_ip,
            domain: host.map_or_else(|| format!("127.0.0.1:{port}"), ToOwned::to_owned),
            port,
            resource_path: None,
            path_parameters: Vec::new(),
            authorizer: BTreeMap::new(),
            authorizer_call: None,
            integration_call: None,
            usage_key: None,
            fault: None,
            status: 0,
            response_length: 0,
            trace: Trace::default(),
        }
    }

    /// A header's last value, as far as it is visible ASCII: API Gateway's choice among several.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        last(&self.headers, name)
    }

    /// The time of the request in the Common Log Format.
    pub(super) fn request_time(&self) -> String {
        self.received
            .strftime("%d/%b/%Y:%H:%M:%S +0000")
            .to_string()
    }
}

fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(name);
    let last = values.iter().next_back();
    last.and_then(|value| value.to_str().ok())
}

/// An id in the form of API Gateway's: eleven bytes in base64.
fn extended_request_id() -> String {
    let id = Uuid::new_v4();
    let (bytes, _) = id.as_bytes().split_at(11);
    STANDARD.encode(bytes)
}
