//! Every refusal as one shape: RFC 9457 problem details, `application/problem+json`.
//!
//! A problem's `type` is the address of a page that the error mapper serves, so the set of types in
//! [`CATALOGUE`] is part of the API's contract. The same shape comes from API Gateway itself, by the
//! gateway responses in `template.yaml`.

mod catalogue;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use catalogue::*;

/// The media type of RFC 9457 section 6.1.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A kind of problem, with what its page says.
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemType {
    /// The last segment of the type's address.
    pub slug: &'static str,
    /// The HTTP status that goes with it.
    pub status: u16,
    /// The short summary, the same for every occurrence (RFC 9457 section 3.1.3).
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What causes it, most likely first.
    pub causes: &'static [&'static str],
    /// What to do about it.
    pub remedy: &'static str,
}

/// The type with this slug.
#[must_use]
pub fn find(slug: &str) -> Option<&'static ProblemType> {
    CATALOGUE.iter().copied().find(|kind| kind.slug == slug)
}

/// One occurrence of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub kind: &'static ProblemType,
    /// What went wrong this time, for the client to read: no internals, no credential.
    pub detail: String,
    /// Further members, such as `errors`.
    pub members: BTreeMap<&'static str, Value>,
    /// Headers that go with it, such as `Allow`.
    pub headers: Vec<(http::HeaderName, String)>,
}

impl Problem {
    /// A problem of this kind.
    pub fn new(kind: &'static ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            members: BTreeMap::new(),
            headers: Vec::new(),
        }
    }

    /// Adds a member of its own.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.insert(name, value.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: http::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The JSON body. `public_url` is where clients reach the stage, without a slash at its end;
    /// `instance` is the request id.
    #[must_use]
    pub fn to_json(&self, public_url: &str, instance: &str) -> Value {
        let mut body = json!({
            "type": type_uri(public_url, self.kind),
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": instance,
        });
        if let Some(object) = body.as_object_mut() {
            for (name, value) in &self.members {
                object.insert((*name).to_owned(), value.clone());
            }
        }
        body
    }
}

/// The address of a type's page.
#[must_use]
pub fn type_uri(public_url: &str, kind: &ProblemType) -> String {
    format!("{public_url}/problems/{}", kind.slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_members_of_rfc_9457_and_its_own() {
        let problem = Problem::new(&INVALID_BODY, "One field is wrong.")
            .with("errors", json!([{"field": "name"}]));
        assert_eq!(
            problem.to_json("https://api.example.com/v1", "r-1"),
            json!({
                "type": "https://api.example.com/v1/problems/invalid-body",
                "title": "Invalid body",
                "status": 422,
                "detail": "One field is wrong.",
                "instance": "r-1",
                "errors": [{"field": "name"}],
            })
        );
    }

    #[test]
    fn every_type_has_its_own_slug_and_a_whole_page() {
        for (position, kind) in CATALOGUE.iter().enumerate() {
            assert!(
                CATALOGUE[..position]
                    .iter()
                    .all(|other| other.slug != kind.slug)
            );
            assert!((400..600).contains(&kind.status), "{}", kind.slug);
            assert!(!kind.causes.is_empty(), "{}", kind.slug);
        }
    }
}
