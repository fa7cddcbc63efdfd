//! The names of what the linker has put into an executable.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use object::{Object as _, ObjectSymbol as _};

/// The symbols of an executable; of one that is stripped, none.
pub fn of(executable: &Path) -> Vec<String> {
    let data = fs::read(executable).unwrap();
    let file = object::File::parse(&*data).unwrap();
    let names = file.symbols().filter_map(|symbol| symbol.name().ok());
    names.map(str::to_owned).collect()
}

/// Why this process's executables, of which this is one, say nothing of what they link, if they do not.
pub fn lacking(executable: &Path) -> Option<&'static str> {
    static LACKING: OnceLock<bool> = OnceLock::new();
    let is_stripped = LACKING.get_or_init(|| of(executable).is_empty());
    is_stripped.then_some("the executables are stripped, as release builds are")
}
