//! A usage key for a new holder: made, put on its plan, and taken back where a later step fails.

use std::time::Duration;

use tokio::time::Instant;

use crate::apigateway::ApiGatewayError;
use crate::deadline::by;
use crate::failure::Failure;
use crate::issuing::Issuing;
use crate::metering::Metering;
use crate::store::NamedUsageKey;
use crate::usage_key::UsageKey;
use crate::usage_plans::UsagePlan;

/// How much of an operation's time undoing may take.
pub(crate) const UNDO_LIMIT: Duration = Duration::from_millis(1500);

/// The usage plan that an order names is not configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no usage plan {0}")]
pub struct NoSuchPlan(pub String);

/// A plan, with where its usage keys are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen<'a> {
    pub(crate) plan: &'a UsagePlan,
    metering: &'a Metering,
}

impl Chosen<'_> {
    /// Makes a usage key of `holder` on the plan. None is left on the way, as far as its id is known.
    pub(crate) async fn usage_key(
        self,
        holder: &str,
        value: String,
        deadline: Instant,
    ) -> Result<UsageKey, Failure> {
        let metering = self.metering;
        let plan_id = by(deadline, metering.plan_id(&self.plan.target)).await?;
        let usage_key = by(deadline, metering.create(holder, value)).await?;
        if let Err(failure) = by(deadline, metering.put_on(&usage_key.id, &plan_id)).await {
            let deadline = Instant::now() + UNDO_LIMIT;
            if let Err(error) = by(deadline, metering.delete(&usage_key.id)).await {
                tracing::warn!(holder, %error, "a usage key is left to the sweep");
            }
            return Err(failure);
        }
        Ok(usage_key)
    }
}

impl Issuing {
    /// The plan of a name, or the default plan; `None` where nobody is metered by themselves.
    pub(crate) fn chosen(&self, name: Option<&str>) -> Result<Option<Chosen<'_>>, NoSuchPlan> {
        let found = self.metering.as_ref().and_then(|metering| {
            let plan = metering.plans().find(name)?;
            Some(Chosen { plan, metering })
        });
        match name {
            Some(name) if found.is_none() => Err(NoSuchPlan(name.to_owned())),
            _ => Ok(found),
        }
    }

    /// Undoes what may have been done for a new holder, as well as it can: the sweep finds the rest.
    /// The usage key goes last, and only when no record can be there, which would lack it.
    pub(crate) async fn undo<E>(
        &self,
        holder: &str,
        usage_key: Option<&UsageKey>,
        withdrawn: impl Future<Output = Result<(), E>>,
    ) where
        E: Into<Failure>,
    {
        let deadline = Instant::now() + UNDO_LIMIT;
        let undone = async {
            by(deadline, withdrawn).await?;
            if let (Some(metering), Some(usage_key)) = (&self.metering, usage_key) {
                by(deadline, metering.delete(&usage_key.id)).await?;
            }
            Ok::<_, Failure>(())
        };
        if let Err(error) = undone.await {
            tracing::warn!(holder, %error, "what was made half way is left to the sweep");
        }
    }

    /// Deletes the usage key that a record names, if it names one of its own.
    pub(crate) async fn unmeter(
        &self,
        holder: &str,
        usage_key: &NamedUsageKey,
    ) -> Result<(), ApiGatewayError> {
        let Some(metering) = self.metering.as_ref().filter(|_| usage_key.is_own()) else {
            return Ok(());
        };
        let Some(id) = &usage_key.id else {
            tracing::warn!(
                holder,
                "the record is of a former version and does not name the usage key's id: the \
                 sweep deletes it"
            );
            return Ok(());
        };
        metering.delete(id).await
    }
}
