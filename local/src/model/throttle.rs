//! How many requests are let through.

/// A token bucket: `burst` tokens at most, refilled at `rate` a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Throttle {
    /// Tokens a second; greater than zero.
    pub(crate) rate: f64,
    /// The bucket's size; at least 1.
    pub(crate) burst: u32,
}
