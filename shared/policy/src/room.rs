//! The room that a resource of a policy takes.

use crate::policy::resource_length;

/// How long the ARN of a stage may be, which every resource of a policy begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room(usize);

/// The length of a stage's name that is reckoned with where it is not known.
const STAGE_NAME: usize = 16;
/// The length of the longest region's name so far.
const REGION: usize = 14;

impl Room {
    /// For a region and a stage, where they are known.
    #[must_use]
    pub fn of(region: Option<&str>, stage: Option<&str>) -> Self {
        let partition = match region {
            Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
            Some(region) if region.starts_with("cn-") => "aws-cn",
            Some(region) if region.starts_with("us-iso") => "aws-iso-b",
            Some(region) if region.starts_with("eu-isoe-") => "aws-iso-e",
            Some(region) if region.starts_with("eusc-") => "aws-eusc",
            _ => "aws",
        };
        let region = region.map_or(REGION, str::len);
        let stage = stage.map_or(STAGE_NAME, |name| name.len().max(STAGE_NAME));
        let account_and_api = "123456789012:abcdefghij/".len();
        let fixed = format!("arn:{partition}:execute-api::").len();
        Self(fixed + region + account_and_api + stage)
    }

    /// The bytes of a resource whose pattern has as many, quotes and comma included.
    pub(crate) fn taken_by(self, pattern: usize) -> usize {
        resource_length(self.0, pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_reckoned_for_the_arn_of_the_region_s_partition() {
        for (region, partition) in [
            ("eu-west-1", "aws"),
            ("ap-southeast-5", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-northwest-1", "aws-cn"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            for stage in ["sixteen-letters-", "a-stage-of-more-than-that"] {
                let arn =
                    format!("arn:{partition}:execute-api:{region}:123456789012:abcdefghij/{stage}");
                assert_eq!(
                    Room::of(Some(region), Some(stage)),
                    Room(arn.len()),
                    "{arn}"
                );
            }
        }
        let known = Room::of(Some("ap-southeast-5"), Some("dev"));
        assert_eq!(Room::of(None, None), known);
    }
}
