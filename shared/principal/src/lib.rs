//! Who is calling, as logs, handlers and the key table know them: a [`name`] and [`scope`]s.

pub mod name;
pub mod scope;
