//! What a function finds beside its executable: its package, `/var/task` in Lambda, and its layers,
//! `/opt` there (Lambda developer guide, "Managing Lambda dependencies with layers").
//!
//! Neither place exists here. The package is the working directory of the process, as in Lambda, and
//! a variable that names a file below `/opt` is given the path of the layer's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::Function;

/// Where layers are in Lambda.
const OPT: &str = "/opt/";

/// The folder of a template, which paths in it are relative to.
pub(crate) fn home(template: &Path) -> &Path {
    let folder = template
        .parent()
        .filter(|path| !path.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// The folder of a function's code, where there is one. `home` is the template's folder.
pub(crate) fn directory(function: &Function, home: &Path) -> Option<PathBuf> {
    let directory = home.join(&function.code);
    directory.canonicalize().ok().filter(|path| path.is_dir())
}

/// The environment that the template gives a function, with the files of its layers where they are.
pub(crate) fn environment(function: &Function, home: &Path) -> BTreeMap<String, String> {
    let mut environment = function.environment.clone();
    for value in environment.values_mut() {
        if let Some(path) = value
            .strip_prefix(OPT)
            .and_then(|file| in_layers(function, home, file))
        {
            *value = path;
        }
    }
    environment
}

/// A file of the layers; of two with one name, that of the later layer.
fn in_layers(function: &Function, home: &Path, file: &str) -> Option<String> {
    let mut layers = function.layers.iter();
    layers.find_map(|layer| {
        let path = home.join(layer).join(file).canonicalize().ok()?;
        path.to_str().map(str::to_owned)
    })
}
