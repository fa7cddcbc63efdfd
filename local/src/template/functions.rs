//! `AWS::Serverless::Function`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::fields::Fields;
use super::resources::Resource;
use super::routes::{self, Event};
use crate::model::{Executable, Function};

/// Deployment, permissions and tracing, and limits that a process on this machine does not have.
const NO_MEANING: &[&str] = &[
    "Architectures",
    "AssumeRolePolicyDocument",
    "CodeSigningConfigArn",
    "Description",
    "EphemeralStorage",
    // An executable has no handler.
    "Handler",
    "KmsKeyArn",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "Role",
    "RolePath",
    "RuntimeManagementConfig",
    "SnapStart",
    "SourceKMSKeyArn",
    "Tags",
    "Tracing",
];

/// A function and the events that call it. What is wrong with them is reported, and the values
/// are then of no use.
pub(super) fn read(resource: Resource<'_>) -> (Option<Function>, Vec<Event>) {
    let Resource {
        id,
        line,
        mut properties,
        metadata,
        ..
    } = resource;
    let executable = executable(metadata);
    if executable.is_none() {
        let message = "BuildProperties.Binary is required: the name of the cargo binary to run";
        properties.report_at(line, "Metadata", message);
    }
    let code = properties.text("CodeUri").unwrap_or_else(|| ".".to_owned());
    let layers = properties.scalars("Layers");
    properties.no_meaning(NO_MEANING);
    properties.only("Runtime", &["provided.al2023", "provided.al2"]);
    properties.only("PackageType", &["Zip"]);
    // Lambda's defaults and bounds (Lambda API reference, CreateFunction).
    let timeout = properties.number("Timeout", &(1..=900)).unwrap_or(3);
    let memory_mib = properties
        .number("MemorySize", &(128..=10_240))
        .unwrap_or(128);
    let mut environment = logging(&mut properties);
    let mut environment_lines = BTreeMap::new();
    if let Some(mut fields) = properties.fields("Environment") {
        for (name, value, line) in fields.texts_at("Variables") {
            environment_lines.insert(name.clone(), line);
            environment.insert(name, value);
        }
        fields.end();
    }
    let events = properties.fields("Events").map_or_else(Vec::new, |events| {
        events
            .named()
            .into_iter()
            .filter_map(|(_, event)| routes::event(&id, event))
            .collect()
    });
    properties.end();
    let function = executable.map(|executable| Function {
        id,
        executable,
        code: code.into(),
        environment,
        environment_lines,
        layers: layers.into_iter().rev().map(PathBuf::from).collect(),
        timeout: Duration::from_secs(timeout),
        memory_mib,
    });
    (function, events)
}

/// How `sam build` makes the function. Other tools keep notes of their own in `Metadata`, so what
/// is left there is nobody's mistake. What is not built comes with its executable.
fn executable(metadata: Option<Fields<'_>>) -> Option<Executable> {
    let Some(mut metadata) = metadata else {
        return Some(Executable::Bootstrap);
    };
    if !metadata.has("BuildMethod") {
        return Some(Executable::Bootstrap);
    }
    metadata.only("BuildMethod", &["rust-cargolambda"]);
    let mut build = metadata.fields("BuildProperties")?;
    let binary = build.text("Binary").filter(|name| !name.is_empty());
    build.end();
    binary.map(Executable::Cargo)
}

/// Lambda tells a function its log format and level by variables of its own (Lambda developer
/// guide, "Configuring advanced logging controls").
fn logging(properties: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let Some(mut fields) = properties.fields("LoggingConfig") else {
        return variables;
    };
    let format = fields.only("LogFormat", &["JSON", "Text"]);
    let level = fields.text("ApplicationLogLevel");
    if format.as_deref() == Some("JSON") {
        let level = level.unwrap_or_else(|| "INFO".to_owned());
        variables.insert("AWS_LAMBDA_LOG_FORMAT".to_owned(), "JSON".to_owned());
        variables.insert("AWS_LAMBDA_LOG_LEVEL".to_owned(), level);
    }
    fields.no_meaning(&["LogGroup", "SystemLogLevel"]);
    fields.end();
    variables
}
