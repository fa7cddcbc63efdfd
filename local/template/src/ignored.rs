//! What is beside the API: resources that a handler may send to or that watch and alarm, and events that
//! reach a function by another way. They are not there on this machine: a handler that calls one is
//! refused, and everything else is answered as if they were.

use keygate_model::deployment::{ACCOUNT_ID, REGION, arn, queues};

use super::yaml::{Node, Value};

/// Types of resources beside the API. What configures, guards or answers requests is none of them.
const RESOURCES: &[&str] = &[
    "AWS::ApplicationInsights::Application",
    "AWS::Budgets::Budget",
    "AWS::CDK::Metadata",
    "AWS::CertificateManager::Certificate",
    "AWS::CloudFormation::CustomResource",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::AnomalyDetector",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CloudWatch::InsightRule",
    "AWS::CloudWatch::MetricStream",
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::IdentityPoolRoleAttachment",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolGroup",
    "AWS::Cognito::UserPoolResourceServer",
    "AWS::Events::Archive",
    "AWS::Events::EventBus",
    "AWS::Events::EventBusPolicy",
    "AWS::Events::Rule",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::ServiceLinkedRole",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Url",
    "AWS::Logs::LogStream",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::Logs::ResourcePolicy",
    "AWS::Logs::SubscriptionFilter",
    "AWS::Pipes::Pipe",
    "AWS::ResourceGroups::Group",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicInlinePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueueInlinePolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SSM::Parameter",
    "AWS::Scheduler::Schedule",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::SecretsManager::Secret",
    "AWS::SecretsManager::SecretTargetAttachment",
    "AWS::Serverless::Connector",
    "AWS::Serverless::StateMachine",
    "AWS::StepFunctions::StateMachine",
    "AWS::XRay::Group",
    "AWS::XRay::SamplingRule",
];
/// What the types of services begin with that are beside the API as a whole: networks, scaling, backups,
/// deployments, and stores and searches that a function reaches over the network.
const SERVICES: &[&str] = &[
    "AWS::AppConfig::",
    "AWS::ApplicationAutoScaling::",
    "AWS::Athena::",
    "AWS::Backup::",
    "AWS::CloudFront::",
    "AWS::CloudTrail::",
    "AWS::CodeDeploy::",
    "AWS::EC2::",
    "AWS::EFS::",
    "AWS::ElastiCache::",
    "AWS::Glue::",
    "AWS::OpenSearchService::",
    "AWS::RDS::",
    "AWS::Route53::",
    "AWS::SES::",
    "AWS::Synthetics::",
    // Custom resources: what they make, a function of somebody's makes in the account.
    "Custom::",
];

/// Types of events that are no request to an API (SAM specification, event sources of a function).
const EVENTS: &[&str] = &[
    "AlexaSkill",
    "CloudWatchEvent",
    "CloudWatchLogs",
    "Cognito",
    "DocumentDB",
    "DynamoDB",
    "EventBridgeRule",
    "IoTRule",
    "Kinesis",
    "MQ",
    "MSK",
    "S3",
    "SNS",
    "SQS",
    "Schedule",
    "ScheduleV2",
    "SelfManagedKafka",
];

/// Whether a resource of this type is beside the API.
pub(super) fn is_resource(kind: &str) -> bool {
    let mut services = SERVICES.iter();
    RESOURCES.contains(&kind) || services.any(|service| kind.starts_with(service))
}

/// The logical id of the function that makes a custom resource, where it is one of the template's.
pub(super) fn provider(resource: &Node) -> Option<&str> {
    let token = resource.get("Properties")?.get("ServiceToken")?;
    let Value::Call { function, argument } = &token.value else {
        return None;
    };
    match (function.as_str(), &argument.value) {
        ("Fn::GetAtt", Value::Text(path)) => path.split('.').next(),
        ("Fn::GetAtt", Value::List(items)) => items.first()?.as_text(),
        _ => None,
    }
}

/// Whether an event of this type is beside the API.
pub(super) fn is_event(kind: &str) -> bool {
    EVENTS.contains(&kind)
}

/// The property that names a resource of this type, where it has one.
pub(super) fn name_property(kind: &str) -> &'static str {
    match kind {
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => "AlarmName",
        "AWS::CloudWatch::Dashboard" => "DashboardName",
        "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
        "AWS::KMS::Alias" => "AliasName",
        "AWS::KinesisFirehose::DeliveryStream" => "DeliveryStreamName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::StepFunctions::StateMachine" => "StateMachineName",
        _ => "Name",
    }
}

/// The property by which the ARN of a resource of this type takes another form than it has here.
pub(super) fn form_property(kind: &str) -> Option<&'static str> {
    match kind {
        "AWS::Events::Rule" => Some("EventBusName"),
        "AWS::IAM::ManagedPolicy" => Some("Path"),
        _ => None,
    }
}

/// What `Ref` gives for a resource of this type and name, where it is known (CloudFormation template
/// reference, "Return values" of each type).
pub(super) fn reference(kind: &str, name: String) -> Option<String> {
    Some(match kind {
        "AWS::CloudWatch::Alarm"
        | "AWS::CloudWatch::CompositeAlarm"
        | "AWS::CloudWatch::Dashboard"
        | "AWS::Events::EventBus"
        | "AWS::Events::Rule"
        | "AWS::KMS::Alias"
        | "AWS::Kinesis::Stream"
        | "AWS::KinesisFirehose::DeliveryStream"
        | "AWS::S3::Bucket"
        | "AWS::SSM::Parameter"
        | "AWS::Scheduler::ScheduleGroup" => name,
        "AWS::IAM::ManagedPolicy"
        | "AWS::SNS::Topic"
        | "AWS::SecretsManager::Secret"
        | "AWS::StepFunctions::StateMachine" => resource_arn(kind, &name)?,
        "AWS::Cognito::UserPool" => user_pool(&name),
        "AWS::KMS::Key" => key_id(&name),
        "AWS::SQS::Queue" => queue_url(&name),
        _ => return None,
    })
}

/// What `Fn::GetAtt` gives, where it is known.
pub(super) fn attribute(kind: &str, name: &str, attribute: &str) -> Option<String> {
    Some(match (kind, attribute) {
        ("AWS::IAM::ManagedPolicy", "PolicyArn") | ("AWS::SNS::Topic", "TopicArn") => {
            resource_arn(kind, name)?
        }
        // Neither has one of this name.
        ("AWS::IAM::ManagedPolicy" | "AWS::SNS::Topic", "Arn") => return None,
        ("AWS::Cognito::UserPool", "UserPoolId") => user_pool(name),
        ("AWS::KMS::Key", "KeyId") => key_id(name),
        ("AWS::SecretsManager::Secret", "Id") | (_, "Arn") => resource_arn(kind, name)?,
        ("AWS::Events::EventBus" | "AWS::StepFunctions::StateMachine", "Name")
        | ("AWS::SNS::Topic", "TopicName")
        | ("AWS::SQS::Queue", "QueueName") => name.to_owned(),
        ("AWS::SQS::Queue", "QueueUrl") => queue_url(name),
        ("AWS::S3::Bucket", "DomainName") => format!("{name}.s3.amazonaws.com"),
        ("AWS::S3::Bucket", "RegionalDomainName") => format!("{name}.s3.{REGION}.amazonaws.com"),
        _ => return None,
    })
}

/// A key's id, which AWS makes up: here it is of the logical id.
fn key_id(name: &str) -> String {
    let own = made_up(name);
    let pieces = [
        &own[..8],
        &own[8..12],
        &own[12..16],
        &own[16..20],
        &own[20..32],
    ];
    pieces.join("-")
}

/// A user pool's id, which AWS makes up.
fn user_pool(name: &str) -> String {
    format!("{REGION}_{}", &made_up(name)[..9])
}

/// Hexadecimal digits that are the same at each start.
fn made_up(name: &str) -> String {
    // FNV-1a, which is the same wherever this is built.
    let hash = |start: u64| {
        name.bytes().fold(start, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    format!("{:016x}{:016x}", hash(0xcbf2_9ce4_8422_2325), hash(0))
}

fn queue_url(name: &str) -> String {
    format!("{}/{ACCOUNT_ID}/{name}", queues())
}

/// The ARN of a resource (Service Authorization Reference, "Resource types defined by" each service).
fn resource_arn(kind: &str, name: &str) -> Option<String> {
    Some(match kind {
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => {
            arn("cloudwatch", &format!("alarm:{name}"))
        }
        "AWS::Events::EventBus" => arn("events", &format!("event-bus/{name}")),
        "AWS::Events::Rule" => arn("events", &format!("rule/{name}")),
        "AWS::IAM::ManagedPolicy" => format!("arn:aws:iam::{ACCOUNT_ID}:policy/{name}"),
        "AWS::Cognito::UserPool" => arn("cognito-idp", &format!("userpool/{}", user_pool(name))),
        "AWS::KMS::Key" => arn("kms", &format!("key/{}", key_id(name))),
        "AWS::Kinesis::Stream" => arn("kinesis", &format!("stream/{name}")),
        // AWS puts six letters behind the name.
        "AWS::SecretsManager::Secret" => arn(
            "secretsmanager",
            &format!("secret:{name}-{}", &made_up(name)[..6]),
        ),
        "AWS::StepFunctions::StateMachine" => arn("states", &format!("stateMachine:{name}")),
        "AWS::KinesisFirehose::DeliveryStream" => {
            arn("firehose", &format!("deliverystream/{name}"))
        }
        "AWS::S3::Bucket" => format!("arn:aws:s3:::{name}"),
        "AWS::SNS::Topic" => arn("sns", name),
        "AWS::SQS::Queue" => arn("sqs", name),
        "AWS::Scheduler::ScheduleGroup" => arn("scheduler", &format!("schedule-group/{name}")),
        _ => return None,
    })
}
