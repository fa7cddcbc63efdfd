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
pub mod offered;
mod open_api;
mod parameters;
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
pub use samconfig::{ConfigError, FILE as SAM_CONFIG};
pub use yaml::SyntaxError;

use keygate_model::Application;
use keygate_model::deployment::function_arn;
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
    application(&root, &parameters).map_err(|problems| TemplateError::Unserved {
        path: path.to_owned(),
        problems,
    })
}

fn application(root: &Node, overrides: &Parameters) -> Result<Application, Vec<Problem>> {
    let problems = Problems::default();
    let root = made_plans::written_out(implicit::written_out(root.clone()));
    let application = assemble(&root, overrides, &problems);
    let problems = problems.into_list();
    match application {
        Some(application) if problems.is_empty() => Ok(application),
        _ => Err(problems),
    }
}

fn assemble(root: &Node, overrides: &Parameters, problems: &Problems) -> Option<Application> {
    check_sections(root, problems);
    check_functions(root, problems);
    let parameters = parameters::values(root.get("Parameters"), overrides, problems);
    let references = References::of(&overrides.given);
    let resolver = Resolver::new(root, parameters, references, problems)?;
    resolver.check_conditions();
    resolver.check_rules(root.get("Rules"));
    check_outputs(root, &resolver);

    let (resources, mut ignored) = resources::read(&resolver, root.get("Globals"));
    let (apis, others): (Vec<_>, Vec<_>) = resources
        .into_iter()
        .partition(|resource| resource.kind == resources::API);
    let mut functions = BTreeMap::new();
    let mut by_arn = BTreeMap::new();
    let mut events = Vec::new();
    let mut tables = Vec::new();
    let mut layers = layers::Layers::default();
    let mut plans = usage_plans::Drafts::default();
    for resource in others {
        match resource.kind.as_str() {
            resources::FUNCTION => {
                let name = resolver.reference(&resource.id, resource.line, &resource.id);
                if let Value::Text(name) = name {
                    let other = by_arn.insert(function_arn(&name), resource.id.clone());
                    if other.is_some() {
                        let message = format!("two functions are named `{name}`");
                        problems.report(resource.line, &resource.id, message);
                    }
                }
                let read = functions::read(resource);
                functions.extend(
                    read.function
                        .map(|function| (function.id.clone(), function)),
                );
                events.extend(read.events);
                ignored.extend(read.ignored);
            }
            resources::LAYER => layers.read(resource),
            resources::TABLE => {
                let name = resolver.reference(&resource.id, resource.line, &resource.id);
                if let Value::Text(name) = name {
                    tables.extend(tables::read(resource, name));
                }
            }
            resources::USAGE_PLAN => plans.plan(resource),
            resources::API_KEY => plans.key(resource),
            _ => plans.link(resource),
        }
    }
    for function in functions.values_mut() {
        layers.resolve(function, problems);
    }
    check_table_names(&tables, problems);

    let mut draft = the_api(apis, &by_arn, &resolver)?;
    let events = draft.described.take().unwrap_or(events);
    let routes = routes::routes(events, &draft, problems);
    let preflights = draft.cors.as_ref();
    let preflights = preflights.map(|cors| cors.preflights(&routes, &draft.defaults));
    draft.api.routes = routes;
    draft.api.routes.extend(preflights.into_iter().flatten());
    draft.throttles.apply(&mut draft.api.routes, problems);
    draft.api.usage_plans = plans.finish(&draft.api, problems);
    ignored.sort();
    resolver.references.check_used(problems);
    Some(Application {
        api: draft.api,
        functions,
        tables,
        ignored,
        configured: overrides.configured.clone(),
    })
}

/// Reports functions that are not known, but for those in resources that are not read.
fn check_functions(root: &Node, problems: &Problems) {
    for section in root.entries() {
        if section.name != "Resources" {
            resolve::check_functions(root, &section.node, &section.name, problems);
            continue;
        }
        for resource in section.node.entries() {
            let kind = resource.node.get("Type").and_then(Node::as_text);
            if !kind.is_some_and(ignored::is_resource) {
                let place = format!("Resources.{}", resource.name);
                resolve::check_functions(root, &resource.node, &place, problems);
            }
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
            resolver.resolve(value, &place);
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
