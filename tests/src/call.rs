//! One request and what came back, with the checks that every topic makes.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Error, RequestBuilder};
use serde_json::Value;
use tokio::runtime::Runtime;

/// A request being put together.
#[must_use]
pub struct Call<'a> {
    request: RequestBuilder,
    runtime: &'a Runtime,
    gateway_responses: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        request: RequestBuilder,
        runtime: &'a Runtime,
        gateway_responses: bool,
    ) -> Self {
        Self {
            request,
            runtime,
            gateway_responses,
        }
    }

    /// Adds a header. The value is sent as it stands.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).unwrap();
        let value = HeaderValue::try_from(value).unwrap();
        self.request = self.request.header(name, value);
        self
    }

    /// With this `Authorization` header.
    pub fn authorization(self, value: &str) -> Self {
        self.header("authorization", value)
    }

    /// With this credential as a bearer token.
    pub fn bearer(self, credential: &str) -> Self {
        self.authorization(&format!("Bearer {credential}"))
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// With a body that says nothing of its media type.
    pub fn body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.body(body);
        self
    }

    /// Sends the request; fails the test when there is no answer.
    #[track_caller]
    pub fn send(self) -> Reply {
        match self.try_send() {
            Ok(reply) => reply,
            Err(error) => panic!("no answer: {error:?}"),
        }
    }

    /// Sends the request; an error when there is no answer.
    ///
    /// # Errors
    /// The HTTP client's own.
    pub fn try_send(self) -> Result<Reply, Error> {
        let Self {
            request,
            runtime,
            gateway_responses,
        } = self;
        runtime.block_on(async {
            let response = request.send().await?;
            Ok(Reply {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: response.text().await?,
                gateway_responses,
            })
        })
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
    gateway_responses: bool,
}

impl Reply {
    /// The status must be this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// A header's first value, when it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header that must be there.
    #[track_caller]
    pub fn must_header(&self, name: &str) -> &str {
        match self.header(name) {
            Some(value) => value,
            None => panic!("no {name} in {self:#?}"),
        }
    }

    /// The elements of a header that is a list, in lower case and sorted; of several header lines
    /// as well.
    pub fn list(&self, name: &str) -> Vec<String> {
        let lines = self.headers.get_all(name).iter();
        let mut elements: Vec<String> = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(|element| element.trim().to_ascii_lowercase())
            .filter(|element| !element.is_empty())
            .collect();
        elements.sort();
        elements
    }

    /// The body, which must be JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}): {self:#?}"),
        }
    }

    /// The answer is a problem (RFC 9457) of this status and type, whole in each member.
    #[track_caller]
    pub fn problem(&self, status: u16, slug: &str) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        let media_type = self
            .must_header("content-type")
            .split(';')
            .next()
            .map(str::trim);
        assert_eq!(media_type, Some("application/problem+json"), "{self:#?}");
        let problem = self.json();
        let kind = problem["type"].as_str().unwrap_or_default();
        assert!(
            kind.starts_with("http") && kind.ends_with(&format!("/problems/{slug}")),
            "type is not {slug}: {self:#?}"
        );
        assert_eq!(problem["status"], status, "{self:#?}");
        for member in ["title", "detail", "instance"] {
            let text = problem[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no {member}: {self:#?}");
        }
        problem
    }

    /// As [`Reply::problem`] for an answer that API Gateway makes itself. A target without
    /// customised gateway responses is held to the status alone.
    #[track_caller]
    pub fn gateway_problem(&self, status: u16, slug: &str) {
        assert_eq!(self.status, status, "{self:#?}");
        if self.gateway_responses {
            self.problem(status, slug);
        }
    }
}
