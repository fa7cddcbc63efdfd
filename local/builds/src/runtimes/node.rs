//! Node.js, with the package `aws-lambda-ric`.

use std::path::Path;

use keygate_functions::{Launch, can_run};

use super::{Quoted, RuntimeError, Wanted, on_path};

/// The client's program.
const CLIENT: &str = "aws-lambda-ric";

/// Where the client keeps its compiled part: since version 4, and before.
const COMPILED: [&str; 2] = ["rapid-client.node", "dist/rapid-client.node"];

/// How a function of this major version of Node.js is started.
///
/// # Errors
/// When the interpreter or the client is not there.
pub(crate) async fn launch(wanted: &Wanted<'_>, version: &str) -> Result<Launch, RuntimeError> {
    let no_node = || wanted.no_interpreter("node");
    // The client names its interpreter itself: `#!/usr/bin/env node`.
    let node = on_path("node").ok_or_else(no_node)?;
    let said = wanted.ask(&node, &["--version"]).await?;
    let said = said.ok_or_else(no_node)?.stdout;
    let said = String::from_utf8_lossy(&said);
    let found = said.trim().trim_start_matches('v').split('.').next();

    let program = |modules: &Path| modules.join(".bin").join(CLIENT);
    let own = wanted
        .folders()
        .map(|folder| folder.join("node_modules"))
        .find(|modules| can_run(&program(modules)));
    if let Some(modules) = &own {
        let package = modules.join(CLIENT);
        if !COMPILED.iter().any(|part| package.join(part).exists()) {
            let folder = modules.parent().unwrap_or(wanted.code);
            let command = format!(
                "npm rebuild --prefix {} {CLIENT}",
                Quoted(folder.as_os_str())
            );
            let lack =
                "(aws-lambda-ric) lacks its compiled part, which takes cmake and a C++ compiler";
            return Err(wanted.no_client(lack, command));
        }
    }
    let own = own.map(|modules| program(&modules));
    let Some(path) = own.or_else(|| on_path(CLIENT)) else {
        let code = Quoted(wanted.code.as_os_str());
        let command = format!("npm install --prefix {code} {CLIENT}");
        return Err(wanted.no_client("(aws-lambda-ric) is not installed", command));
    };
    wanted.compare(version, found.unwrap_or_default());
    Ok(Launch {
        path,
        arguments: vec![wanted.handler()],
        package: Some(wanted.package.to_owned()),
    })
}
