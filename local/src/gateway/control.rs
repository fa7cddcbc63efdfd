//! What of a stage can be seen and changed while it is served.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::authorizer::Authorizer;
use super::usage_keys::Usage;
use crate::model;

/// What calls of API Gateway's management API see and change while requests are served.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    /// The API's id.
    pub(crate) api_id: String,
    /// The stage's name.
    pub(crate) stage: String,
    /// Usage plans and the keys on them.
    pub(crate) usage: Arc<Usage>,
    pub(super) authorizers: Arc<BTreeMap<String, Authorizer>>,
}

impl Control {
    /// The stage's authorizers by their names.
    pub(crate) fn authorizers(&self) -> impl Iterator<Item = (&str, &model::Authorizer)> {
        let authorizers = self.authorizers.iter();
        authorizers.map(|(name, authorizer)| (name.as_str(), authorizer.settings()))
    }

    /// Forgets what the stage's authorizers have answered.
    pub(crate) fn flush_authorizers(&self) {
        for authorizer in self.authorizers.values() {
            authorizer.flush();
        }
    }
}
