//! The `Resources` section: each resource with its globals merged, resolved, and ready to be
//! read by type.

use std::path::Path;

use keygate_model::{Ignored, PassedOver};

use super::fields::Fields;
use super::globals;
use super::ignored;
use super::nested;
use super::no_meaning;
use super::resolve::Resolver;
use super::yaml::{Entry, Node, Value};

pub(super) const API: &str = "AWS::Serverless::Api";
pub(super) const FUNCTION: &str = "AWS::Serverless::Function";
pub(super) const LAYER: &str = "AWS::Serverless::LayerVersion";
pub(super) const TABLE: &str = "AWS::DynamoDB::Table";
pub(super) const USAGE_PLAN: &str = "AWS::ApiGateway::UsagePlan";
pub(super) const API_KEY: &str = "AWS::ApiGateway::ApiKey";
pub(super) const USAGE_PLAN_KEY: &str = "AWS::ApiGateway::UsagePlanKey";
pub(super) const PERMISSION: &str = "AWS::Lambda::Permission";

/// The types that are served.
const SERVED: [&str; 8] = [
    API,
    FUNCTION,
    LAYER,
    TABLE,
    USAGE_PLAN,
    API_KEY,
    USAGE_PLAN_KEY,
    PERMISSION,
];

/// One resource of a type that is served here.
pub(super) struct Resource<'p> {
    pub(super) id: String,
    pub(super) line: usize,
    pub(super) kind: String,
    pub(super) properties: Fields<'p>,
    /// `Metadata`, where SAM finds how to build a function.
    pub(super) metadata: Option<Fields<'p>>,
}

/// What a template's resources come to.
#[derive(Default)]
pub(super) struct Read<'p> {
    /// Those that are made and served, in the order of the template.
    pub(super) served: Vec<Resource<'p>>,
    /// Those beside the API.
    pub(super) ignored: Vec<Ignored>,
    /// Logical ids of the functions that make some of those, for CloudFormation alone.
    pub(super) providers: Vec<String>,
    /// The types of those that mean nothing here.
    pub(super) passed_over: PassedOver,
}

/// Reads the resources of a template that lies in `folder`.
pub(super) fn read<'p>(resolver: &Resolver<'p>, globals: Option<&Node>, folder: &Path) -> Read<'p> {
    globals::check(globals, resolver.problems);
    let mut read = Read::default();
    for entry in resolver.resources.entries() {
        let served = resource(entry, globals, folder, resolver, &mut read);
        read.served.extend(served);
    }
    read
}

fn resource<'p>(
    entry: &Entry,
    globals: Option<&Node>,
    folder: &Path,
    resolver: &Resolver<'p>,
    read: &mut Read<'p>,
) -> Option<Resource<'p>> {
    let problems = resolver.problems;
    let id = entry.name.as_str();
    let mut attributes = Fields::of(entry.node.clone(), id, problems)?;
    let line = attributes.line();
    if let Some((condition, line)) = attributes.text_at("Condition")
        && !resolver.condition(&condition, line, id)?
    {
        return None;
    }
    let kind = attributes.required_text("Type")?;
    if ignored::is_resource(&kind) {
        let provider = ignored::provider(&entry.node);
        read.providers.extend(provider.map(str::to_owned));
        read.ignored.push(Ignored {
            line: entry.line,
            place: id.to_owned(),
            kind,
        });
        return None;
    }
    if kind == nested::STACK {
        nested::check(entry, folder, problems);
    }
    let properties = attributes.node("Properties");
    let metadata = attributes.node("Metadata");
    // They say when and how CloudFormation makes and removes what is never made here.
    attributes.no_meaning(&["DeletionPolicy", "DependsOn", "UpdateReplacePolicy"]);
    // Permissions.
    attributes.pass_over(&["Connectors"]);
    attributes.end();

    let own = properties.unwrap_or_else(|| Node::of(line, Value::Map(Vec::new())));
    if means_nothing(&kind, &own, resolver, id) {
        resolver.check_names(&own, id);
        if let Some(others) = no_meaning::unknown(&kind, own) {
            // A condition may leave them out.
            fields(&others, resolver, id)?.end();
        }
        read.passed_over.add(&kind, None);
        return None;
    }
    if !SERVED.contains(&kind.as_str()) {
        let message = format!("the local gateway does not support resources of type {kind}");
        problems.report(line, id, message);
        return None;
    }
    let properties = properties_of(&kind, &own, globals, resolver, id)?;
    let metadata = metadata.and_then(|node| fields(&node, resolver, &format!("{id}.Metadata")));
    Some(Resource {
        id: id.to_owned(),
        line,
        kind,
        properties,
        metadata,
    })
}

/// The properties with those of `Globals`, without what means nothing.
fn properties_of<'p>(
    kind: &str,
    own: &Node,
    globals: Option<&Node>,
    resolver: &Resolver<'p>,
    id: &str,
) -> Option<Fields<'p>> {
    let section = kind.strip_prefix("AWS::Serverless::").unwrap_or_default();
    let mut said = match globals.and_then(|globals| globals.get(section)) {
        Some(global) => globals::merge(global, own),
        None => own.clone(),
    };
    let taken = no_meaning::take_out(kind, &mut said, id);
    no_meaning::note(&taken, resolver.problems);
    for taken in &taken {
        resolver.check_names(&taken.node, &taken.place);
    }
    fields(&said, resolver, id)
}

fn fields<'p>(node: &Node, resolver: &Resolver<'p>, place: &str) -> Option<Fields<'p>> {
    let node = resolver.resolve(node, place)?;
    Fields::of(node, place, resolver.problems)
}

/// Whether nothing of a resource matters here: a permission is of use to the API alone.
fn means_nothing(kind: &str, own: &Node, resolver: &Resolver<'_>, id: &str) -> bool {
    let is_of_no_use = kind == PERMISSION && !is_for_apis(own, resolver, id);
    is_of_no_use || no_meaning::properties_of(kind).is_some()
}

/// Whether a permission is one for API Gateway.
fn is_for_apis(properties: &Node, resolver: &Resolver<'_>, place: &str) -> bool {
    let principal = properties.get("Principal");
    let principal = principal.and_then(|principal| resolver.resolve(principal, place));
    let principal = principal.as_ref().and_then(Node::as_text);
    matches!(principal, Some("apigateway.amazonaws.com" | "*"))
}
