//! A browser without a window, and what drives it.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::node::{self, Packages};

/// Where Debian's package has it, and others have theirs.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Why no browser can be run here, if none can.
#[must_use]
pub fn lacking() -> Option<&'static str> {
    let is_lacking = program().is_none();
    let chromium = is_lacking.then_some("there is no chromium on the path");
    node::lacking().or(chromium)
}

/// The browser.
#[must_use]
pub fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut places = folders
        .iter()
        .flat_map(|folder| NAMES.map(|name| folder.join(name)));
    places.find(|place| place.exists())
}

/// The packages of the program in `tests/browser`.
#[must_use]
pub fn packages() -> &'static Packages {
    static PACKAGES: OnceLock<Packages> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let manifest = include_str!("../browser/package.json");
        Packages::installed(manifest, include_str!("../browser/package-lock.json"))
    })
}
