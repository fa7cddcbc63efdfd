//! Which files of a project are watched, and what a change of one concerns.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use keygate_builds::package;
use keygate_model::{Application, Build, Function};
use keygate_template::SAM_CONFIGS;

use crate::changes::{Changes, ChangesError};
use crate::cli::Serve;

/// What a change concerns.
pub(super) enum Concern {
    /// The template or its parameters, or what all functions stand on.
    Everything,
    /// These functions; none, where it is nobody's.
    Functions(BTreeSet<String>),
}

/// What changes of a project from here on.
///
/// # Errors
/// When the system does not watch, or there are too many folders.
pub(super) fn begin(options: &Serve, application: &Application) -> Result<Changes, ChangesError> {
    let own = [
        &options.data,
        &options.access_log,
        &options.identity,
        &options.ready_file,
    ];
    let own: Vec<PathBuf> = own.into_iter().flatten().cloned().collect();
    let mut changes = Changes::new(&own, template(options))?;
    watch(&mut changes, options, application)?;
    Ok(changes)
}

/// Watches what there is of the project now.
///
/// # Errors
/// As [`begin`].
pub(super) fn watch(
    changes: &mut Changes,
    options: &Serve,
    application: &Application,
) -> Result<(), ChangesError> {
    let home = home(options);
    changes.watch(&home)?;
    if let Some(functions) = functions_folder(options) {
        changes.watch(&functions)?;
    }
    for function in application.functions.values() {
        match (&function.build, &options.functions) {
            (Build::Cargo(_), None) => changes.watch_below(&home)?,
            (Build::Cargo(name), Some(given)) => watch_if_there(changes, &given.join(name))?,
            (Build::Make, Some(given)) => watch_if_there(changes, &given.join(&function.id))?,
            (Build::Make | Build::None, _) => {
                if let Some(code) = package::directory(function, &home) {
                    changes.watch_below(&code)?;
                }
            }
        }
        for layer in layers(function, &home) {
            changes.watch_below(&layer)?;
        }
    }
    Ok(())
}

/// What these files are to what is served.
pub(super) fn concern(
    changed: &BTreeSet<PathBuf>,
    options: &Serve,
    application: &Application,
) -> Concern {
    let home = home(options);
    let is_in = |folder: &Path| changed.iter().any(|path| path.starts_with(folder));
    let template = options.template.file_name();
    let mut all_said = template.into_iter().chain(SAM_CONFIGS.map(OsStr::new));
    let functions = application.functions.values();
    let mut all_layers = functions
        .clone()
        .flat_map(|function| layers(function, &home));
    if all_said.any(|name| changed.contains(&home.join(name)))
        || all_layers.any(|layer| is_in(&layer))
    {
        return Concern::Everything;
    }
    let given = functions_folder(options);
    let is_concerned = |function: &&Function| match (&function.build, &given) {
        (Build::Cargo(_) | Build::Make, Some(given)) => is_in(given),
        (Build::Cargo(_), None) => is_in(&home),
        (Build::Make | Build::None, _) => {
            package::directory(function, &home).is_some_and(|code| is_in(&code))
        }
    };
    let concerned = functions.filter(is_concerned);
    Concern::Functions(concerned.map(|function| function.id.clone()).collect())
}

/// The folders of the code from which make builds these functions.
pub(super) fn built_by_make(
    ids: &BTreeSet<String>,
    options: &Serve,
    application: &Application,
) -> Vec<PathBuf> {
    let home = home(options);
    let functions = application.functions.values();
    functions
        .filter(|function| ids.contains(&function.id) && function.build == Build::Make)
        .filter_map(|function| package::directory(function, &home))
        .collect()
}

/// The template's folder, as the system tells it.
pub(super) fn home(options: &Serve) -> PathBuf {
    let home = package::home(&options.template);
    home.canonicalize().unwrap_or_else(|_| home.to_owned())
}

fn template(options: &Serve) -> PathBuf {
    let name = options.template.file_name().unwrap_or_default();
    home(options).join(name)
}

fn functions_folder(options: &Serve) -> Option<PathBuf> {
    options.functions.as_ref()?.canonicalize().ok()
}

fn watch_if_there(changes: &mut Changes, folder: &Path) -> Result<(), ChangesError> {
    let folder = folder.canonicalize().ok().filter(|folder| folder.is_dir());
    folder.map_or(Ok(()), |folder| changes.watch_below(&folder))
}

fn layers(function: &Function, home: &Path) -> Vec<PathBuf> {
    let layers = function.layers.iter();
    layers
        .filter_map(|layer| home.join(layer).canonicalize().ok())
        .collect()
}
