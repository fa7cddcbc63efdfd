//! What of a stage can be seen and changed while it is served. Clients of it are the management API and
//! whoever shows the stage; no step of a request knows them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use keygate_model as model;

use super::authorizer::Authorizer;
use super::usage_keys::Usage;

/// A stage, as clients see and change it. What they change holds from the next request on.
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

/// The way to the stage that is served, which a change of the template replaces.
#[derive(Debug, Clone)]
pub struct Controls(Arc<RwLock<Control>>);

impl Controls {
    /// The stage that is served now.
    #[must_use]
    pub fn current(&self) -> Control {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Leads to another stage from the next call on.
    pub fn replace(&self, control: Control) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = control;
    }
}

impl From<Control> for Controls {
    fn from(control: Control) -> Self {
        Self(Arc::new(RwLock::new(control)))
    }
}
