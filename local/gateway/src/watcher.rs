//! Who looks on while requests are answered.

use std::fmt;

use crate::trip::Trip;

/// Who is told of each request once it is answered, if anybody is.
pub struct Watcher(Option<Hear>);

type Hear = Box<dyn Fn(&Trip) + Send + Sync>;

impl Watcher {
    /// Nobody.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Has each request told to `hear`, which must not wait: no other request is answered by its thread
    /// meanwhile.
    pub fn to(hear: impl Fn(&Trip) + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(hear)))
    }

    /// Whether anybody is told.
    pub(crate) fn is_read(&self) -> bool {
        self.0.is_some()
    }

    /// Says what became of a request.
    pub(crate) fn say(&self, trip: &Trip) {
        if let Some(hear) = &self.0 {
            hear(trip);
        }
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Watcher")
    }
}
