//! What each function is started from: what cargo or make builds, or `--functions` gives, or what comes
//! with its code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keygate_functions::{Launch, Program, can_run};
use keygate_model::{Application, Build, Function, Runtime};
use tempfile::TempDir;

use crate::build_log::BuildLog;
use crate::cargo::{self, CargoError};
use crate::make::{self, MakeError};
use crate::package;
use crate::runtimes::{RuntimeError, Wanted, node, python};

/// Why an executable is not there.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// cargo did not build the functions.
    #[error(transparent)]
    Cargo(#[from] CargoError),
    /// A function's package has no executable.
    #[error("{function}: there is no executable file {}: a function of a provided runtime has its bootstrap there", path.display())]
    NoBootstrap {
        /// The function's logical id.
        function: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// A function's code or package is not there.
    #[error("{function}: there is no folder {}", path.display())]
    NoFolder {
        /// The function's logical id.
        function: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// make did not build a function.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// What a function runs on is missing.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// There is no place for the executables that run.
    #[error("the functions' executables cannot be kept beside those that cargo builds: {0}")]
    Links(std::io::Error),
    /// Something is missing for each of several functions.
    #[error("{}", lines(.0))]
    Several(Vec<BinaryError>),
    /// A binary that the template names is not there.
    #[error("the template names the binary {binary}, which is not {place}")]
    Missing {
        /// The binary's name.
        binary: String,
        /// Where it was looked for.
        place: String,
    },
}

/// What every function is started from.
#[derive(Debug)]
pub struct Built {
    /// By logical id.
    launches: BTreeMap<String, Launch>,
    /// What make has made, which lives as long as the value.
    _artifacts: Option<TempDir>,
    /// The executables of a build that others may follow, likewise.
    _links: Option<TempDir>,
    /// The functions whose executables are cargo's.
    by_cargo: BTreeSet<String>,
}

/// What is built, and how.
#[derive(Debug, Clone, Copy)]
pub struct Building<'b> {
    /// The functions are its.
    pub application: &'b Application,
    /// The template's folder.
    pub home: &'b Path,
    /// Where built functions are, instead of building them.
    pub functions: Option<&'b Path>,
    /// Who is told of it.
    pub log: &'b BuildLog,
    /// Whether other builds may follow while processes are started from this one.
    pub is_watched: bool,
}

/// Which file an executable is, so that one that was not built anew is known.
pub type Identity = (u64, u64, i64, i64);

impl Built {
    /// The executables that cargo has built, of the functions that have one.
    #[must_use]
    pub fn identities(&self) -> BTreeMap<String, Identity> {
        let launches = self.launches.iter();
        let built = launches.filter(|(id, _)| self.by_cargo.contains(*id));
        built
            .filter_map(|(id, launch)| {
                let file = launch.path.metadata().ok()?;
                let identity = (file.dev(), file.ino(), file.mtime(), file.mtime_nsec());
                Some((id.clone(), identity))
            })
            .collect()
    }

    /// The functions as programs, with the environment that each is given: `services`, by which the SDK
    /// finds what runs on this machine, what the template says, and its layers.
    #[must_use]
    pub fn programs(
        self: &Arc<Self>,
        application: &Application,
        services: &BTreeMap<String, String>,
        home: &Path,
    ) -> Vec<Program> {
        let program = |function: &Function| {
            let mut environment = services.clone();
            environment.extend(package::environment(function, home));
            environment.extend(package::search_paths(function, home));
            Some(Program {
                function: function.clone(),
                launch: self.launches.get(&function.id)?.clone(),
                environment,
                is_of_requests: application.api.calls(&function.id),
                kept: Some(Arc::clone(self) as _),
            })
        };
        application.functions.values().filter_map(program).collect()
    }
}

/// What every function of the application is started from: its package, and what is there or is built.
pub async fn executables(building: Building<'_>) -> Result<Built, BinaryError> {
    let Building {
        application,
        home,
        functions,
        log,
        is_watched,
    } = building;
    let all = || application.functions.values();
    let by_cargo = all().filter(|function| matches!(function.build, Build::Cargo(_)));
    let binaries = all().filter_map(|function| match &function.build {
        Build::Cargo(binary) => Some(binary.clone()),
        Build::None | Build::Make => None,
    });
    let binaries: BTreeSet<String> = binaries.collect();
    let mut paths = match functions {
        _ if binaries.is_empty() => BTreeMap::new(),
        Some(directory) => find(&binaries, directory)?,
        None => cargo::build(&binaries, home, log).await?,
    };
    // What is given is for others to replace, as cargo does: under a name that is free by then.
    let is_linked = is_watched && functions.is_none();
    let links = is_linked.then(|| links(&mut paths)).transpose()?;
    let is_made = all().any(|function| function.build == Build::Make);
    let artifacts = match functions {
        None if is_made => Some(make::artifacts()?),
        _ => None,
    };
    let place = artifacts.as_ref().map(TempDir::path);
    let place = functions.or(place).unwrap_or(home);
    if artifacts.is_some() {
        let made = all().filter(|function| function.build == Build::Make);
        let made: Vec<&Function> = made.collect();
        for (number, function) in (1..).zip(&made) {
            let (id, count) = (&function.id, made.len());
            log.tell(&format!("building {id} with make ({number} of {count})"));
            make::build(id, &code(function, home)?, place, log).await?;
        }
    }
    let launches = all().map(|function| async {
        let launch = match &function.build {
            Build::Cargo(binary) => Launch {
                path: built(&paths, binary)?,
                arguments: Vec::new(),
                package: package::directory(function, home),
            },
            Build::Make => {
                packaged(function, home, &folder(function, place.join(&function.id))?).await?
            }
            Build::None => packaged(function, home, &code(function, home)?).await?,
        };
        Ok((function.id.clone(), launch))
    });
    Ok(Built {
        launches: all_or_what_is_missing(futures_util::future::join_all(launches).await)?,
        _artifacts: artifacts,
        _links: links,
        by_cargo: by_cargo.map(|function| function.id.clone()).collect(),
    })
}

/// Gives executables names of their own, under which they stay what they are while the next build writes
/// others: a process may be started at any time.
fn links(paths: &mut BTreeMap<String, PathBuf>) -> Result<TempDir, BinaryError> {
    let folder = paths.values().find_map(|path| path.parent());
    let folder = folder.map_or_else(std::env::temp_dir, Path::to_owned);
    let links = TempDir::with_prefix_in(".keygate-", folder).map_err(BinaryError::Links)?;
    for (binary, path) in paths {
        let link = links.path().join(binary);
        let linked = fs::hard_link(&*path, &link);
        linked
            .or_else(|_| fs::copy(&*path, &link).map(drop))
            .map_err(BinaryError::Links)?;
        *path = link;
    }
    Ok(links)
}

/// All of them, or what is missing for each that is not there, so that one start names it all.
fn all_or_what_is_missing(
    launches: Vec<Result<(String, Launch), BinaryError>>,
) -> Result<BTreeMap<String, Launch>, BinaryError> {
    let mut found = BTreeMap::new();
    let mut missing = Vec::new();
    for launch in launches {
        match launch {
            Ok((function, launch)) => drop(found.insert(function, launch)),
            Err(error) => missing.push(error),
        }
    }
    if missing.len() > 1 {
        return Err(BinaryError::Several(missing));
    }
    missing.pop().map_or(Ok(found), Err)
}

fn lines(errors: &[BinaryError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The folder of a function's code.
fn code(function: &Function, home: &Path) -> Result<PathBuf, BinaryError> {
    folder(function, home.join(&function.code))
}

fn folder(function: &Function, path: PathBuf) -> Result<PathBuf, BinaryError> {
    let folder = path.canonicalize().ok().filter(|path| path.is_dir());
    let function = function.id.clone();
    folder.ok_or(BinaryError::NoFolder { function, path })
}

/// A function whose package holds what is run.
async fn packaged(function: &Function, home: &Path, package: &Path) -> Result<Launch, BinaryError> {
    let code = code(function, home)?;
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    let wanted = Wanted {
        function,
        code: &code,
        package,
        home: &home,
        search_paths: &package::search_paths(function, &home),
    };
    Ok(match &function.runtime {
        Runtime::Provided => bootstrap(function, package)?,
        Runtime::Python(version) => python::launch(&wanted, version).await?,
        Runtime::Node(version) => node::launch(&wanted, version).await?,
    })
}

fn bootstrap(function: &Function, package: &Path) -> Result<Launch, BinaryError> {
    let path = package.join("bootstrap");
    if !can_run(&path) {
        let function = function.id.clone();
        return Err(BinaryError::NoBootstrap { function, path });
    }
    Ok(Launch {
        path,
        arguments: Vec::new(),
        package: Some(package.to_owned()),
    })
}

fn built(paths: &BTreeMap<String, PathBuf>, binary: &str) -> Result<PathBuf, BinaryError> {
    let path = paths.get(binary).cloned();
    path.ok_or_else(|| BinaryError::Missing {
        binary: binary.to_owned(),
        place: "built".to_owned(),
    })
}

/// The executables of these binaries below `directory`: `NAME`, or `NAME/bootstrap` as
/// `cargo lambda build` leaves them.
fn find(
    binaries: &BTreeSet<String>,
    directory: &Path,
) -> Result<BTreeMap<String, PathBuf>, BinaryError> {
    binaries
        .iter()
        .map(|binary| {
            let plain = directory.join(binary);
            let packaged = plain.join("bootstrap");
            let found = [packaged, plain].into_iter().find(|path| path.is_file());
            let found = found.and_then(|path| path.canonicalize().ok());
            found
                .map(|path| (binary.clone(), path))
                .ok_or_else(|| BinaryError::Missing {
                    binary: binary.clone(),
                    place: format!("in {}", directory.display()),
                })
        })
        .collect()
}
