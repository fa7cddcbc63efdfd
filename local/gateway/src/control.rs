//! What of a stage can be seen and changed while it is served.

use std::collections::BTreeMap;
use std::sync::Arc;

use keygate_model as model;

use super::authorizer::Authorizer;
use super::usage_keys::Usage;

/// What calls of API Gateway's management API see and change while requests are served.
#[derive(Debug, Clone)]
pub struct Control {
    /// The API's id.
    pub api_id: String,
    /// The stage's name.
    pub stage: String,
    /// Usage plans and the keys on them.
    pub usage: Arc<Usage>,
    pub(super) authorizers: Arc<BTreeMap<String, Authorizer>>,
}

impl Control {
    /// The stage's authorizers by their names.
    pub fn authorizers(&self) -> impl Iterator<Item = (&str, &model::Authorizer)> {
        let authorizers = self.authorizers.iter();
        authorizers.map(|(name, authorizer)| (name.as_str(), authorizer.settings()))
    }

    /// Forgets what the stage's authorizers have answered.
    pub fn flush_authorizers(&self) {
        for authorizer in self.authorizers.values() {
            authorizer.flush();
        }
    }
}
