//! OAuth clients: registered, put on a plan, shut out and removed, each with a usage key of its own,
//! in the order of the steps that API keys have.
//!
//! A change of the plan makes another usage key on the new plan and then deletes the former one, so
//! that the client is metered all the while. What it has spent of a quota does not come along.

use tokio::time::Instant;

use crate::deadline::{LIMIT, by};
use crate::failure::Failure;
use crate::issuing::Issuing;
use crate::metered::{NoSuchPlan, UNDO_LIMIT};
use crate::stage::{Flush, Stage};
use crate::store::NamedUsageKey;
use crate::usage_key::{UsageKey, is_own_value, value_of};
use keygate_api_key::{ApiKey, RandomnessUnavailable};
use keygate_key_record::{ClientRecord, RegisteredClient, Status, now};
use keygate_principal::name::is_plain_name;

/// How many bytes a client's id has at most; a name at API Gateway holds it.
pub const MAX_CLIENT_ID_BYTES: usize = 512;

/// Whether a client may have this id: what the authorizer takes from a token, within
/// [`MAX_CLIENT_ID_BYTES`], and what can end a path: clients take `.` and `..` out of theirs.
#[must_use]
pub fn is_client_id(text: &str) -> bool {
    is_plain_name(text) && text.len() <= MAX_CLIENT_ID_BYTES && !matches!(text, "." | "..")
}

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
        };
        // Before a usage key is made for nothing.
        if by(deadline, self.store.client(client_id)).await?.is_some() {
            return Err(ClientError::Taken);
        }
        let (client, usage_key) = self.applied(&blank, registration, deadline).await?;
        let written = by(deadline, self.store.create_client(&client)).await;
        let may_be_written = match &written {
            Ok(true) => return self.flushed(client, None, stage, deadline).await,
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

    /// Gives a client another plan, status and name. The same again does what was left.
    ///
    /// # Errors
    /// When there is no such client or plan, the client was changed meanwhile, or a service does not
    /// do its part.
    pub async fn change(
        &self,
        client_id: &str,
        registration: &Registration,
        stage: Option<&Stage>,
    ) -> Result<(RegisteredClient, Flush), ClientError> {
        let deadline = Instant::now() + LIMIT - UNDO_LIMIT;
        let read = by(deadline, self.store.client(client_id)).await?;
        let mut former = read.ok_or(ClientError::NotFound)?;
        // One that was written by hand is registered by this.
        if former.created_at == 0 {
            former.created_at = now();
        }
        let (client, usage_key) = self.applied(&former, registration, deadline).await?;
        let written = by(deadline, self.store.change_client(&former, &client)).await;
        if let Ok(true) = written {
            let is_over = usage_key.is_some() || client.record.status == Status::Revoked;
            let former = is_over.then(|| NamedUsageKey::of_client(&former));
            return self.flushed(client, former, stage, deadline).await;
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
        let usage_key = unmetered.ok_or(ClientError::NotFound)?;
        let unfinished = ClientError::Unfinished;
        let flush = by(deadline, self.flush(stage)).await.map_err(unfinished)?;
        let holder = ClientRecord::pk(client_id);
        let deleted = by(deadline, self.unmeter(&holder, &usage_key)).await;
        deleted.map_err(unfinished)?;
        // Last, as it is what this can be done again by.
        let deleted = by(deadline, self.store.delete_client(client_id)).await;
        deleted.map_err(unfinished)?;
        Ok(flush)
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
        let is_metered = former.record.status == Status::Active
            && former.usage_key_id.is_some()
            && former.record.usage_key.as_deref().is_some_and(is_own_value)
            && former.usage_plan == client.usage_plan;
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

    /// Empties the stage's cache after a change, then deletes a usage key that is over.
    async fn flushed(
        &self,
        client: RegisteredClient,
        over: Option<NamedUsageKey>,
        stage: Option<&Stage>,
        deadline: Instant,
    ) -> Result<(RegisteredClient, Flush), ClientError> {
        let unfinished = ClientError::Unfinished;
        let flush = by(deadline, self.flush(stage)).await.map_err(unfinished)?;
        if let Some(over) = over {
            let holder = ClientRecord::pk(&client.client_id);
            let deleted = by(deadline, self.unmeter(&holder, &over)).await;
            deleted.map_err(unfinished)?;
        }
        Ok((client, flush))
    }
}
