//! The `Resources` section: each resource with its globals merged, resolved, and ready to be
//! read by type.

use keygate_model::Ignored;

use super::fields::Fields;
use super::globals;
use super::ignored;
use super::resolve::Resolver;
use super::yaml::{Entry, Node, Value};

pub(super) const API: &str = "AWS::Serverless::Api";
pub(super) const FUNCTION: &str = "AWS::Serverless::Function";
pub(super) const LAYER: &str = "AWS::Serverless::LayerVersion";
pub(super) const TABLE: &str = "AWS::DynamoDB::Table";
pub(super) const USAGE_PLAN: &str = "AWS::ApiGateway::UsagePlan";
pub(super) const API_KEY: &str = "AWS::ApiGateway::ApiKey";
pub(super) const USAGE_PLAN_KEY: &str = "AWS::ApiGateway::UsagePlanKey";

/// The types that are served.
const SERVED: [&str; 7] = [
    API,
    FUNCTION,
    LAYER,
    TABLE,
    USAGE_PLAN,
    API_KEY,
    USAGE_PLAN_KEY,
];

/// Types that mean nothing on this machine, with the properties that they may have: there is no
/// CloudWatch, no IAM, no account and no DNS here.
const NO_MEANING: &[(&str, &[&str])] = &[
    ("AWS::ApiGateway::Account", &["CloudWatchRoleArn"]),
    // Another address of the same stage, which is at its own here. Client certificates it cannot ask for.
    (
        "AWS::ApiGateway::BasePathMapping",
        &["BasePath", "DomainName", "RestApiId", "Stage"],
    ),
    (
        "AWS::ApiGateway::DomainName",
        &[
            "CertificateArn",
            "DomainName",
            "EndpointAccessMode",
            "EndpointConfiguration",
            "RegionalCertificateArn",
            "RoutingMode",
            "SecurityPolicy",
            "Tags",
        ],
    ),
    ("AWS::CloudFormation::WaitConditionHandle", &[]),
    (
        "AWS::IAM::Policy",
        &["Groups", "PolicyDocument", "PolicyName", "Roles", "Users"],
    ),
    (
        "AWS::IAM::Role",
        &[
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        ],
    ),
    (
        "AWS::Lambda::Permission",
        &[
            "Action",
            "EventSourceToken",
            "FunctionName",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
            "SourceArn",
        ],
    ),
    (
        "AWS::Logs::LogGroup",
        &[
            "DataProtectionPolicy",
            "DeletionProtectionEnabled",
            "FieldIndexPolicies",
            "KmsKeyId",
            "LogGroupClass",
            "LogGroupName",
            "ResourcePolicyDocument",
            "RetentionInDays",
            "Tags",
        ],
    ),
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

/// The resources that are made and served, in the order of the template, and those that are ignored.
pub(super) fn read<'p>(
    resolver: &Resolver<'p>,
    globals: Option<&Node>,
) -> (Vec<Resource<'p>>, Vec<Ignored>) {
    globals::check(globals, resolver.problems);
    let mut ignored = Vec::new();
    let entries = resolver.resources.entries().iter();
    let resources = entries
        .filter_map(|entry| resource(entry, globals, resolver, &mut ignored))
        .collect();
    (resources, ignored)
}

fn resource<'p>(
    entry: &Entry,
    globals: Option<&Node>,
    resolver: &Resolver<'p>,
    all_ignored: &mut Vec<Ignored>,
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
        all_ignored.push(Ignored {
            line: entry.line,
            place: id.to_owned(),
            kind,
        });
        return None;
    }
    let properties = attributes.node("Properties");
    let metadata = attributes.node("Metadata");
    // They say when and how CloudFormation makes and removes what is never made here.
    attributes.no_meaning(&["DeletionPolicy", "DependsOn", "UpdateReplacePolicy"]);
    attributes.end();

    let own = properties.unwrap_or_else(|| Node::of(line, Value::Map(Vec::new())));
    let section = kind.strip_prefix("AWS::Serverless::").unwrap_or_default();
    let merged = match globals.and_then(|globals| globals.get(section)) {
        Some(global) => globals::merge(global, &own),
        None => own,
    };
    let read = |node: &Node, place: &str| {
        let node = resolver.resolve(node, place)?;
        Fields::of(node, place, problems)
    };
    let mut properties = read(&merged, id)?;
    if let Some((_, names)) = NO_MEANING.iter().find(|(name, _)| *name == kind) {
        properties.no_meaning(names);
        properties.end();
        return None;
    }
    if !SERVED.contains(&kind.as_str()) {
        let message = format!("the local gateway does not support resources of type {kind}");
        problems.report(line, id, message);
        return None;
    }
    Some(Resource {
        id: id.to_owned(),
        line,
        kind,
        properties,
        metadata: metadata.and_then(|node| read(&node, &format!("{id}.Metadata"))),
    })
}
