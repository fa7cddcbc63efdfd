//! Where the lines of functions go.

use std::fmt;
use std::sync::Arc;

/// A line of a function's log.
#[derive(Debug, Clone, Copy)]
pub struct Said<'l> {
    /// The function's logical id.
    pub function: &'l str,
    /// The id of the request that its process is at work on.
    pub request: Option<&'l str>,
    /// The line, in which nothing is invisible.
    pub line: &'l str,
}

/// Who is told of each line, in the order in which a process says them.
#[derive(Clone)]
pub struct Outlet(Arc<dyn Fn(&Said<'_>) + Send + Sync>);

impl Outlet {
    /// Has lines told to `hear`, which must not wait: until it is done, nothing more is read of the process.
    pub fn to(hear: impl Fn(&Said<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    pub(crate) fn say(&self, said: &Said<'_>) {
        (self.0)(said);
    }

    /// To nobody.
    #[cfg(test)]
    pub(crate) fn unread() -> Self {
        Self::to(|_| ())
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Outlet")
    }
}
