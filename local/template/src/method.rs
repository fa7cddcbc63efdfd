//! One method of an API as the template has it, before it is held against the API.

use keygate_model::{Integration, Validation};
use keygate_routes::{ResourcePath, RouteMethod};

use super::request_validation::Asked;

/// One method on one path, as its function or the API's document asks for it.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) place: String,
    pub(super) line: usize,
    pub(super) api: String,
    pub(super) method: RouteMethod,
    pub(super) path: ResourcePath,
    pub(super) integration: Integration,
    pub(super) authorizer: Option<String>,
    pub(super) api_key_required: Option<bool>,
    pub(super) checks: Checks,
    /// Whether API Gateway calls the function by a role, which needs no permission of the function.
    pub(super) has_role: bool,
}

impl Event {
    /// The logical id of the function that it calls, if it calls one.
    pub(super) fn function(&self) -> Option<&str> {
        match &self.integration {
            Integration::Function(id) => Some(id),
            Integration::Mock(_) => None,
        }
    }
}

/// What is checked of a method's requests.
#[derive(Debug)]
pub(super) enum Checks {
    /// As an event asks for it, by the API's models.
    Asked(Asked),
    /// As an OpenAPI document has it.
    Read(Validation),
}
