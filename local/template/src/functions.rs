//! `AWS::Serverless::Function`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use keygate_model::{Build, Function, Ignored, Runtime};

use super::fields::Fields;
use super::method::Event;
use super::resources::Resource;
use super::routes::{self, Source};

/// A script that Lambda's own runtimes are started by, where it is set (Lambda developer guide, "Wrapper
/// scripts").
const WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";

/// A function and the events that call it.
pub(super) struct Read {
    pub(super) function: Option<Function>,
    pub(super) events: Vec<Event>,
    pub(super) ignored: Vec<Ignored>,
}

/// Reads a function. What is wrong with it is reported, and the values are then of no use.
pub(super) fn read(resource: Resource<'_>) -> Read {
    let Resource {
        id,
        line,
        mut properties,
        metadata,
        ..
    } = resource;
    let build = build(metadata);
    if build.is_none() {
        let message = "BuildProperties.Binary is required: the name of the cargo binary to run";
        properties.report_at(line, "Metadata", message);
    }
    let runtime = runtime(&mut properties);
    let handler = handler(&mut properties, runtime.as_ref());
    let is_managed = runtime.as_ref().is_some_and(Runtime::is_managed);
    if is_managed && matches!(build, Some(Build::Cargo(_))) {
        let message = "what cargo builds runs on a provided runtime, such as provided.al2023";
        properties.report_at(line, "Runtime", message);
    }
    let name = name(&mut properties);
    let code = properties.text("CodeUri").unwrap_or_else(|| ".".to_owned());
    let layers = properties.scalars("Layers");
    properties.only("PackageType", &["Zip"]);
    // Lambda's defaults and bounds (Lambda API reference, CreateFunction).
    let timeout = properties.number("Timeout", &(1..=900)).unwrap_or(3);
    let memory_mib = properties
        .number("MemorySize", &(128..=10_240))
        .unwrap_or(128);
    let alias = properties.text("AutoPublishAlias");
    let reserved_concurrency = properties.number("ReservedConcurrentExecutions", &(0..=100_000));
    let mut environment = logging(&mut properties);
    let mut environment_lines = BTreeMap::new();
    for (name, value, line) in variables(&mut properties, is_managed) {
        environment_lines.insert(name.clone(), line);
        environment.insert(name, value);
    }
    let (events, ignored) = events(&id, &mut properties);
    properties.end();
    let function = build.zip(runtime).map(|(build, runtime)| Function {
        name: name.unwrap_or_else(|| id.clone()),
        id,
        build,
        runtime,
        handler,
        code: code.into(),
        environment,
        environment_lines,
        layers: layers.into_iter().rev().map(PathBuf::from).collect(),
        timeout: Duration::from_secs(timeout),
        memory_mib,
        reserved_concurrency,
        alias,
    });
    Read {
        function,
        events,
        ignored,
    }
}

/// The name that the template gives the function (Lambda API reference, `FunctionName`).
fn name(properties: &mut Fields<'_>) -> Option<String> {
    let (name, line) = properties.text_at("FunctionName")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(is_plain) {
        let message = format!("`{name}` must be 1 to 64 letters, digits, `_` and `-`");
        properties.report_at(line, "FunctionName", message);
    }
    Some(name)
}

/// The variables that the template gives the function, each with its line.
fn variables(properties: &mut Fields<'_>, is_managed: bool) -> Vec<(String, String, usize)> {
    let Some(mut fields) = properties.fields("Environment") else {
        return Vec::new();
    };
    let variables = fields.texts_at("Variables");
    for (name, _, line) in &variables {
        if name == WRAPPER && is_managed {
            let message = "the local gateway does not support wrapper scripts";
            fields.report_at(*line, name, message);
        }
    }
    fields.end();
    variables
}

/// The requests that call the function, and what calls it beside the API.
fn events(function: &str, properties: &mut Fields<'_>) -> (Vec<Event>, Vec<Ignored>) {
    let mut events = Vec::new();
    let mut ignored = Vec::new();
    let named = properties.fields("Events").map(Fields::named);
    for (_, event) in named.into_iter().flatten() {
        match routes::event(function, event) {
            Some(Source::Api(event)) => events.push(*event),
            Some(Source::Other(event)) => ignored.push(event),
            None => {}
        }
    }
    (events, ignored)
}

/// How `sam build` makes the function. Other tools keep notes of their own in `Metadata`, so what
/// is left there is nobody's mistake.
fn build(metadata: Option<Fields<'_>>) -> Option<Build> {
    let Some(mut metadata) = metadata else {
        return Some(Build::None);
    };
    if !metadata.has("BuildMethod") {
        return Some(Build::None);
    }
    let method = metadata.only("BuildMethod", &["rust-cargolambda", "makefile"]);
    if method.as_deref() == Some("makefile") {
        // They move the Makefile, or the folder that it is run in.
        metadata.refused(&["ContextPath", "ProjectRootDirectory", "WorkingDirectory"]);
        return Some(Build::Make);
    }
    let mut build = metadata.fields("BuildProperties")?;
    let binary = build.text("Binary").filter(|name| !name.is_empty());
    build.end();
    binary.map(Build::Cargo)
}

/// What runs the function. Where nothing is said it is an executable.
fn runtime(properties: &mut Fields<'_>) -> Option<Runtime> {
    let Some((text, line)) = properties.text_at("Runtime") else {
        return Some(Runtime::Provided);
    };
    let runtime = text.parse();
    if runtime.is_err() {
        let message = format!(
            "`{text}` is not supported by the local gateway, which supports provided.*, python3.x \
             and nodejsNN.x"
        );
        properties.report_at(line, "Runtime", message);
    }
    runtime.ok()
}

/// Which function of which file is called, where the runtime wants to know.
fn handler(properties: &mut Fields<'_>, runtime: Option<&Runtime>) -> Option<String> {
    let handler = properties.text_at("Handler");
    let Some(runtime) = runtime.filter(|runtime| runtime.is_managed()) else {
        return handler.map(|(text, _)| text);
    };
    let line = handler
        .as_ref()
        .map_or(properties.line(), |(_, line)| *line);
    let handler = handler.map(|(text, _)| text).unwrap_or_default();
    let is_complete = handler
        .rsplit_once('.')
        .is_some_and(|(file, function)| !file.is_empty() && !function.is_empty());
    if !is_complete {
        let message = format!(
            "`{handler}` names no function of a file, as {runtime} needs it: write FILE.FUNCTION, \
             such as app.handler"
        );
        properties.report_at(line, "Handler", message);
    }
    Some(handler)
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
    fields.pass_over(&["LogGroup", "SystemLogLevel"]);
    fields.end();
    variables
}
