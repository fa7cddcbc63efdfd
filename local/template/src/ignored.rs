//! What is beside the API: resources that a handler may send to or that watch and alarm, and events that
//! reach a function by another way. They are not there on this machine: a handler that calls one is
//! refused, and everything else is answered as if they were.

use keygate_model::deployment::{ACCOUNT_ID, REGION, arn, queues};

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
        "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
        "AWS::KinesisFirehose::DeliveryStream" => "DeliveryStreamName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::SQS::Queue" => "QueueName",
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
        | "AWS::KinesisFirehose::DeliveryStream"
        | "AWS::S3::Bucket"
        | "AWS::Scheduler::ScheduleGroup" => name,
        "AWS::IAM::ManagedPolicy" | "AWS::SNS::Topic" => resource_arn(kind, &name)?,
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
        (_, "Arn") => resource_arn(kind, name)?,
        ("AWS::Events::EventBus", "Name")
        | ("AWS::SNS::Topic", "TopicName")
        | ("AWS::SQS::Queue", "QueueName") => name.to_owned(),
        ("AWS::SQS::Queue", "QueueUrl") => queue_url(name),
        ("AWS::S3::Bucket", "DomainName") => format!("{name}.s3.amazonaws.com"),
        ("AWS::S3::Bucket", "RegionalDomainName") => format!("{name}.s3.{REGION}.amazonaws.com"),
        _ => return None,
    })
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
