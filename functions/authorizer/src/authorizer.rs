//! The steps of one decision, in order: event, credential, verified token or key, principal,
//! revocation, policy.

mod explain;

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use keygate_api_key::ApiKey;
use keygate_aws::dynamodb;
use keygate_key_record as key_record;
use keygate_outbound::Outbound;
use keygate_settings::Settings;
use serde_json::Value;

use crate::answer::{Answer, AnswerError};
use crate::api_key::{self, ApiKeyError};
use crate::config::Config;
use crate::credential::Credential;
use crate::decision::{self, Fault, Grant, Refusal, Rejection};
use crate::event::AuthorizationRequest;
use crate::key_set::KeySet;
use crate::key_set::source::KeySetSource;
use crate::key_table::KeyTable;
use crate::policy::OpenRoutes;
use crate::principal::Principal;
use crate::revocation::{self, RevocationChecks};
use crate::verify::{Verifier, VerifyError};

/// How long a decision may take. API Gateway waits for an authorizer longer, clients do not.
const DEADLINE: Duration = Duration::from_millis(4500);
/// How long the start may wait for what it prepares.
const PREWARM_LIMIT: Duration = Duration::from_secs(1);

/// Decides what callers may do.
#[derive(Debug)]
pub(crate) struct Authorizer {
    verifier: Verifier,
    key_table: Option<KeyTable>,
    principal_claims: Vec<String>,
    revocation: RevocationChecks,
    default_usage_key: Option<String>,
    simple_responses: bool,
    open_routes: OpenRoutes,
}

impl Authorizer {
    /// Makes the authorizer and prepares, all at once, what the first decision needs: the key sets
    /// and the connection to the table. What cannot be had within a second, or at all, is left to
    /// the first request that needs it.
    pub(crate) async fn prewarmed(
        config: Config,
        settings: &Settings,
        outbound: Outbound,
        seed: Option<KeySet>,
    ) -> Self {
        let sources: Vec<_> = config
            .issuers
            .into_iter()
            .map(|issuer| KeySetSource::new(issuer, outbound.clone()))
            .collect();
        if let (Some(keys), [source]) = (seed, sources.as_slice()) {
            source.seed(keys);
        }
        // A seeded set is there at once, and fetched anew meanwhile: the file may be older than the
        // issuer's keys.
        let fetched = fetch_all(&sources);
        let table = async {
            let table = config.key_table?;
            let client = dynamodb::client(&outbound).await;
            dynamodb::prewarm(&client, &outbound, settings, PREWARM_LIMIT).await;
            Some(KeyTable::new(client, table, config.key_cache_ttl))
        };
        let ((), key_table) = tokio::join!(fetched, table);
        Self {
            verifier: Verifier::new(sources),
            key_table,
            principal_claims: config.principal_claims,
            revocation: config.revocation,
            default_usage_key: config.default_usage_key,
            simple_responses: config.simple_responses,
            open_routes: OpenRoutes::default(),
        }
    }

    /// Answers an event.
    pub(crate) async fn authorize(
        &self,
        event: &Value,
        request_id: &str,
    ) -> Result<Answer, AnswerError> {
        let request = match AuthorizationRequest::read(event) {
            Ok(request) => request,
            Err(error) => {
                let decision = Err(Fault::from(error).into());
                decision::log(&decision, None, request_id);
                return Err(error.into());
            }
        };
        let decided = tokio::time::timeout(DEADLINE, self.decide(&request)).await;
        let decision = decided.unwrap_or(Err(Fault::Deadline.into()));
        let key_id = match &decision {
            Ok(_) => None,
            Err(_) => decision::loggable_key_id(&request.presented),
        };
        decision::log(&decision, key_id.as_deref(), request_id);
        Ok(Answer::new(decision?, &request, self.simple_responses))
    }

    async fn decide(&self, request: &AuthorizationRequest) -> Result<Grant, Rejection> {
        let credential = Credential::of(&request.presented).map_err(Refusal::from)?;
        let (principal, usage_key) = match credential {
            Credential::Token(token) => self.token_holder(token).await?,
            Credential::ApiKey(key) => self.key_holder(&key, request.source).await?,
        };
        let policy = self
            .open_routes
            .policy(&request.method_arn, &principal.scopes);
        Ok(Grant {
            policy: policy.map_err(Fault::from)?,
            principal,
            usage_key: usage_key.or_else(|| self.default_usage_key.clone()),
        })
    }

    async fn token_holder(&self, token: &str) -> Result<(Principal, Option<String>), Rejection> {
        let token = self.verifier.verify(token, SystemTime::now()).await?;
        let principal =
            Principal::of_token(&token, &self.principal_claims).map_err(Refusal::from)?;
        let Some(table) = &self.key_table else {
            return Ok((principal, None));
        };
        let client_id = principal.client_id.as_deref();
        let usage_key = revocation::check(&token, client_id, self.revocation, table).await?;
        Ok((principal, usage_key))
    }

    async fn key_holder(
        &self,
        key: &ApiKey,
        source: Option<IpAddr>,
    ) -> Result<(Principal, Option<String>), Rejection> {
        let table = self.key_table.as_ref();
        let key = api_key::verify(key, table, key_record::now(), source).await?;
        let principal = Principal::of_api_key(&key).map_err(Fault::from)?;
        Ok((principal, key.record().usage_key.clone()))
    }
}

async fn fetch_all(sources: &[KeySetSource]) {
    let mut fetches = tokio::task::JoinSet::new();
    for source in sources {
        let source = source.clone();
        fetches.spawn(async move { source.keys().await.is_ok() });
    }
    let all = async { while fetches.join_next().await.is_some() {} };
    // The fetches themselves go on after the limit, and the first request waits for them.
    let _ = tokio::time::timeout(PREWARM_LIMIT, all).await;
}

impl From<VerifyError> for Rejection {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Refused(refusal) => Refusal::from(refusal).into(),
            VerifyError::Unavailable(fault) => Fault::from(fault).into(),
        }
    }
}

impl From<ApiKeyError> for Rejection {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::Refused(refusal) => Refusal::from(refusal).into(),
            ApiKeyError::Unavailable(fault) => Fault::from(fault).into(),
        }
    }
}
