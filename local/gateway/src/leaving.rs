//! Functions that templates have no more, for as long as a request may need them.

use std::sync::{Arc, OnceLock};

use crate::Parting;

/// What goes with a front: the functions that its successor has no more, and what goes with the successor. A
/// request that is older than two changes of the template may need a function that only the second took away.
#[derive(Debug, Default)]
pub(super) struct Leaving(OnceLock<(Parting, Arc<Leaving>)>);

impl Leaving {
    /// Holds these until nobody holds this.
    pub(super) fn set(&self, parting: Parting, next: &Arc<Self>) {
        // Nobody replaces a front twice.
        let _ = self.0.set((parting, Arc::clone(next)));
    }
}
