//! Who is calling, as logs, handlers and the key table know them: a [`name`] and [`scope`]s, and the
//! [`claim`]s that handlers are given.

pub mod claim;
pub mod metadata;
pub mod name;
pub mod scope;
