//! The key table: records of API keys, OAuth clients and revoked tokens, remembered for a while.
//!
//! How long bounds how long a revoked key goes on, so a record is never served past it, not even
//! while the table cannot be read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use keygate_api_key::{ApiKey, ApiKeyId, SecretHash};
use keygate_key_record::{ClientRecord, Item, KeyRecord, MalformedRecord, RevokedToken};

use crate::lookup_budget::LookupBudget;
use crate::recent::Recent;

/// How many records of each kind are remembered, at about 600 bytes each.
const REMEMBERED: usize = 1024;
/// How many keys are remembered as unknown, apart from the others so that invented keys cannot
/// drive out real ones.
const REMEMBERED_UNKNOWN: usize = 4096;
/// How long a key is remembered as unknown, whatever is configured for others: so long a key that
/// was tried before it was made is refused.
const UNKNOWN_TTL: Duration = Duration::from_secs(5);

/// The table cannot be read, or holds what it must not. Never a credential's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyTableError {
    /// With the service's error code, or what became of the call.
    #[error("the key table cannot be read: {0}")]
    Unavailable(String),
    #[error(transparent)]
    Malformed(#[from] MalformedRecord),
    #[error("too many keys that there are none of were looked up lately")]
    LookupsUsedUp,
}

impl KeyTableError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "key-table-unavailable",
            Self::Malformed(_) => "key-table-record-malformed",
            Self::LookupsUsedUp => "key-lookups-used-up",
        }
    }
}

/// A key's record.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) record: Arc<KeyRecord>,
    /// Whether it was read for an earlier request.
    pub(crate) is_remembered: bool,
    /// Whether reading it was paid for.
    is_paid: bool,
}

/// How records were come by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lookups {
    /// From memory, that there is none included.
    pub(crate) remembered: u64,
    /// From the table, or not at all because it could not be read.
    pub(crate) read: u64,
}

/// The table and what was read from it lately.
#[derive(Debug)]
pub(crate) struct KeyTable {
    client: Client,
    table: String,
    keys: Mutex<Recent<ApiKeyId, Arc<KeyRecord>>>,
    unknown: Mutex<Recent<ApiKeyId, ()>>,
    lookups: Mutex<LookupBudget>,
    /// Keys that passed every check when they were read last, each with its secret: who knows no
    /// more than an id still pays.
    proved: Mutex<Recent<ApiKeyId, SecretHash>>,
    clients: Mutex<Recent<String, Option<Arc<ClientRecord>>>>,
    tokens: Mutex<Recent<String, Option<RevokedToken>>>,
    /// Those that nobody has taken note of.
    counted: Mutex<Lookups>,
}

impl KeyTable {
    /// A table whose records are remembered for `ttl`. Nothing is read.
    pub(crate) fn new(client: Client, table: String, ttl: Duration) -> Self {
        Self {
            client,
            table,
            keys: Mutex::new(Recent::new(ttl, REMEMBERED)),
            unknown: Mutex::new(Recent::new(UNKNOWN_TTL, REMEMBERED_UNKNOWN)),
            lookups: Mutex::new(LookupBudget::new(Instant::now())),
            proved: Mutex::new(Recent::new(Duration::MAX, REMEMBERED)),
            clients: Mutex::new(Recent::new(ttl, REMEMBERED)),
            tokens: Mutex::new(Recent::new(ttl, REMEMBERED)),
            counted: Mutex::default(),
        }
    }

    /// The lookups since this was asked last: those of one decision, as a process makes one at a time.
    pub(crate) fn take_lookups(&self) -> Lookups {
        std::mem::take(&mut locked(&self.counted))
    }

    /// A key's record; `None` when the table has none.
    pub(crate) async fn key(&self, key: &ApiKey) -> Result<Option<Found>, KeyTableError> {
        let now = Instant::now();
        if let Some(record) = locked(&self.keys).get(key.id(), now) {
            self.count_remembered();
            return Ok(Some(Found {
                record: Arc::clone(record),
                is_remembered: true,
                is_paid: false,
            }));
        }
        if locked(&self.unknown).get(key.id(), now).is_some() {
            self.count_remembered();
            return Ok(None);
        }
        self.read_key(key).await
    }

    /// The record as the table has it now, whatever is remembered.
    pub(crate) async fn read_key(&self, key: &ApiKey) -> Result<Option<Found>, KeyTableError> {
        let is_paid = !self.was_proved(key);
        if is_paid && !locked(&self.lookups).pay(Instant::now()) {
            return Err(KeyTableError::LookupsUsedUp);
        }
        let id = key.id();
        let Some(item) = self.read(KeyRecord::pk(id)).await? else {
            locked(&self.unknown).insert(id.clone(), (), Instant::now());
            return Ok(None);
        };
        let record = Arc::new(KeyRecord::from_item(&item)?);
        locked(&self.keys).insert(id.clone(), Arc::clone(&record), Instant::now());
        Ok(Some(Found {
            record,
            is_remembered: false,
            is_paid,
        }))
    }

    pub(crate) fn was_proved(&self, key: &ApiKey) -> bool {
        locked(&self.proved)
            .get(key.id(), Instant::now())
            .is_some_and(|secret| secret.matches(&key.secret_hash()))
    }

    /// The key passed every check by the record that was found.
    pub(crate) fn proved(&self, key: &ApiKey, found: &Found) {
        if found.is_paid {
            locked(&self.lookups).pay_back();
            let (id, secret) = (key.id().clone(), key.secret_hash());
            locked(&self.proved).insert(id, secret, Instant::now());
        }
    }

    /// The key did not pass: the next read is paid for.
    pub(crate) fn disproved(&self, key: &ApiKey) {
        if self.was_proved(key) {
            locked(&self.proved).remove(key.id());
        }
    }

    /// A client's record; `None` when the table has none, which is the common case and remembered
    /// like a record: only clients of verified tokens are asked for.
    pub(crate) async fn client(
        &self,
        client_id: &str,
    ) -> Result<Option<Arc<ClientRecord>>, KeyTableError> {
        if let Some(record) = locked(&self.clients).get(client_id, Instant::now()) {
            self.count_remembered();
            return Ok(record.clone());
        }
        let item = self.read(ClientRecord::pk(client_id)).await?;
        let record = item
            .map(|item| ClientRecord::from_item(&item))
            .transpose()?;
        let record = record.map(Arc::new);
        locked(&self.clients).insert(client_id.to_owned(), record.clone(), Instant::now());
        Ok(record)
    }

    /// Whether a token is listed as revoked, which most are not: that is remembered like a record.
    pub(crate) async fn is_token_revoked(
        &self,
        jti: &str,
        issuer: &str,
    ) -> Result<bool, KeyTableError> {
        let is_listed =
            |entry: &Option<RevokedToken>| entry.as_ref().is_some_and(|token| token.is_of(issuer));
        if let Some(entry) = locked(&self.tokens).get(jti, Instant::now()) {
            self.count_remembered();
            return Ok(is_listed(entry));
        }
        let item = self.read(RevokedToken::pk(jti)).await?;
        let entry = item
            .map(|item| RevokedToken::from_item(&item))
            .transpose()?;
        let revoked = is_listed(&entry);
        locked(&self.tokens).insert(jti.to_owned(), entry, Instant::now());
        Ok(revoked)
    }

    fn count_remembered(&self) {
        locked(&self.counted).remembered += 1;
    }

    /// Reads an item as it is now: an eventually consistent read could miss a revocation.
    async fn read(&self, pk: String) -> Result<Option<Item>, KeyTableError> {
        locked(&self.counted).read += 1;
        let call = self.client.get_item().table_name(&self.table);
        let call = call.key("pk", AttributeValue::S(pk)).consistent_read(true);
        match call.send().await {
            Ok(output) => Ok(output.item),
            Err(error) => Err(KeyTableError::Unavailable(summary(&error))),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What became of a call, without the request or the answer, which hold signatures and hashes.
fn summary(error: &SdkError<GetItemError>) -> String {
    let what = match error {
        SdkError::ServiceError(error) => error.err().code().unwrap_or("an unnamed service error"),
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => {
            "the endpoint cannot be reached, or there are no credentials"
        }
        SdkError::ResponseError(_) => "the answer is not DynamoDB's",
        _ => "the call could not be made",
    };
    what.to_owned()
}
