//! The stage that is served: what does not change from request to request.

use std::collections::BTreeMap;

use http::Method;
use keygate_model::Api;
use keygate_model::deployment;

use super::binary::BinaryMediaTypes;

/// One stage of an API.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) api_id: String,
    pub(super) name: String,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) binary: BinaryMediaTypes,
}

impl Stage {
    /// The stage of an API.
    pub(super) fn of(api: &Api) -> Self {
        Self {
            api_id: api.id.clone(),
            name: api.stage.clone(),
            variables: api.stage_variables.clone(),
            binary: BinaryMediaTypes::new(&api.binary_media_types),
        }
    }

    /// The ARN of a method on a path below the stage.
    pub(super) fn method_arn(&self, method: &Method, path: &str) -> String {
        deployment::method_arn(&self.api_id, &self.name, method.as_str(), path)
    }
}
