//! An API's `DefinitionBody`: an OpenAPI document, 2.0 or 3.0, with API Gateway's extensions ("OpenAPI
//! extensions for API Gateway", API Gateway guide). What such an API serves stands there and nowhere else:
//! an event of a function only lets API Gateway call it (`permissions`).

mod context;
mod integration;
mod operation;
mod security;
mod validators;

use std::collections::BTreeMap;

use keygate_model::{Authorizer, GatewayResponse, KeySource};
use serde_json::json;

use self::context::Context;
use self::security::Schemes;
use self::validators::Validators;
use super::fields::Fields;
use super::gateway_responses;
use super::json;
use super::method::Event;
use super::permissions::Call;
use super::schemas::Schemas;
use super::yaml::{Entry, Node};

/// What is for people and tools, for documentation, or about where the API is reached.
const NO_MEANING: &[&str] = &[
    "basePath",
    "consumes",
    "externalDocs",
    "host",
    "info",
    "produces",
    "schemes",
    "servers",
    "tags",
    "x-amazon-apigateway-documentation",
    "x-amazon-apigateway-endpoint-configuration",
    "x-amazon-apigateway-importexport-version",
];

/// What a document says of an API.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) events: Vec<Event>,
    pub(super) authorizers: BTreeMap<String, Authorizer>,
    pub(super) gateway_responses: BTreeMap<String, GatewayResponse>,
    pub(super) binary_media_types: Vec<String>,
    pub(super) key_source: Option<KeySource>,
    /// The authorizers that API Gateway calls without a role.
    pub(super) calls: Vec<Call>,
}

/// Reads the document.
pub(super) fn read(
    mut fields: Fields<'_>,
    id: &str,
    functions: &BTreeMap<String, String>,
) -> Document {
    fields.no_meaning(NO_MEANING);
    check_version(&mut fields);
    let binary_media_types = fields.scalars("x-amazon-apigateway-binary-media-types");
    let key_source = fields.only(
        "x-amazon-apigateway-api-key-source",
        &["AUTHORIZER", "HEADER"],
    );
    let key_source = key_source.as_deref().and_then(KeySource::named);
    let gateway_responses = fields
        .node("x-amazon-apigateway-gateway-responses")
        .and_then(|node| {
            fields.nested(
                "x-amazon-apigateway-gateway-responses",
                in_sams_words(&node),
            )
        })
        .map_or_else(BTreeMap::new, gateway_responses::read);
    let mut schemes = Schemes::default();
    if let Some(definitions) = fields.fields("securityDefinitions") {
        schemes.read(definitions, functions);
    }
    let definitions = fields.node("definitions");
    let mut components = fields.fields("components");
    let mut component_schemas = None;
    if let Some(components) = &mut components {
        component_schemas = components.node("schemas");
        if let Some(definitions) = components.fields("securitySchemes") {
            schemes.read(definitions, functions);
        }
        // Of answers that pass through a Lambda proxy as they are.
        components.no_meaning(&["examples", "headers", "responses"]);
    }
    if let Some(components) = components {
        components.end();
    }
    let as_json = |node: Option<Node>| {
        node.as_ref()
            .and_then(json::of)
            .unwrap_or_else(|| json!({}))
    };
    let context = Context {
        api: id,
        functions,
        schemes,
        validators: Validators::read(&mut fields),
        schemas: Schemas::of(json!({
            "definitions": as_json(definitions),
            "components": {"schemas": as_json(component_schemas)},
        })),
    };
    let mut events = Vec::new();
    if !fields.has("paths") {
        fields.report("paths is required");
    }
    let paths = fields.fields("paths").map_or_else(Vec::new, Fields::named);
    for (path, item) in paths {
        events.extend(operation::of_path(&path, item, &context));
    }
    fields.end();
    let (authorizers, calls) = context.schemes.into_authorizers();
    Document {
        events,
        authorizers,
        gateway_responses,
        binary_media_types,
        key_source,
        calls,
    }
}

fn check_version(fields: &mut Fields<'_>) {
    let swagger = fields.text("swagger");
    let open_api = fields.text("openapi");
    let is_known = match (swagger.as_deref(), open_api.as_deref()) {
        (Some("2.0"), None) => true,
        (None, Some(version)) => version.starts_with("3.0"),
        _ => false,
    };
    if !is_known {
        fields.report("must be an OpenAPI document of `swagger: '2.0'` or `openapi: 3.0.x`");
    }
}

/// Gateway responses in the words of SAM's property.
fn in_sams_words(responses: &Node) -> Node {
    const HEADER: &str = "gatewayresponse.header.";
    let rename = |node: &Node, name: &dyn Fn(&Entry) -> String, value: &dyn Fn(&Entry) -> Node| {
        let entries = node.entries().iter().map(|entry| Entry {
            name: name(entry),
            line: entry.line,
            node: value(entry),
        });
        Node::of(node.line, super::yaml::Value::Map(entries.collect()))
    };
    let headers = |node: &Node| {
        let short = |entry: &Entry| {
            let name = entry.name.strip_prefix(HEADER).unwrap_or(&entry.name);
            name.to_owned()
        };
        let headers = rename(node, &short, &|entry| entry.node.clone());
        Node::map(node.line, vec![("Headers", headers)])
    };
    let response = |entry: &Entry| {
        let name = |entry: &Entry| match entry.name.as_str() {
            "statusCode" => "StatusCode".to_owned(),
            "responseParameters" => "ResponseParameters".to_owned(),
            "responseTemplates" => "ResponseTemplates".to_owned(),
            other => other.to_owned(),
        };
        rename(&entry.node, &name, &|entry| match entry.name.as_str() {
            "responseParameters" => headers(&entry.node),
            _ => entry.node.clone(),
        })
    };
    rename(responses, &|entry| entry.name.clone(), &response)
}
