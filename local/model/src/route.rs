//! What an API serves: methods of resources, and what answers them.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, HeaderValue};
use keygate_routes::{ResourcePath, RouteMethod};

use super::throttle::Throttle;
use super::validation::Validation;

/// One method of one resource.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method.
    pub method: RouteMethod,
    /// The resource.
    pub path: ResourcePath,
    /// What answers its requests.
    pub integration: Integration,
    /// Name of the authorizer; `None` is a public method.
    pub authorizer: Option<String>,
    /// Whether the method asks for a usage key (`ApiKeyRequired`).
    pub api_key_required: bool,
    /// How many requests the stage takes on it, of all callers together.
    pub throttle: Option<Throttle>,
    /// The same of single methods, by name, where the route is `ANY`: the stage's settings know each of
    /// its methods by itself.
    pub throttles: BTreeMap<String, Throttle>,
    /// What is checked of a request before it is passed on.
    pub validation: Validation,
    /// The event's line of the template.
    pub line: usize,
}

impl Route {
    /// The path and the method, as method settings and usage plans name them: `/books/{id}/GET`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.path, self.method)
    }

    /// The logical id of the function that serves it, if one does.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        match &self.integration {
            Integration::Function(id) => Some(id),
            Integration::Mock(_) => None,
        }
    }
}

/// What answers the requests of a method.
#[derive(Debug, Clone)]
pub enum Integration {
    /// The function of this logical id, by Lambda proxy integration.
    Function(String),
    /// API Gateway itself.
    Mock(Mock),
}

/// An answer that API Gateway gives by itself (`MOCK`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mock {
    /// The content types of requests that it is for; a request without one has `application/json`.
    pub takes: BTreeSet<String>,
    /// Whether a request of another content type is 415, and not passed through to nothing.
    pub refuses_others: bool,
    /// The status.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: String,
}
