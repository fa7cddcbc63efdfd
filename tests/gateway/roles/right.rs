//! What IAM is asked about a call.

use std::collections::BTreeMap;
use std::fmt;

/// One thing that a caller must be allowed. A call may need several.
#[derive(Debug, Clone)]
pub(crate) struct Right {
    /// Such as `dynamodb:GetItem`.
    pub(crate) action: String,
    /// The ARN of what it is done to.
    pub(crate) resource: String,
    /// The condition keys that the request carries.
    pub(crate) context: BTreeMap<String, Vec<String>>,
}

impl Right {
    /// A right that no condition key says more of.
    pub(crate) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            context: BTreeMap::new(),
        }
    }

    /// The same with a condition key.
    pub(crate) fn with(mut self, key: impl Into<String>, values: Vec<String>) -> Self {
        self.context.insert(key.into(), values);
        self
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)?;
        if !self.context.is_empty() {
            write!(f, " with {:?}", self.context)?;
        }
        Ok(())
    }
}
