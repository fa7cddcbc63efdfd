//! What a function finds beside its executable: its package, `/var/task` in Lambda, and its layers,
//! `/opt` there (Lambda developer guide, "Managing Lambda dependencies with layers").
//!
//! Neither place exists here. The package is the working directory of the process, as in Lambda; a
//! variable that names files below `/opt`, alone, in a list or among other words, is given the paths of the
//! layers' own; and the folders of layers that Lambda's runtimes search are searched. What a layer cannot
//! be here is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use keygate_model::{Application, Function, Runtime};

/// Where layers are in Lambda.
const OPT: &str = "/opt/";
/// What may be before or behind a path in a list or among other words, as in
/// `/opt/python:/opt/lib`, `--require /opt/trace.cjs` or `-javaagent:/opt/agent.jar`.
const ENDS: &[char] = &[' ', '\t', '\n', ':', ';', ',', '=', '"', '\''];

/// Why a function finds something else beside its executable than in Lambda.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A layer's content is not there.
    #[error("{function}: the content of its layer, {}, is no folder", path.display())]
    NoLayer {
        /// The function's logical id.
        function: String,
        /// `ContentUri`.
        path: PathBuf,
    },
    /// A layer brings programs that Lambda runs beside the function.
    #[error("{function}: its layer {} holds extensions, which the local gateway does not run", path.display())]
    Extensions {
        /// The function's logical id.
        function: String,
        /// `ContentUri`.
        path: PathBuf,
    },
    /// A variable is the path of a file that no layer has.
    #[error("{function}: its variable {variable} names /opt/{file}, which none of its layers has")]
    NoFile {
        /// The function's logical id.
        function: String,
        /// The variable.
        variable: String,
        /// The file, below `/opt`.
        file: String,
    },
}

/// The folder of a template, which paths in it are relative to.
#[must_use]
pub fn home(template: &Path) -> &Path {
    let folder = template
        .parent()
        .filter(|path| !path.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// The folder of a function's code, where there is one. `home` is the template's folder.
#[must_use]
pub fn directory(function: &Function, home: &Path) -> Option<PathBuf> {
    let directory = home.join(&function.code);
    directory.canonicalize().ok().filter(|path| path.is_dir())
}

/// The environment that the template gives a function, with the files of its layers where they are.
#[must_use]
pub fn environment(function: &Function, home: &Path) -> BTreeMap<String, String> {
    let variables = function.environment.iter();
    variables
        .map(|(name, value)| (name.clone(), located(function, home, value)))
        .collect()
}

/// A value in which each file that a layer has is where it is.
fn located(function: &Function, home: &Path, value: &str) -> String {
    let place = |path: &str| in_layers(function, home, path.strip_prefix(OPT)?);
    if let Some(whole) = place(value) {
        return whole;
    }
    let parts = value.split_inclusive(ENDS).map(|part| {
        let path = part.strip_suffix(ENDS).unwrap_or(part);
        let end = part.strip_prefix(path).unwrap_or_default();
        place(path).map_or_else(|| part.to_owned(), |place| place + end)
    });
    parts.collect()
}

/// Holds the layers of every function against what a layer can be here.
///
/// # Errors
/// The first that is something else.
pub fn check(application: &Application, home: &Path) -> Result<(), PackageError> {
    application
        .functions
        .values()
        .try_for_each(|function| check_layers(function, home))
}

fn check_layers(function: &Function, home: &Path) -> Result<(), PackageError> {
    let id = || function.id.clone();
    for layer in &function.layers {
        let (function, path) = (id(), home.join(layer));
        if !path.is_dir() {
            return Err(PackageError::NoLayer { function, path });
        }
        if path.join("extensions").exists() {
            return Err(PackageError::Extensions { function, path });
        }
    }
    for (variable, value) in &function.environment {
        // One among several may be missing, as a folder that is searched may.
        if let Some(file) = value.strip_prefix(OPT)
            && !value.contains(ENDS)
            && in_layers(function, home, file).is_none()
        {
            return Err(PackageError::NoFile {
                function: id(),
                variable: variable.clone(),
                file: file.to_owned(),
            });
        }
    }
    Ok(())
}

/// The variables by which programs of a function are found in its layers, in front of what the
/// template or this machine says (Lambda developer guide, "Layer paths for each Lambda runtime").
pub(crate) fn search_paths(function: &Function, home: &Path) -> BTreeMap<String, String> {
    let mut searched = vec![
        ("PATH", "bin".to_owned()),
        ("LD_LIBRARY_PATH", "lib".to_owned()),
    ];
    match &function.runtime {
        Runtime::Provided => {}
        Runtime::Python(version) => searched.extend([
            ("PYTHONPATH", "python".to_owned()),
            (
                "PYTHONPATH",
                format!("python/lib/python{version}/site-packages"),
            ),
        ]),
        Runtime::Node(version) => searched.extend([
            ("NODE_PATH", format!("nodejs/node{version}/node_modules")),
            ("NODE_PATH", "nodejs/node_modules".to_owned()),
        ]),
    }
    let mut variables: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for layer in &function.layers {
        for (variable, folder) in &searched {
            let folder = home.join(layer).join(folder).canonicalize();
            let folder = folder.ok().filter(|folder| folder.is_dir());
            let folders = variables.entry((*variable).to_owned()).or_default();
            folders.extend(folder);
        }
    }
    let environment = environment(function, home);
    variables
        .into_iter()
        .filter(|(_, folders)| !folders.is_empty())
        .filter_map(|(variable, mut folders)| {
            let given = environment.get(&variable).map(Into::into);
            let given =
                given.or_else(|| std::env::var_os(&variable).filter(|_| variable == "PATH"));
            folders.extend(given.iter().flat_map(std::env::split_paths));
            let joined = std::env::join_paths(folders).ok()?;
            Some((variable, joined.to_str()?.to_owned()))
        })
        .collect()
}

/// A file of the layers; of two with one name, that of the later layer.
fn in_layers(function: &Function, home: &Path, file: &str) -> Option<String> {
    let mut layers = function.layers.iter();
    layers.find_map(|layer| {
        let layer = home.join(layer).canonicalize().ok()?;
        let path = layer.join(file.trim_start_matches('/')).canonicalize();
        let path = path.ok().filter(|path| path.starts_with(&layer))?;
        path.to_str().map(str::to_owned)
    })
}
