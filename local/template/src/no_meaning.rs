//! What of a template changes no answer on this machine: properties of what is served, and resources of no
//! use without an account. It is taken out before anything is resolved, so that what it refers to need not
//! be known here, and it is named once at start.
//!
//! Texts for people (`Description`, `Tags`) and what is read in another place are not among it: the module
//! of each type drops them without a word.

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

/// Types that mean nothing on this machine, with the properties that they may have: there is no
/// CloudWatch, no IAM and no account here.
const RESOURCES: &[(&str, &[&str])] = &[
    ("AWS::ApiGateway::Account", &["CloudWatchRoleArn"]),
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

/// Takes out of a resource's properties what means nothing, with the place of each.
pub(super) fn take_out(kind: &str, properties: &mut Node, place: &str) -> Vec<(String, Entry)> {
    let of_type = PROPERTIES.iter().find(|(name, _)| *name == kind);
    let mut taken = Vec::new();
    for path in of_type.map_or(&[][..], |(_, paths)| paths) {
        if let Some(entry) = take(properties, path) {
            taken.push((format!("{place}.{path}"), entry));
        }
    }
    if let Some(Value::Map(events)) = value(properties, "Events") {
        for event in events {
            let kind = event.node.get("Type").and_then(Node::as_text);
            if kind.is_some_and(ignored::is_event)
                && let Some(entry) = take(&mut event.node, "Properties")
            {
                taken.push((format!("{place}.Events.{}.Properties", event.name), entry));
            }
        }
    }
    taken
}

/// Notes what was taken out, so that it is named. What calls a function beside the API is named by itself.
pub(super) fn note(taken: &[(String, Entry)], problems: &Problems) {
    for (place, entry) in taken {
        if entry.name != "Properties" {
            problems.pass_over(place, &entry.name);
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
        None => Some(entries.remove(at)),
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
