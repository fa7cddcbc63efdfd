//! `template.yaml` to the [`Application`] that this gateway serves.
//!
//! In this order: `yaml` reads the text, `implicit` and `made_plans` write out what SAM makes by itself,
//! `parameters` gives each parameter its value, `resolve` carries out intrinsic functions,
//! `globals` merges `Globals`, `resources` walks the resources but for those that are `ignored`,
//! and a module for each type reads its properties. Whatever none of them honours or knows to mean
//! nothing here is a problem. All problems are reported together, and a template with one is not
//! served.

mod api;
mod auth;
mod authorizers;
mod conditions;
mod cors;
mod fields;
mod functions;
mod gateway_responses;
mod globals;
mod ignored;
mod implicit;
mod json;
mod layers;
mod literal;
mod made_plans;
mod method;
mod method_settings;
mod names;
mod nested;
mod no_meaning;
pub mod offered;
mod open_api;
mod parameters;
mod parts;
mod permissions;
mod problems;
mod references;
mod request_validation;
mod resolve;
mod resources;
mod routes;
mod rules;
mod samconfig;
mod schemas;
mod stand_ins;
mod substitute;
mod tables;
#[cfg(test)]
mod tests;
mod usage_plans;
mod value_functions;
mod vtl;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use parameters::Parameters;
pub use problems::Problem;
pub use samconfig::{ConfigError, FILES as SAM_CONFIGS};
pub use yaml::SyntaxError;

use keygate_model::Application;
use parts::Parts;
use problems::Problems;
use references::References;
use resolve::Resolver;
use yaml::{Node, Value};

/// SAM's transform.
const SAM: &str = "AWS::Serverless-2016-10-31";

/// Why a template cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file could not be read.
    #[error("{}: {source}; name the template with --template PATH", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `samconfig.toml` is of no use.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file is not YAML.
    #[error("{}: {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: SyntaxError,
    },
    /// The file is YAML, but no template that this gateway can serve.
    #[error("{} cannot be served:\n{}", path.display(), lines(problems))]
    Unserved {
        /// The file.
        path: PathBuf,
        /// Everything that stands in the way, ordered by line.
        problems: Vec<Problem>,
    },
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("  {problem}"))
        .collect();
    lines.join("\n")
}

/// Loads a template, with `parameters` in place of the defaults that it gives its own.
///
/// # Errors
/// A file that cannot be read or is no YAML; or every problem of the template at once: missing
/// and unknown parameters, unknown functions, references to nothing, resources and properties
/// that this gateway does not support, and settings that API Gateway would refuse.
pub fn load(path: &Path, parameters: &Parameters) -> Result<Application, TemplateError> {
    let text = std::fs::read_to_string(path).map_err(|source| TemplateError::Read {
        path: path.to_owned(),
        source,
    })?;
    let root = yaml::parse(&text).map_err(|source| TemplateError::Syntax {
        path: path.to_owned(),
        source,
    })?;
    let configured = samconfig::read(path, parameters.config_env.as_deref())?;
    let parameters = Parameters {
        configured,
        ..parameters.clone()
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    application(&root, folder, &parameters).map_err(|problems| TemplateError::Unserved {
        path: path.to_owned(),
        problems,
    })
}

fn application(
    root: &Node,
    folder: &Path,
    overrides: &Parameters,
) -> Result<Application, Vec<Problem>> {
    let problems = Problems::default();
    let root = made_plans::written_out(implicit::written_out(root.clone()));
    let application = assemble(&root, folder, overrides, &problems);
    let problems = problems.into_list();
    match application {
        Some(application) if problems.is_empty() => Ok(application),
        _ => Err(problems),
    }
}

fn assemble(
    root: &Node,
    folder: &Path,
    overrides: &Parameters,
    problems: &Problems,
) -> Option<Application> {
    check_sections(root, problems);
    check_functions(root, problems);
    let declared = root.get("Parameters");
    let parameters = parameters::values(declared, overrides, problems);
    let references = References::of(&overrides.given);
    let resolver = Resolver::new(root, parameters, references, problems)?;
    resolver.check_conditions();
    resolver.check_rules(root.get("Rules"));
    check_outputs(root, &resolver);

    let read = resources::read(&resolver, root.get("Globals"), folder);
    let mut passed_over = read.passed_over;
    let (apis, others): (Vec<_>, Vec<_>) = read
        .served
        .into_iter()
        .partition(|resource| resource.kind == resources::API);
    let mut parts = Parts::read(others, &resolver);
    check_table_names(&parts.tables, problems);

    let mut draft = the_api(apis, &parts.by_arn, &resolver)?;
    check_permissions(&draft, &parts, problems);
    let events = draft.described.take();
    let events = events.unwrap_or_else(|| std::mem::take(&mut parts.events));
    let by_event = events.iter().filter_map(method::Event::function);
    let by_api = draft.calls.iter().map(|call| call.function.as_str());
    parts.leave_out(
        &read.providers,
        &by_event.chain(by_api).collect(),
        &resolver,
    );
    let routes = routes::routes(events, &draft, problems);
    let preflights = draft.cors.as_ref();
    let preflights = preflights.map(|cors| cors.preflights(&routes, &draft.defaults));
    draft.api.routes = routes;
    draft.api.routes.extend(preflights.into_iter().flatten());
    draft.throttles.apply(&mut draft.api.routes, problems);
    draft.api.usage_plans = parts.plans.finish(&draft.api, problems);
    let mut ignored = read.ignored;
    ignored.extend(parts.ignored);
    ignored.sort();
    resolver.references.check_used(problems);
    for (resource, property) in problems.passed_over() {
        passed_over.add(resolver.kind(&resource)?, Some(&property));
    }
    Some(Application {
        api: draft.api,
        functions: parts.functions,
        tables: parts.tables,
        ignored,
        passed_over,
        configured: parameters::configured(&overrides.configured, declared),
    })
}

/// Reports what API Gateway would call and may not: only an OpenAPI document, and authorizers, can call what
/// nothing lets them.
fn check_permissions(draft: &api::Draft, parts: &Parts, problems: &Problems) {
    let name = |id: &str| {
        parts
            .functions
            .get(id)
            .map(|function| function.name.as_str())
    };
    for event in draft.described.iter().flatten() {
        if let Some(name) = event.function().and_then(name)
            && !event.has_role
        {
            let stage = &draft.api.stage;
            parts.permissions.check_method(event, stage, name, problems);
        }
    }
    for call in &draft.calls {
        if let Some(name) = name(&call.function) {
            let api = &draft.api.id;
            parts
                .permissions
                .check_authorizer(call, api, name, problems);
        }
    }
}

/// Reports functions that are not known, but for those in what is not read.
fn check_functions(root: &Node, problems: &Problems) {
    let check = |node: &Node, place: &str| resolve::check_functions(root, node, place, problems);
    for section in root.entries() {
        let place = |name: &str| format!("{}.{name}", section.name);
        match section.name.as_str() {
            "Resources" => {
                for resource in section.node.entries() {
                    if let Some(read) = no_meaning::read_of(&resource.node) {
                        check(&read, &place(&resource.name));
                    }
                }
            }
            "Globals" => {
                for of_all in section.node.entries() {
                    let kind = format!("AWS::Serverless::{}", of_all.name);
                    let read = no_meaning::without(&kind, &of_all.node);
                    check(&read, &place(&of_all.name));
                }
            }
            _ => check(&section.node, &section.name),
        }
    }
}

/// The sections of a template. `Metadata` and the others dropped here are for people and tools.
fn check_sections(root: &Node, problems: &Problems) {
    const KNOWN: &[&str] = &[
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Globals",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
        "Transform",
    ];
    for entry in root.entries() {
        if !KNOWN.contains(&entry.name.as_str()) {
            let message = "the local gateway does not support this section";
            problems.report(entry.line, &entry.name, message);
        }
    }
    check_transforms(root, problems);
}

/// SAM's transform must be there, and may follow that of the language's extensions.
fn check_transforms(root: &Node, problems: &Problems) {
    let transform = root.get("Transform");
    let names = match transform.map(|node| &node.value) {
        Some(Value::List(names)) => names.iter().map(Node::as_text).collect(),
        Some(Value::Text(name)) => vec![Some(name.as_str())],
        _ => Vec::new(),
    };
    let (sam, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| *name == Some(SAM));
    let are_known = others.iter().all(|name| *name == Some(resolve::EXTENSIONS));
    if sam.len() != 1 || !are_known {
        let line = transform.map_or(root.line, |node| node.line);
        let message = format!(
            "must be {SAM}, alone or with {}: no other transform is supported here",
            resolve::EXTENSIONS
        );
        problems.report(line, "Transform", message);
    }
}

/// Nobody reads the outputs here, but a reference to nothing in them is a mistake all the same.
fn check_outputs(root: &Node, resolver: &Resolver<'_>) {
    for entry in root.get("Outputs").map_or(&[][..], Node::entries) {
        let place = format!("Outputs.{}", entry.name);
        let condition = entry.node.get("Condition").and_then(Node::as_text);
        let made = condition.is_none_or(|name| {
            resolver
                .condition(name, entry.line, &place)
                .unwrap_or(false)
        });
        if made && let Some(value) = entry.node.get("Value") {
            resolver.check_names(value, &place);
        }
    }
}

fn check_table_names(tables: &[keygate_model::Table], problems: &Problems) {
    let mut names = BTreeSet::new();
    for table in tables {
        if !names.insert(&table.name) {
            let message = format!("two tables are named `{}`", table.name);
            problems.report(0, "Resources", message);
        }
    }
}

fn the_api(
    apis: Vec<resources::Resource<'_>>,
    functions: &BTreeMap<String, String>,
    resolver: &Resolver<'_>,
) -> Option<api::Draft> {
    let mut apis = apis.into_iter();
    let Some(first) = apis.next() else {
        let message = "the template has no AWS::Serverless::Api to serve, and no event of type Api";
        resolver.problems.report(0, "Resources", message);
        return None;
    };
    for other in apis {
        let mut message = format!("the local gateway serves one API, which is {}", first.id);
        if other.id == implicit::ID {
            message += "; SAM makes another for an event without RestApiId, such as !Ref ";
            message += &first.id;
        }
        resolver.problems.report(other.line, &other.id, message);
    }
    match resolver.reference(&first.id, first.line, &first.id) {
        Value::Text(id) => api::read(first, id, functions),
        _ => None,
    }
}
