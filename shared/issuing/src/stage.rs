//! A stage of an API, and its cached answers.

/// A stage of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The REST API's id.
    pub api_id: String,
    /// The stage's name.
    pub name: String,
}

/// What became of a stage's cached answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// They are gone.
    Done,
    /// Nobody said which stage, or API Gateway is not configured: they last until their time is
    /// over.
    NotAsked,
    /// API Gateway has no such stage: the call came around it, or an emulator knows no flush.
    NoSuchStage,
}
