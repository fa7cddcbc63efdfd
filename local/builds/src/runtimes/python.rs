//! Python, with the package `awslambdaric`.

use std::path::{Path, PathBuf};
use std::process::Output;

use keygate_functions::Launch;

use super::{Quoted, RuntimeError, Wanted, on_path};

/// Says its version, and fails where the client is not there.
const PROBE: &str = "import sys; print('%d.%d' % sys.version_info[:2], flush=True); \
                     import awslambdaric";

/// How a function of this version of Python is started.
///
/// # Errors
/// When the interpreter or the client is not there.
pub(crate) async fn launch(wanted: &Wanted<'_>, version: &str) -> Result<Launch, RuntimeError> {
    // An environment of its own is the one that counts, whatever the path has: the handler's other
    // dependencies are there.
    let environment = wanted
        .folders()
        .map(|folder| folder.join(".venv"))
        .find(|environment| environment.is_dir());
    let versioned = format!("python{version}");
    let (candidates, programs) = if let Some(environment) = &environment {
        let own = environment.join("bin/python");
        let program = own.display().to_string();
        (vec![own], program)
    } else {
        let programs = [versioned.as_str(), "python3"];
        let found = programs.into_iter().filter_map(on_path).collect();
        (found, programs.join(" or "))
    };
    let Some((interpreter, output)) = first_that_runs(wanted, candidates).await? else {
        return Err(wanted.no_interpreter(&programs));
    };
    if !output.status.success() {
        let command = installation(wanted, environment.as_deref(), &interpreter);
        return Err(wanted.no_client("(awslambdaric) is not installed", command));
    }
    let found = String::from_utf8_lossy(&output.stdout);
    wanted.compare(version, found.trim());
    Ok(Launch {
        path: interpreter,
        // The module's folder is the package, the working directory, as in Lambda.
        arguments: vec!["-m".to_owned(), "awslambdaric".to_owned(), wanted.handler()],
        package: Some(wanted.package.to_owned()),
    })
}

/// The first interpreter that says its version. A program of that name may be there and stand for none, as
/// those of version managers do.
async fn first_that_runs(
    wanted: &Wanted<'_>,
    candidates: Vec<PathBuf>,
) -> Result<Option<(PathBuf, Output)>, RuntimeError> {
    for interpreter in candidates {
        let output = wanted.ask(&interpreter, &["-c", PROBE]).await?;
        if let Some(output) = output.filter(|output| !output.stdout.is_empty()) {
            return Ok(Some((interpreter, output)));
        }
    }
    Ok(None)
}

/// The command that installs the client where it is looked for.
fn installation(wanted: &Wanted<'_>, environment: Option<&Path>, interpreter: &Path) -> String {
    let pip = |environment: &Path| environment.join("bin/pip");
    let quoted = |path: PathBuf| Quoted(path.as_os_str()).to_string();
    match environment {
        Some(environment) if pip(environment).exists() => {
            format!("{} install awslambdaric", quoted(pip(environment)))
        }
        // As `uv venv` makes it, without pip.
        Some(environment) => format!(
            "uv pip install --python {} awslambdaric",
            quoted(environment.to_owned())
        ),
        None => {
            let environment = wanted.code.join(".venv");
            format!(
                "{} -m venv {} && {} install awslambdaric",
                quoted(interpreter.to_owned()),
                quoted(environment.clone()),
                quoted(pip(&environment)),
            )
        }
    }
}
