//! What an API serves: methods of resources, and what answers them.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, HeaderValue};
use keygate_routes::{ResourcePath, RouteMethod};

use super::throttle::Throttle;
use super::validation::Validation;

/// One method of one resource.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// The method.
    pub(crate) method: RouteMethod,
    /// The resource.
    pub(crate) path: ResourcePath,
    /// What answers its requests.
    pub(crate) integration: Integration,
    /// Name of the authorizer; `None` is a public method.
    pub(crate) authorizer: Option<String>,
    /// Whether the method asks for a usage key (`ApiKeyRequired`).
    pub(crate) api_key_required: bool,
    /// How many requests the stage takes on it, of all callers together.
    pub(crate) throttle: Option<Throttle>,
    /// The same of single methods, by name, where the route is `ANY`: the stage's settings know each of
    /// its methods by itself.
    pub(crate) throttles: BTreeMap<String, Throttle>,
    /// What is checked of a request before it is passed on.
    pub(crate) validation: Validation,
    /// The event's line of the template.
    pub(crate) line: usize,
}

impl Route {
    /// The path and the method, as method settings and usage plans name them: `/books/{id}/GET`.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.path, self.method)
    }

    /// The logical id of the function that serves it, if one does.
    pub(crate) fn function(&self) -> Option<&str> {
        match &self.integration {
            Integration::Function(id) => Some(id),
            Integration::Mock(_) => None,
        }
    }
}

/// What answers the requests of a method.
#[derive(Debug, Clone)]
pub(crate) enum Integration {
    /// The function of this logical id, by Lambda proxy integration.
    Function(String),
    /// API Gateway itself.
    Mock(Mock),
}

/// An answer that API Gateway gives by itself (`MOCK`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mock {
    /// The content types of requests that it is for; a request without one has `application/json`.
    pub(crate) takes: BTreeSet<String>,
    /// Whether a request of another content type is 415, and not passed through to nothing.
    pub(crate) refuses_others: bool,
    /// The status.
    pub(crate) status: u16,
    /// Header names and values.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub(crate) body: String,
}
