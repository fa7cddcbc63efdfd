//! How many requests are let through.

/// A token bucket: `burst` tokens at most, refilled at `rate` a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttle {
    /// Tokens a second; greater than zero.
    pub rate: f64,
    /// The bucket's size; at least 1.
    pub burst: u32,
}
