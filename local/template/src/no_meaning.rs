//! What of a template changes no answer on this machine: properties of what is served, and resources of no
//! use without an account. It is taken out before anything is resolved, so that what it refers to need not
//! be known here, and it is named once at start.
//!
//! Texts for people (`Description`, `Tags`) are taken out with it, without a word.

use super::ignored;
use super::problems::Problems;
use super::yaml::{Entry, Node, Value};

/// Properties by type, below others where dots say so: deployment, permissions, encryption, networks and
/// limits that a process on this machine does not have, and other ways to the API or to a function.
const PROPERTIES: &[(&str, &[&str])] = &[
    (
        "AWS::Serverless::Api",
        &[
            "AccessLogSetting.DestinationArn",
            "AlwaysDeploy",
            "CacheClusterSize",
            "DisableExecuteApiEndpoint",
            "Domain",
            "EndpointAccessMode",
            "EndpointConfiguration",
            "FailOnWarnings",
            "Mode",
            "SecurityPolicy",
            "TracingEnabled",
        ],
    ),
    (
        "AWS::Serverless::Function",
        &[
            "Architectures",
            "AssumeRolePolicyDocument",
            "AutoPublishAliasAllProperties",
            "AutoPublishCodeSha256",
            "CodeSigningConfigArn",
            // What becomes of events that nobody waits for.
            "DeadLetterQueue",
            "DeploymentPreference",
            "EphemeralStorage",
            "EventInvokeConfig",
            "FunctionUrlConfig",
            "KmsKeyArn",
            "LoggingConfig.LogGroup",
            "LoggingConfig.SystemLogLevel",
            "PermissionsBoundary",
            "Policies",
            "ProvisionedConcurrencyConfig",
            "RecursiveLoop",
            "Role",
            "RolePath",
            "RuntimeManagementConfig",
            "SnapStart",
            "SourceKMSKeyArn",
            "Tracing",
            "VersionDeletionPolicy",
            "VpcConfig",
        ],
    ),
    (
        "AWS::Serverless::LayerVersion",
        &[
            "CompatibleArchitectures",
            "CompatibleRuntimes",
            "PublishLambdaVersion",
            "RetentionPolicy",
        ],
    ),
    (
        "AWS::DynamoDB::Table",
        &[
            "BillingMode",
            "ContributorInsightsSpecification",
            "DeletionProtectionEnabled",
            "KinesisStreamSpecification",
            "OnDemandThroughput",
            "PointInTimeRecoverySpecification",
            "ProvisionedThroughput",
            "ResourcePolicy",
            "SSESpecification",
            // For functions that are called by it, which is beside the API.
            "StreamSpecification",
            "TableClass",
            "WarmThroughput",
        ],
    ),
    (
        "AWS::ApiGateway::ApiKey",
        // From before there were usage plans, the last.
        &["CustomerId", "GenerateDistinctId", "StageKeys"],
    ),
];

/// What a property may not have below it, or it is left to be refused: whoever has no certificate is shut
/// out by it, and nobody is here.
const UNLESS: &[(&str, &str)] = &[("Domain", "MutualTlsAuthentication")];

/// Texts for people, and how SAM writes the API, by type.
const TEXTS: &[(&str, &[&str])] = &[
    (
        "AWS::Serverless::Api",
        &[
            "Description",
            "Name",
            "OpenApiVersion",
            "PropagateTags",
            "Tags",
        ],
    ),
    (
        "AWS::Serverless::Function",
        &["Description", "PropagateTags", "Tags", "VersionDescription"],
    ),
    (
        "AWS::Serverless::LayerVersion",
        &["Description", "LayerName", "LicenseInfo"],
    ),
    ("AWS::DynamoDB::Table", &["Tags"]),
    ("AWS::ApiGateway::ApiKey", &["Tags"]),
];

/// Types that mean nothing on this machine, with the properties that they may have: there is no
/// CloudWatch, no IAM, no account and no DNS here.
const RESOURCES: &[(&str, &[&str])] = &[
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
    // Of what serves nothing.
    (
        "AWS::CloudFormation::Stack",
        &[
            "NotificationARNs",
            "Parameters",
            "Tags",
            "TemplateURL",
            "TimeoutInMinutes",
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

/// The properties that a resource may have whose type means nothing here.
pub(super) fn properties_of(kind: &str) -> Option<&'static [&'static str]> {
    let (_, properties) = RESOURCES.iter().find(|(name, _)| *name == kind)?;
    Some(properties)
}

/// The properties that a resource may not have whose type means nothing here.
pub(super) fn unknown(kind: &str, mut properties: Node) -> Option<Node> {
    let known = properties_of(kind)?;
    if let Value::Map(entries) = &mut properties.value {
        entries.retain(|entry| !known.contains(&entry.name.as_str()));
    }
    Some(properties)
}

/// What was taken out of a resource.
pub(super) struct Taken {
    pub(super) place: String,
    pub(super) node: Node,
    /// The property, where it is to be named.
    name: Option<String>,
}

/// Takes out of a resource's properties what means nothing.
pub(super) fn take_out(kind: &str, properties: &mut Node, place: &str) -> Vec<Taken> {
    let mut taken = Vec::new();
    for (table, is_named) in [(PROPERTIES, true), (TEXTS, false)] {
        let of_type = table.iter().find(|(name, _)| *name == kind);
        for path in of_type.map_or(&[][..], |(_, paths)| paths) {
            taken.extend(take(properties, path).map(|entry| Taken {
                place: format!("{place}.{path}"),
                node: entry.node,
                name: is_named.then_some(entry.name),
            }));
        }
    }
    // What calls a function beside the API is named by itself.
    if let Some(Value::Map(events)) = value(properties, "Events") {
        for event in events {
            let kind = event.node.get("Type").and_then(Node::as_text);
            if kind.is_some_and(ignored::is_event)
                && let Some(entry) = take(&mut event.node, "Properties")
            {
                taken.push(Taken {
                    place: format!("{place}.Events.{}.Properties", event.name),
                    node: entry.node,
                    name: None,
                });
            }
        }
    }
    taken
}

/// Notes what was taken out, so that it is named.
pub(super) fn note(taken: &[Taken], problems: &Problems) {
    for taken in taken {
        if let Some(name) = &taken.name {
            problems.pass_over(&taken.place, name);
        }
    }
}

/// What is read of a resource; `None` where nothing is.
pub(super) fn read_of(resource: &Node) -> Option<Node> {
    let kind = resource
        .get("Type")
        .and_then(Node::as_text)
        .unwrap_or_default();
    if ignored::is_resource(kind) || properties_of(kind).is_some() {
        return None;
    }
    let mut read = resource.clone();
    if let Value::Map(attributes) = &mut read.value {
        for attribute in attributes {
            if attribute.name == "Properties" {
                attribute.node = without(kind, &attribute.node);
            }
        }
    }
    Some(read)
}

/// Properties without those that mean nothing.
pub(super) fn without(kind: &str, properties: &Node) -> Node {
    let mut read = properties.clone();
    take_out(kind, &mut read, "");
    read
}

fn take(node: &mut Node, path: &str) -> Option<Entry> {
    let (name, below) = match path.split_once('.') {
        Some((name, below)) => (name, Some(below)),
        None => (path, None),
    };
    let Value::Map(entries) = &mut node.value else {
        return None;
    };
    let at = entries.iter().position(|entry| entry.name == name)?;
    match below {
        Some(below) => take(&mut entries[at].node, below),
        None if matters(&entries[at]) => None,
        None => Some(entries.remove(at)),
    }
}

fn matters(entry: &Entry) -> bool {
    let mut unless = UNLESS.iter();
    unless.any(|(name, below)| entry.name == *name && holds(&entry.node, below))
}

/// Whether a property of this name is anywhere below a node.
fn holds(node: &Node, name: &str) -> bool {
    match &node.value {
        Value::Map(entries) => entries
            .iter()
            .any(|entry| entry.name == name || holds(&entry.node, name)),
        Value::List(nodes) => nodes.iter().any(|node| holds(node, name)),
        Value::Call { argument, .. } => holds(argument, name),
        Value::Null | Value::Text(_) | Value::Unknown => false,
    }
}

fn value<'n>(node: &'n mut Node, name: &str) -> Option<&'n mut Value> {
    let Value::Map(entries) = &mut node.value else {
        return None;
    };
    let mut entries = entries.iter_mut();
    let found = entries.find(|entry| entry.name == name);
    found.map(|entry| &mut entry.node.value)
}
