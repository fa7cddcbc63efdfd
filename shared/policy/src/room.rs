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
