//! The steps of one decision, in order: event, credential, verified token or key, principal,
//! revocation, policy.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use keygate_api_key::ApiKey;
use keygate_key_record::now;
use keygate_metrics::Metrics;
use keygate_outbound::Outbound;
use keygate_policy::Policies;
use keygate_routes::RouteTable;
use keygate_settings::{SettingError, Settings};
use serde_json::{Value, json};

use crate::answer::{Answer, AnswerError};
use crate::api_key;
use crate::claim_path::{ClaimPath, listed};
use crate::config::{self, Config};
use crate::context_claims::ContextClaims;
use crate::credential::Credential;
use crate::decision::{self, Fault, Grant, Record, Refusal, Rejection};
use crate::event::{AuthorizationRequest, EventError, Presented};
use crate::key_set::set::KeySet;
use crate::key_set::source::KeySetSource;
use crate::key_table::{KeyTable, Lookups};
use crate::pasted;
use crate::principal::{Principal, PrincipalError};
use crate::report::Report;
use crate::revocation::{self, RevocationChecks, RevocationError};
use crate::scope_claims;
use crate::verify::verifier::{VerifiedToken, Verifier};
use crate::watch::{Line, Unwatched, Watch};

/// How long a decision may take. API Gateway waits for an authorizer longer, clients do not.
const DEADLINE: Duration = Duration::from_millis(4500);
/// How long the start may wait for what it prepares.
const PREWARM_LIMIT: Duration = Duration::from_secs(1);

/// How many turns the runtime takes before it computes anything: what is asked of others at the start
/// is then on its way.
const TURNS: usize = 16;

/// Decides what callers may do.
#[derive(Debug)]
pub struct Authorizer {
    verifier: Verifier,
    key_table: Option<KeyTable>,
    principal_claims: Arc<[ClaimPath]>,
    context_claims: ContextClaims,
    revocation: RevocationChecks,
    default_usage_key: Option<String>,
    simple_responses: bool,
    table: RouteTable,
    policies: Policies,
    metrics: Metrics,
}

impl Authorizer {
    /// Makes the authorizer and prepares, all at once, what the first decision needs: the key sets,
    /// and what `connection` is given the time for, which makes the client of the key table's
    /// database. What cannot be had within a second, or at all, is left to the first request that
    /// needs it. While the others answer, the policies are made of the route table.
    ///
    /// # Errors
    /// When that cannot be done.
    pub(crate) async fn prewarmed<F>(
        config: Config,
        settings: &Settings,
        outbound: &Outbound,
        seed: Option<KeySet>,
        metrics: Metrics,
        connection: impl FnOnce(Duration) -> F,
    ) -> Result<Self, SettingError>
    where
        F: Future<Output = Client>,
    {
        let sources: Vec<_> = config
            .issuers
            .into_iter()
            .map(|issuer| KeySetSource::new(issuer, outbound.clone(), metrics.clone()))
            .collect();
        if let (Some(keys), [source]) = (seed, sources.as_slice()) {
            source.seed(keys);
        }
        // A seeded set is there at once, and fetched anew meanwhile: the file may be older than the
        // issuer's keys.
        let fetched = fetch_all(&sources);
        let key_table = async {
            let table = config.key_table?;
            let client = connection(PREWARM_LIMIT).await;
            Some(KeyTable::new(client, table, config.key_cache_ttl))
        };
        let policies = async {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            config::policies(&config.table, settings)
        };
        let ((), key_table, policies) = tokio::join!(fetched, key_table, policies);
        Ok(Self {
            policies: policies?,
            table: config.table,
            verifier: Verifier::new(sources),
            key_table,
            principal_claims: config.principal_claims,
            context_claims: config.context_claims,
            revocation: config.revocation,
            default_usage_key: config.default_usage_key,
            simple_responses: config.simple_responses,
            metrics,
        })
    }

    /// Answers an event.
    ///
    /// # Errors
    /// `Unauthorized` for a credential that is not accepted, and other errors for whatever keeps it
    /// from being judged.
    pub async fn authorize(&self, event: &Value, request_id: &str) -> Result<Answer, AnswerError> {
        let request = match AuthorizationRequest::read(event) {
            Ok(request) => request,
            Err(error) => {
                let fault = Fault::from(error).into();
                self.record(event, request_id).log(&Err(fault));
                return Err(error.into());
            }
        };
        // On the heap, as the SDK's calls are large and nested deep.
        let decided = tokio::time::timeout(DEADLINE, Box::pin(self.decide(&request))).await;
        let decision = decided.unwrap_or(Err(Fault::Deadline.into()));
        let key_id = match &decision {
            Ok(_) => None,
            Err(_) => decision::loggable_key_id(&request.presented),
        };
        let lookups = self.key_table.as_ref().map(KeyTable::take_lookups);
        let record = Record {
            key_id: key_id.as_deref(),
            lookups: lookups.unwrap_or_default(),
            ..self.record(event, request_id)
        };
        record.log(&decision);
        let grant = decision?;
        if self.simple_responses && request.takes_simple_answer() {
            let is_open = self.is_open(&request, &grant.principal);
            return Ok(Answer::simple(is_open, &grant));
        }
        Ok(Answer::policy(grant, &request))
    }

    /// What the line of a decision has besides it.
    fn record<'r>(&'r self, event: &'r Value, request_id: &'r str) -> Record<'r> {
        let extended = event.pointer("/requestContext/extendedRequestId");
        Record {
            request_id,
            extended_request_id: extended.and_then(Value::as_str),
            key_id: None,
            lookups: Lookups::default(),
            metrics: &self.metrics,
        }
    }

    /// Explains what a request would be told, check by check, with what somebody pasted of it: its
    /// `Authorization` line, that header's value, or a credential by itself, which counts as one
    /// behind `Bearer`. `source` is where the request would come from.
    pub async fn explain(&self, pasted: &str, source: Option<IpAddr>) -> Report {
        let presented = pasted::presented(pasted);
        let mut report = Report::default();
        // The verdict is the report's first failure, as the decision ends with it.
        let _ = self.holder(&presented, source, &mut report).await;
        report.add_routes(&self.table);
        report
    }

    /// Explains, check by check, what an event is answered.
    ///
    /// # Errors
    /// When it is no authorizer event.
    pub async fn explain_event(&self, event: &Value) -> Result<Report, EventError> {
        let request = AuthorizationRequest::read(event)?;
        let mut report = Report::default();
        let _ = self
            .holder(&request.presented, request.source, &mut report)
            .await;
        report.add_routes(&self.table);
        Ok(report)
    }

    async fn decide(&self, request: &AuthorizationRequest) -> Result<Grant, Rejection> {
        let mut nobody = Unwatched;
        let holder = self.holder(&request.presented, request.source, &mut nobody);
        let (principal, usage_key) = holder.await?;
        let policy = self.policies.policy(&request.method_arn, &principal.scopes);
        Ok(Grant {
            policy: policy.map_err(Fault::from)?,
            principal,
            usage_key,
        })
    }

    /// Whether the route that is asked for is open, for an API that asks for each by itself.
    fn is_open(&self, request: &AuthorizationRequest, principal: &Principal) -> bool {
        let (method, path) = request.method_arn.request();
        let method = method.parse().ok();
        let route = method.and_then(|method| self.table.resolve(&method, path));
        route.is_some_and(|route| route.access.opens_to(&principal.scopes))
    }

    /// Who presents the credential, and what meters them.
    async fn holder<W: Watch>(
        &self,
        presented: &Presented,
        source: Option<IpAddr>,
        watch: &mut W,
    ) -> Result<(Principal, Option<String>), Rejection> {
        let credential = Credential::of(presented).map_err(|error| Refusal::from(error).into());
        if W::LOOKS {
            let line = match &credential {
                Ok(Credential::Token(_)) => Line::new("credential", "a token"),
                Ok(Credential::ApiKey(key)) => {
                    Line::new("credential", format!("an API key with the id {}", key.id()))
                }
                Err(_) => Line::new("credential", "not shown")
                    .expecting("Bearer <JWT>, Bearer <API key> or ApiKey <API key>"),
            };
            watch.made(line, credential.as_ref().err().map(Rejection::failure));
        }
        let (principal, own_usage_key) = match credential? {
            Credential::Token(token) => self.token_holder(token, watch).await?,
            Credential::ApiKey(key) => self.key_holder(&key, source, watch).await?,
        };
        let usage_key = own_usage_key.or_else(|| self.default_usage_key.clone());
        if W::LOOKS {
            match &usage_key {
                Some(usage_key) => watch.made(Line::new("usage key", usage_key.as_str()), None),
                None => watch.not_made("usage key", "the caller has none"),
            }
        }
        Ok((principal, usage_key))
    }

    async fn token_holder<W: Watch>(
        &self,
        token: &str,
        watch: &mut W,
    ) -> Result<(Principal, Option<String>), Rejection> {
        let verified = self.verifier.verify(token, SystemTime::now(), watch).await;
        if W::LOOKS && verified.is_err() {
            for check in ["principal", "client", "scopes", "revocation"] {
                watch.not_made(check, "the token is not to be believed");
            }
        }
        let token = verified?;
        let mut principal = self.principal(&token, watch)?;
        let usage_key = self.client_usage_key(&token, &principal, watch).await?;
        principal.told = self.claims(&token, watch)?;
        Ok((principal, usage_key))
    }

    fn principal<W: Watch>(
        &self,
        token: &VerifiedToken,
        watch: &mut W,
    ) -> Result<Principal, Rejection> {
        let principal = Principal::of_token(token, &self.principal_claims);
        if W::LOOKS {
            self.show_principal(token, &principal, watch);
        }
        principal.map_err(|error| Refusal::from(error).into())
    }

    fn show_principal<W: Watch>(
        &self,
        token: &VerifiedToken,
        principal: &Result<Principal, PrincipalError>,
        watch: &mut W,
    ) {
        let issuer = token.issuer();
        let error = match principal {
            Ok(principal) => {
                watch.made(Line::new("principal", principal.name.clone()), None);
                match &principal.client_id {
                    Some(client) => watch.made(Line::new("client", client.as_str()), None),
                    None => watch.not_made("client", "the token names none"),
                }
                for line in scope_claims::lines(token.claims(), &issuer.scope_claims) {
                    watch.made(line, None);
                }
                watch.scopes(Some(principal.scopes.clone()));
                return;
            }
            Err(error) => error.clone(),
        };
        let or = |paths| listed(paths, " or ");
        let expected = match &error {
            PrincipalError::Reserved(_) => {
                "a name that begins with no other issuer's principal_prefix".to_owned()
            }
            PrincipalError::Claim(_) => format!(
                "{}, and well-formed {} and {}",
                or(&self.principal_claims),
                or(&issuer.scope_claims),
                or(&issuer.client_claims)
            ),
        };
        let failure = Rejection::from(Refusal::from(error)).failure();
        watch.made(
            Line::new("principal", "").expecting(expected),
            Some(failure),
        );
    }

    /// The claims that handlers are given.
    fn claims<W: Watch>(
        &self,
        token: &VerifiedToken,
        watch: &mut W,
    ) -> Result<BTreeMap<String, String>, Rejection> {
        let given = self.context_claims.of(token.claims());
        let given = given.map_err(|error| Rejection::from(Fault::from(error)));
        if W::LOOKS && !self.context_claims.is_empty() {
            let found = given.as_ref().map(|claims| json!(claims).to_string());
            let line = Line::new("claims", found.unwrap_or_default());
            watch.made(line, given.as_ref().err().map(Rejection::failure));
        }
        given
    }

    /// Looks up what may have been taken back, and the usage key of the token's client.
    async fn client_usage_key<W: Watch>(
        &self,
        token: &VerifiedToken,
        principal: &Principal,
        watch: &mut W,
    ) -> Result<Option<String>, RevocationError> {
        let Some(table) = &self.key_table else {
            watch.not_made("revocation", "no key table is configured");
            return Ok(None);
        };
        let client_id = principal.client_id.as_deref();
        let looked_up = revocation::check(token, client_id, self.revocation, table).await;
        if W::LOOKS {
            let failure = looked_up.as_ref().err();
            let failure = failure.map(|error| Rejection::from(error.clone()).failure());
            let lookups = self
                .revocation
                .lookups(client_id, &token.claims().shown("jti"));
            if let Some(found) = lookups.made {
                watch.made(Line::new("revocation", found), failure);
            }
            for why in lookups.not_made {
                watch.not_made("revocation", why);
            }
        }
        looked_up
    }

    async fn key_holder<W: Watch>(
        &self,
        key: &ApiKey,
        source: Option<IpAddr>,
        watch: &mut W,
    ) -> Result<(Principal, Option<String>), Rejection> {
        if W::LOOKS {
            watch.made(Line::new("checksum", "right"), None);
        }
        let table = self.key_table.as_ref();
        let key = api_key::verify(key, table, now(), source, watch).await?;
        let principal =
            Principal::of_api_key(&key).map_err(|error| Rejection::from(Fault::from(error)));
        if W::LOOKS {
            let line = Line::new("principal", key.record().owner.as_str());
            watch.made(line, principal.as_ref().err().map(Rejection::failure));
            watch.made(Line::new("scopes", key.record().scopes.to_string()), None);
            watch.scopes(Some(key.record().scopes.clone()));
            let metadata = &key.record().metadata;
            if !metadata.is_empty() {
                let found = json!(metadata).to_string();
                watch.made(Line::new("metadata", found), None);
            }
        }
        Ok((principal?, key.record().usage_key.clone()))
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
