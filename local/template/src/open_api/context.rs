//! What the operations of a document stand on.

use std::collections::BTreeMap;

use keygate_model::BodySchema;

use super::super::json;
use super::super::schemas::Schemas;
use super::super::yaml::Node;
use super::security::Schemes;
use super::validators::Validators;

/// What operations stand on.
pub(super) struct Context<'c> {
    /// The API's id.
    pub(super) api: &'c str,
    pub(super) functions: &'c BTreeMap<String, String>,
    pub(super) schemes: Schemes,
    pub(super) validators: Validators,
    /// The document's schemas, at the places where others refer to them.
    pub(super) schemas: Schemas,
}

impl Context<'_> {
    /// Compiles a schema of the document, with those that it may refer to beside it.
    pub(super) fn compile(&self, schema: &Node) -> Result<Option<BodySchema>, String> {
        let Some(schema) = json::of(schema) else {
            return Ok(None);
        };
        self.schemas.compile(&schema).map(Some)
    }
}
