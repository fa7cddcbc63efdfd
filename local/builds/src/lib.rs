//! What the functions of a template are started from. [`package`] says where a function's code and layers
//! are, and [`binaries`] what runs it: what cargo or make builds, or what is there already, with AWS's
//! runtime interface client where its language needs one.

pub mod binaries;
mod build_log;
mod cargo;
mod make;
pub mod package;
mod runtimes;

pub use self::build_log::BuildLog;
pub use self::cargo::CargoError;
pub use self::make::MakeError;
pub use self::runtimes::RuntimeError;
