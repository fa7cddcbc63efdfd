//! One request of CloudFormation, from the event to the answer.

use keygate_outbound::Outbound;
use keygate_settings::{SettingError, Settings};
use lambda_runtime::Diagnostic;
use serde_json::Value;

use crate::check::check;
use crate::refusal::Refusal;
use crate::request::{Kind, NoRequest, Request};
use crate::response::{NotSent, Response};
use crate::stack;

/// What answers CloudFormation.
#[derive(Debug)]
pub(crate) struct Provider {
    settings: Settings,
    outbound: Outbound,
    /// By Mozilla's certificate authorities: a bundle that cannot be used must not keep its reason from
    /// the stack's events.
    without_bundle: Outbound,
}

/// Why CloudFormation could not be answered. Lambda then calls again, which may help.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error(transparent)]
    NoRequest(#[from] NoRequest),
    #[error(transparent)]
    NotSent(#[from] NotSent),
}

impl From<Unanswered> for Diagnostic {
    fn from(error: Unanswered) -> Self {
        Self {
            error_type: "Unanswered".to_owned(),
            error_message: error.to_string(),
        }
    }
}

impl Provider {
    /// With the settings of this process.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn new(settings: Settings) -> Result<Self, SettingError> {
        Ok(Self {
            outbound: Outbound::new(&settings)?,
            without_bundle: Outbound::new(&Settings::default())?,
            settings,
        })
    }

    /// Checks what a request asks for, and answers CloudFormation.
    ///
    /// # Errors
    /// When CloudFormation could not be answered.
    pub(crate) async fn answer(&self, event: Value) -> Result<(), Unanswered> {
        let request = Request::new(event);
        let url = request.response_url()?;
        let refused = self.refused(&request).await;
        let reason = refused.as_ref().map(Refusal::reason);
        if let Some(reason) = &reason {
            tracing::error!(reason, "the settings are refused");
        } else {
            let kind = request.text("RequestType");
            tracing::info!(kind, "the settings are good, or there is nothing to check");
        }
        let response = Response::new(&request, reason);
        Ok(response.send(&url, self.ways()).await?)
    }

    fn ways(&self) -> [&Outbound; 2] {
        [&self.outbound, &self.without_bundle]
    }

    /// Why the request is refused, if it is.
    async fn refused(&self, request: &Request) -> Option<Refusal> {
        let kind = match request.kind() {
            Some(Kind::Delete) => return None,
            Some(kind) => kind,
            None => return Some(Refusal::Type),
        };
        let checked = check(request.properties().clone(), self.settings.clone()).await;
        let refusal = checked.err()?;
        if kind == Kind::Update && self.is_rolling_back(request).await {
            let reason = refusal.reason();
            tracing::warn!(reason, "would be refused, but the stack goes back to it");
            return None;
        }
        Some(refusal)
    }

    async fn is_rolling_back(&self, request: &Request) -> bool {
        let stack = request.text("StackId").unwrap_or_default();
        match stack::is_rolling_back(stack, self.ways(), &self.settings).await {
            Ok(is) => is,
            Err(error) => {
                tracing::warn!(%error, "whether the stack is rolled back is not known");
                false
            }
        }
    }
}
