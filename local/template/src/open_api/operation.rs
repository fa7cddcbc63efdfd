//! The methods of a path, and what is checked of their requests.

use keygate_model::{ParameterPlace, Validation};

use super::super::fields::Fields;
use super::super::method::{Checks, Event};
use super::super::yaml::Node;
use super::context::Context;
use super::integration;

/// What a path may have beside its methods, and an operation beside what is read of it.
const NO_MEANING: &[&str] = &[
    "callbacks",
    "consumes",
    "deprecated",
    "description",
    "externalDocs",
    "operationId",
    "produces",
    "responses",
    "schemes",
    "servers",
    "summary",
    "tags",
];
const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];
const ANY: &str = "x-amazon-apigateway-any-method";

/// The methods of one path.
pub(super) fn of_path(path: &str, mut item: Fields<'_>, context: &Context<'_>) -> Vec<Event> {
    item.no_meaning(NO_MEANING);
    let common = item.list("parameters");
    let of_all: Vec<Parameter> = common.into_iter().filter_map(parameter).collect();
    let mut events = Vec::new();
    for method in METHODS.into_iter().chain([ANY]) {
        if let Some(operation) = item.fields(method) {
            let method = if method == ANY { "any" } else { method };
            events.extend(event(path, method, operation, &of_all, context));
        }
    }
    item.end();
    events
}

fn event(
    path: &str,
    method: &str,
    mut operation: Fields<'_>,
    of_path: &[Parameter],
    context: &Context<'_>,
) -> Option<Event> {
    operation.no_meaning(NO_MEANING);
    let (place, line) = (operation.place().to_owned(), operation.line());
    let parsed = path.parse();
    if let Err(error) = &parsed {
        operation.report(format!("{error}"));
    }
    let security = context.schemes.security(&mut operation);
    let validation = validation(&mut operation, of_path, context);
    let has_role = integration::has_role(&operation);
    let integration = integration::read(&mut operation, context.functions);
    operation.end();
    Some(Event {
        place,
        line,
        api: context.api.to_owned(),
        method: method.parse().ok()?,
        path: parsed.ok()?,
        integration: integration?,
        authorizer: security.authorizer,
        api_key_required: security.usage_key,
        checks: Checks::Read(validation),
        has_role,
    })
}

/// A parameter of an operation.
#[derive(Clone)]
enum Parameter {
    Required(ParameterPlace, String),
    Body(Node),
}

/// Reads a parameter; `None` where nothing is checked of it.
fn parameter(mut fields: Fields<'_>) -> Option<Parameter> {
    let place = fields.only("in", &["body", "formData", "header", "path", "query"]);
    let name = fields.text("name");
    let is_required = fields.flag("required").unwrap_or(false);
    let schema = fields.node("schema");
    // API Gateway checks that a parameter is there, and not what it is.
    fields.no_meaning(&[
        "allowEmptyValue",
        "collectionFormat",
        "default",
        "description",
        "enum",
        "example",
        "explode",
        "format",
        "items",
        "maximum",
        "maxLength",
        "minimum",
        "minLength",
        "pattern",
        "style",
        "type",
    ]);
    fields.end();
    let place = match place?.as_str() {
        "body" => return schema.map(Parameter::Body),
        "header" => ParameterPlace::Header,
        "path" => ParameterPlace::Path,
        "query" => ParameterPlace::Query,
        _ => return None,
    };
    is_required.then_some(Parameter::Required(place, name?))
}

fn validation(
    operation: &mut Fields<'_>,
    of_path: &[Parameter],
    context: &Context<'_>,
) -> Validation {
    let validator = context.validators.of(operation);
    let own = operation.list("parameters").into_iter();
    let own: Vec<Parameter> = own.filter_map(parameter).collect();
    let mut validation = Validation::default();
    let mut bodies = Vec::new();
    for parameter in of_path.iter().cloned().chain(own) {
        match parameter {
            Parameter::Required(place, name) if validator.of_parameters => {
                validation.parameters.insert((place, name));
            }
            Parameter::Required(..) => {}
            Parameter::Body(schema) => bodies.push(("application/json".to_owned(), schema)),
        }
    }
    if let Some(mut body) = operation.fields("requestBody") {
        body.no_meaning(&["description", "required"]);
        let by_type = body.fields("content").map_or_else(Vec::new, Fields::named);
        for (media_type, mut said) in by_type {
            said.no_meaning(&["encoding", "example", "examples"]);
            bodies.extend(said.node("schema").map(|schema| (media_type, schema)));
            said.end();
        }
        body.end();
    }
    for (media_type, schema) in bodies {
        if !validator.of_bodies {
            continue;
        }
        match context.compile(&schema) {
            Ok(compiled) => {
                let compiled = compiled.map(|schema| (media_type.to_ascii_lowercase(), schema));
                validation.bodies.extend(compiled);
            }
            Err(error) => operation.report_at(
                schema.line,
                "schema",
                format!("is no JSON schema of draft 4: {error}"),
            ),
        }
    }
    validation
}
