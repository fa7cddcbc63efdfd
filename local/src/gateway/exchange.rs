//! One request and what became of it: what `$context` variables are read from.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use uuid::Uuid;

use super::fault::Fault;
use super::trace::Trace;

/// How one call of a function went.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) latency: Duration,
    pub(super) status: Option<u16>,
    pub(super) error: Option<String>,
}

/// One request, filled in step by step.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) request_id: String,
    pub(super) received: Timestamp,
    pub(super) started: Instant,
    pub(super) method: Method,
    /// The path with the stage, percent-encoded, as the client sent it.
    pub(super) full_path: String,
    /// The query string, percent-encoded.
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) protocol: String,
    pub(super) source_ip: String,
    pub(super) domain: String,
    pub(super) resource_path: Option<String>,
    pub(super) path_parameters: Vec<(String, String)>,
    /// The authorizer's context, every value a string.
    pub(super) authorizer: BTreeMap<String, String>,
    pub(super) authorizer_call: Option<Call>,
    pub(super) integration_call: Option<Call>,
    pub(super) usage_key_id: Option<String>,
    pub(super) fault: Option<Fault>,
    pub(super) status: u16,
    pub(super) response_length: usize,
    /// For who looks on.
    pub(super) trace: Trace,
}

impl Exchange {
    pub(super) fn new(parts: &Parts, source_ip: String, port: u16) -> Self {
        let host = parts.headers.get(http::header::HOST);
        let host = host.and_then(|host| host.to_str().ok());
        Self {
            request_id: Uuid::new_v4().to_string(),
            received: Timestamp::now(),
            started: Instant::now(),
            method: parts.method.clone(),
            full_path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(ToOwned::to_owned),
            headers: parts.headers.clone(),
            protocol: format!("{:?}", parts.version),
            source_ip,
            domain: host.map_or_else(|| format!("127.0.0.1:{port}"), ToOwned::to_owned),
            resource_path: None,
            path_parameters: Vec::new(),
            authorizer: BTreeMap::new(),
            authorizer_call: None,
            integration_call: None,
            usage_key_id: None,
            fault: None,
            status: 0,
            response_length: 0,
            trace: Trace::default(),
        }
    }

    /// A header's last value, as far as it is visible ASCII: API Gateway's choice among several.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let values = self.headers.get_all(name);
        values
            .iter()
            .next_back()
            .and_then(|value| value.to_str().ok())
    }

    /// The time of the request in the Common Log Format.
    pub(super) fn request_time(&self) -> String {
        self.received
            .strftime("%d/%b/%Y:%H:%M:%S +0000")
            .to_string()
    }
}
