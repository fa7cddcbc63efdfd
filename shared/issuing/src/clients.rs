//! OAuth clients: registered, put on a plan, shut out and removed, each with a usage key of its own,
//! in the order of the steps that API keys have.
//!
//! A change of the plan makes another usage key on the new plan. Answers that the authorizer or API
//! Gateway remembers go on naming the former one, so that stays until they are over, and is deleted by
//! the change after that, or the sweep. What the client has spent of a quota does not come along.

use tokio::time::Instant;

use crate::deadline::{LIMIT, by};
use crate::failure::Failure;
use crate::issuing::Issuing;
use crate::metered::{NoSuchPlan, UNDO_LIMIT};
use crate::stage::{Flush, Stage};
use crate::store::{NamedUsageKey, StoreError};
use crate::usage_key::{UsageKey, is_own_value, value_of};
use keygate_api_key::{ApiKey, RandomnessUnavailable};
use keygate_key_record::{ClientRecord, FormerUsageKey, RegisteredClient, Status, now};

/// How long the usage key of before a change of the plan is kept, in seconds: as long as the template
/// lets the authorizer (`KeyCacheTtl`) and then API Gateway (`AuthorizerCacheTtl`) remember an answer.
const FORMER_KEPT_SECONDS: u64 = 2 * 3600;

/// What is asked for when a client is registered or changed. A change keeps the issuer.
#[derive(Debug, Clone)]
pub struct Registration {
    /// What people call the client.
    pub name: Option<String>,
    /// Whether it may be used.
    pub status: Status,
    /// The usage plan's name; the default plan without one.
    pub usage_plan: Option<String>,
}

/// Why a client is not registered, changed or removed, or not all that follows is done.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A service did not do its part. What was done has been undone, or is left to the sweep.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The usage plan is not configured.
    #[error(transparent)]
    NoSuchPlan(#[from] NoSuchPlan),
    /// There is a record of this client.
    #[error("the client is registered already: change or remove it")]
    Taken,
    /// There is none.
    #[error("there is no such client")]
    NotFound,
    /// The client was changed at the same time.
    #[error("the client was changed at the same time: look at it again")]
    Changed,
    /// The record says what it should. Cached answers may go on until their time is over, and a
    /// usage key may be left.
    #[error(
        "the change is made, but not everything that follows is done: cached answers may last \
         until their time is over. Do it again ({0})"
    )]
    Unfinished(Failure),
}

impl From<RandomnessUnavailable> for ClientError {
    fn from(error: RandomnessUnavailable) -> Self {
        Self::Failed(error.into())
    }
}

impl Issuing {
    /// Registers a client of an issuer, or of every trusted issuer.
    ///
    /// # Errors
    /// When it is registered already, there is no such plan, or a service does not do its part.
    pub async fn register(
        &self,
        client_id: &str,
        issuer: Option<&str>,
        registration: &Registration,
        stage: Option<&Stage>,
    ) -> Result<(RegisteredClient, Flush), ClientError> {
        let deadline = Instant::now() + LIMIT - UNDO_LIMIT;
        let blank = RegisteredClient {
            client_id: client_id.to_owned(),
            record: ClientRecord {
                usage_key: None,
                status: registration.status,
                issuer: issuer.map(ToOwned::to_owned),
            },
            name: None,
            created_at: now(),
            usage_key_id: None,
            usage_plan: None,
            former_usage_key: None,
        };
        // Before a usage key is made for nothing.
        if by(deadline, self.store.client(client_id)).await?.is_some() {
            return Err(ClientError::Taken);
        }
        let (client, usage_key) = self.applied(&blank, registration, deadline).await?;
        let written = by(deadline, self.store.create_client(&client)).await;
        let may_be_written = match &written {
            Ok(true) => return self.flushed(client, Vec::new(), stage, deadline).await,
            Ok(false) => false,
            Err(failure) => !failure.is_refused_by_table(),
        };
        let withdrawn = async {
            if may_be_written {
                return self.store.withdraw_client(&client).await;
            }
            Ok(())
        };
        let holder = ClientRecord::pk(client_id);
        self.undo(&holder, usage_key.as_ref(), Box::pin(withdrawn))
            .await;
        Err(written.err().map_or(ClientError::Taken, Into::into))
    }

    /// Gives a client the plan, status and name that `asked` makes of its record. The same again does
    /// what was left.
    ///
    /// # Errors
    /// When there is no such client or plan, the client was changed meanwhile, or a service does not
    /// do its part.
    pub async fn change(
        &self,
        client_id: &str,
        asked: impl FnOnce(&RegisteredClient) -> Registration,
        stage: Option<&Stage>,
    ) -> Result<(RegisteredClient, Flush), ClientError> {
        let deadline = Instant::now() + LIMIT - UNDO_LIMIT;
        let read = by(deadline, self.store.client_item(client_id)).await?;
        let read = read.ok_or(ClientError::NotFound)?;
        let former = RegisteredClient::from_item(&read).map_err(StoreError::from);
        let mut former = former.map_err(Failure::from)?;
        // One that was written by hand is registered by this.
        if former.created_at == 0 {
            former.created_at = now();
        }
        let asked = asked(&former);
        let (mut client, usage_key) = self.applied(&former, &asked, deadline).await?;
        let own = NamedUsageKey::of(&read);
        let over = over(own, &former, &mut client, usage_key.is_some(), now());
        let written = by(deadline, self.store.change_client(&read, &client)).await;
        if let Ok(true) = written {
            return self.flushed(client, over, stage, deadline).await;
        }
        // After a change that may have been made the usage key may be in use: the sweep knows.
        let is_unwritten = written
            .as_ref()
            .err()
            .is_none_or(Failure::is_refused_by_table);
        if is_unwritten {
            let holder = ClientRecord::pk(client_id);
            let withdrawn = std::future::ready(Ok::<_, Failure>(()));
            self.undo(&holder, usage_key.as_ref(), withdrawn).await;
        }
        Err(written.err().map_or(ClientError::Changed, Into::into))
    }

    /// Removes a client's record with its usage key: from then on it is one that nobody registered,
    /// also where it was shut out.
    ///
    /// # Errors
    /// When there is no such client, or a service does not do its part.
    pub async fn remove(
        &self,
        client_id: &str,
        stage: Option<&Stage>,
    ) -> Result<Flush, ClientError> {
        let deadline = Instant::now() + LIMIT;
        let unmetered = by(deadline, self.store.unmeter_client(client_id)).await?;
        let mut item = unmetered.ok_or(ClientError::NotFound)?;
        let unfinished = ClientError::Unfinished;
        let flush = by(deadline, self.flush(stage)).await.map_err(unfinished)?;
        let holder = ClientRecord::pk(client_id);
        let client = RegisteredClient::from_item(&item).ok();
        let former = client.as_ref().and_then(NamedUsageKey::former);
        for usage_key in former.into_iter().chain([NamedUsageKey::of(&item)]) {
            let deleted = by(deadline, self.unmeter(&holder, &usage_key)).await;
            deleted.map_err(unfinished)?;
        }
        // Last, as it is what this can be done again by.
        item.remove("usage_key");
        let deleted = by(deadline, self.store.delete_client(client_id, &item)).await;
        if deleted.map_err(unfinished)? {
            return Ok(flush);
        }
        // It was changed or removed meanwhile, or the SDK's second try met the first one's work.
        let read = by(deadline, self.store.client_item(client_id)).await;
        match read.map_err(unfinished)? {
            None => Ok(flush),
            Some(_) => Err(ClientError::Changed),
        }
    }

    /// The client as it is asked for, with the usage key that was made for that, if it needs another.
    async fn applied(
        &self,
        former: &RegisteredClient,
        registration: &Registration,
        deadline: Instant,
    ) -> Result<(RegisteredClient, Option<UsageKey>), ClientError> {
        let is_shut_out = registration.status == Status::Revoked;
        // Whoever shuts a client out need not know its plan.
        let chosen = if is_shut_out && registration.usage_plan == former.usage_plan {
            None
        } else {
            self.chosen(registration.usage_plan.as_deref())?
        };
        let plan = chosen.map(|chosen| chosen.plan.name.clone());
        let mut client = RegisteredClient {
            name: registration.name.clone(),
            usage_plan: plan.or_else(|| registration.usage_plan.clone()),
            ..former.clone()
        };
        client.record.status = registration.status;
        if is_shut_out {
            // Its usage key is deleted next; one that somebody lets several share is not.
            let usage_key = &mut client.record.usage_key;
            *usage_key = usage_key.take().filter(|value| !is_own_value(value));
        }
        let is_metered = is_metered(former) && former.usage_plan == client.usage_plan;
        let chosen = chosen.filter(|_| !is_shut_out && !is_metered);
        let Some(chosen) = chosen else {
            return Ok((client, None));
        };
        let value = value_of(ApiKey::generate()?.id());
        let holder = ClientRecord::pk(&client.client_id);
        let usage_key = chosen.usage_key(&holder, value, deadline).await?;
        client.record.usage_key = Some(usage_key.value.clone());
        client.usage_key_id = Some(usage_key.id.clone());
        Ok((client, Some(usage_key)))
    }

    /// Empties the stage's cache after a change, then deletes the usage keys that are over.
    async fn flushed(
        &self,
        client: RegisteredClient,
        over: Vec<NamedUsageKey>,
        stage: Option<&Stage>,
        deadline: Instant,
    ) -> Result<(RegisteredClient, Flush), ClientError> {
        let unfinished = ClientError::Unfinished;
        let flush = by(deadline, self.flush(stage)).await.map_err(unfinished)?;
        let holder = ClientRecord::pk(&client.client_id);
        for usage_key in over {
            let deleted = by(deadline, self.unmeter(&holder, &usage_key)).await;
            deleted.map_err(unfinished)?;
        }
        Ok((client, flush))
    }
}

/// Whether a client is let in on a usage key of its own.
fn is_metered(client: &RegisteredClient) -> bool {
    client.record.status == Status::Active
        && client.usage_key_id.is_some()
        && client.record.usage_key.as_deref().is_some_and(is_own_value)
}

/// The usage keys that are over with a change at `now` (epoch seconds), of which `own` is what the record
/// named. The one that a client in use has
/// had till then is not, and the record says until when it is kept.
fn over(
    own: NamedUsageKey,
    former: &RegisteredClient,
    client: &mut RegisteredClient,
    has_another: bool,
    now: u64,
) -> Vec<NamedUsageKey> {
    let before = NamedUsageKey::former(former);
    let [was_in_use, is_in_use] =
        [former, &*client].map(|client| client.record.status == Status::Active);
    if !was_in_use || !is_in_use {
        // Nobody is let in by a remembered answer that should be. Once the client is in use again,
        // its record has no need of what is over.
        client.former_usage_key.take_if(|_| is_in_use);
        return before.into_iter().chain([own]).collect();
    }
    let kept = former.former_usage_key.as_ref();
    let is_over = kept.is_some_and(|kept| kept.until <= now);
    if is_over {
        client.former_usage_key = None;
    }
    if has_another && is_metered(former) {
        // What is still kept of an earlier change is left to the sweep.
        client.former_usage_key = former.usage_key_id.clone().map(|id| FormerUsageKey {
            id,
            until: now + FORMER_KEPT_SECONDS,
        });
    }
    before.filter(|_| is_over).into_iter().collect()
}
