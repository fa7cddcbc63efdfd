//! Why an operator's command did not do what it was to do.

use keygate_api_key::ApiKeyId;
use keygate_issuing::{
    AuthorizersError, ClientError, DaysError, Failure, IssueError, RevokeError, RotateError,
    SourceNotTold, StoreError, SweepError, UnusableNetworks, UsageError,
};
use keygate_outbound::OutboundError;

use crate::cli::keys::NoKeyNamed;

/// Why a command did not do what it was to do, in one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperatorError {
    /// The command line cannot be right.
    #[error("{0}")]
    Usage(String),
    /// The argument is no id.
    #[error(transparent)]
    NoKeyNamed(#[from] NoKeyNamed),
    /// The metadata is none.
    #[error("--metadata: {0}")]
    Metadata(String),
    /// There can be no usage of the days.
    #[error("--{0}")]
    Days(#[from] DaysError),
    /// There is no usage of a key or a client.
    #[error("there is no usage of {0}: {1}")]
    NoUsage(String, UsageError),
    /// No key can be bound to these networks.
    #[error("--cidr: {0}")]
    Networks(#[from] UnusableNetworks),
    /// The key is bound to networks, and would open nothing with another secret either.
    #[error(
        "what {0} is bound to {1}: revoke it and issue another without, or deploy the API with \
         AuthorizerEvents=REQUEST"
    )]
    Bound(ApiKeyId, SourceNotTold),
    /// A key's networks cannot be enforced.
    #[error("--cidr: {0}")]
    Authorizers(AuthorizersError),
    /// There is no such key.
    #[error("there is no key {0}")]
    NoSuchKey(ApiKeyId),
    /// The running gateway does not answer.
    #[error(
        "{0}; is the gateway running? --dynamodb-port and --api-gateway-port say where, --table \
         names a deployed table"
    )]
    NotRunning(String),
    /// A service did not do its part.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// No key was issued.
    #[error(transparent)]
    Issue(IssueError),
    /// There is no new secret.
    #[error(transparent)]
    Rotate(RotateError),
    /// The key is not revoked, or not all that follows is done.
    #[error(transparent)]
    Revoke(RevokeError),
    /// The client is not registered, changed or removed, or not all that follows is done.
    #[error("{0}: {1}")]
    Client(String, ClientError),
    /// A part of the sweep could not be done.
    #[error("{0} of the differences could not be put in order")]
    Sweep(usize),
    /// The table looks like the wrong one.
    #[error(transparent)]
    Unlikely(SweepError),
    /// What was done cannot be printed.
    #[error("standard output cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// There is no HTTP client.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
}

impl OperatorError {
    /// There is no usage of a key or a client.
    pub(super) fn no_usage(whose: &str, error: UsageError) -> Self {
        match error {
            UsageError::Failed(failure) => failure.into(),
            error @ UsageError::PlanNotConfigured(_) => Self::Usage(format!(
                "{error}: name the stack in --stack, or its plans in --usage-plans"
            )),
            error => Self::NoUsage(keygate_visible::line(whose).into_owned(), error),
        }
    }

    /// Whether the command line is wrong, as far as that can be told.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Usage(_)
                | Self::NoKeyNamed(_)
                | Self::Networks(_)
                | Self::Metadata(_)
                | Self::Days(_)
                | Self::Issue(IssueError::NoSuchPlan(_))
                | Self::Client(_, ClientError::NoSuchPlan(_))
        )
    }
}

impl From<SweepError> for OperatorError {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Failed(failure) => Self::Failed(failure),
            unlikely @ SweepError::Unlikely { .. } => Self::Unlikely(unlikely),
        }
    }
}

impl From<AuthorizersError> for OperatorError {
    fn from(error: AuthorizersError) -> Self {
        match error {
            AuthorizersError::ApiGateway(error) => Self::Failed(error.into()),
            error @ AuthorizersError::SharedAnswers(_) => Self::Authorizers(error),
        }
    }
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}
