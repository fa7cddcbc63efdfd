//! The topic whose subscribers are told: Amazon SNS.

use std::str::FromStr;

use aws_config::SdkConfig;
use aws_sdk_sns::{Client, Error};

use crate::notice::Notice;

/// A topic's ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicArn(String);

/// What names no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no ARN of an SNS topic, as in arn:aws:sns:eu-west-1:123456789012:alarms")]
pub(crate) struct NoTopic;

impl FromStr for TopicArn {
    type Err = NoTopic;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", _, "sns", _, _, name] if !name.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(NoTopic),
        }
    }
}

/// A message that the topic did not take. SNS puts no credential into its words.
#[derive(Debug, thiserror::Error)]
#[error("SNS: {0}")]
pub(crate) struct NotPublished(String);

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    client: Client,
    arn: TopicArn,
}

impl Topic {
    /// The topic, called as the AWS SDK is configured. No call is made.
    pub(crate) fn new(config: &SdkConfig, arn: TopicArn) -> Self {
        Self {
            client: Client::new(config),
            arn,
        }
    }

    /// Tells the topic's subscribers.
    pub(crate) async fn publish(&self, notice: &Notice) -> Result<(), NotPublished> {
        let publish = self.client.publish().topic_arn(&self.arn.0);
        let publish = publish.subject(&notice.subject).message(&notice.text);
        match publish.send().await.map_err(Error::from) {
            Ok(_) => Ok(()),
            Err(error) => Err(NotPublished(keygate_aws::words(&error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_named_by_its_arn() {
        let arn = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:keygate-prod-AlarmTopic-1";
        assert_eq!(arn.parse(), Ok(TopicArn(arn.to_owned())));
        for text in [
            "AlarmTopic",
            "arn:aws:sqs:eu-west-1:123456789012:alarms",
            "arn:aws:sns:eu-west-1:123456789012:",
            // A subscription's.
            "arn:aws:sns:eu-west-1:123456789012:alarms:1-2-3",
        ] {
            assert_eq!(text.parse::<TopicArn>(), Err(NoTopic), "{text}");
        }
    }
}
