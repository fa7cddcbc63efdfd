//! What is beside the API: resources that a handler may send to or that watch and alarm, and events that
//! reach a function by another way. They are not there on this machine, and cannot change what the
//! API answers.

use crate::deployment::{ACCOUNT_ID, REGION, arn};

/// Types of resources beside the API. What configures, guards or answers requests is none of them.
const RESOURCES: &[&str] = &[
    "AWS::ApplicationInsights::Application",
    "AWS::Budgets::Budget",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::AnomalyDetector",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CloudWatch::InsightRule",
    "AWS::CloudWatch::MetricStream",
    "AWS::Events::Archive",
    "AWS::Events::EventBus",
    "AWS::Events::EventBusPolicy",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::Logs::ResourcePolicy",
    "AWS::Logs::SubscriptionFilter",
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
    "AWS::Scheduler::Schedule",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::XRay::Group",
    "AWS::XRay::SamplingRule",
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
    RESOURCES.contains(&kind)
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
        "AWS::KinesisFirehose::DeliveryStream" => "DeliveryStreamName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::SQS::Queue" => "QueueName",
        _ => "Name",
    }
}

/// What `Ref` gives for a resource of this type and name.
pub(super) fn reference(kind: &str, name: String) -> String {
    match kind {
        "AWS::SNS::Topic" => resource_arn(kind, &name),
        "AWS::SQS::Queue" => queue_url(&name),
        _ => name,
    }
}

/// What `Fn::GetAtt` gives, where it is known.
pub(super) fn attribute(kind: &str, name: &str, attribute: &str) -> Option<String> {
    Some(match (kind, attribute) {
        (_, "Arn") | ("AWS::SNS::Topic", "TopicArn") => resource_arn(kind, name),
        ("AWS::SNS::Topic", "TopicName") | ("AWS::SQS::Queue", "QueueName") => name.to_owned(),
        ("AWS::SQS::Queue", "QueueUrl") => queue_url(name),
        ("AWS::S3::Bucket", "DomainName") => format!("{name}.s3.amazonaws.com"),
        ("AWS::S3::Bucket", "RegionalDomainName") => format!("{name}.s3.{REGION}.amazonaws.com"),
        _ => return None,
    })
}

fn queue_url(name: &str) -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{name}")
}

fn resource_arn(kind: &str, name: &str) -> String {
    let mut parts = kind.split("::").skip(1);
    let service = parts.next().unwrap_or_default().to_ascii_lowercase();
    match kind {
        "AWS::S3::Bucket" => format!("arn:aws:s3:::{name}"),
        "AWS::SNS::Topic" | "AWS::SQS::Queue" => arn(&service, name),
        "AWS::IAM::ManagedPolicy" => format!("arn:aws:iam::{ACCOUNT_ID}:policy/{name}"),
        _ => {
            let resource = parts.next().unwrap_or_default().to_ascii_lowercase();
            arn(&service, &format!("{resource}/{name}"))
        }
    }
}
