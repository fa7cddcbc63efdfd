//! The authorizer: its cache, its call, and what its answer means ("Use API Gateway Lambda
//! authorizers", API Gateway guide).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use keygate_model::{Authorizer as Settings, AuthorizerEvents};
use serde_json::Value;

use super::authorizer_event::{self, Asked};
use super::exchange::{Call, Exchange};
use super::fault::{Fault, ResponseType};
use super::identity::{self, Identity};
use super::invocation::{self, InvokeError, Invoker, NoAnswer};
use super::policy::Policy;

/// How many answers are kept at most.
const MAX_CACHED: usize = 10_000;

/// An authorizer with the answers that it gave.
#[derive(Debug)]
pub(super) struct Authorizer {
    settings: Settings,
    cache: Mutex<Cache>,
}

/// The answers that are kept, each until its time is over.
#[derive(Debug, Default)]
struct Cache {
    answers: HashMap<Identity, (Instant, Arc<Authorized>)>,
    /// Counts the flushes: an answer that was asked for before one says what held before it.
    generation: u64,
}

/// What an authorizer said of a caller; the policy is evaluated for each request anew.
#[derive(Debug)]
pub(super) struct Authorized {
    pub(super) policy: Policy,
    pub(super) context: BTreeMap<String, String>,
    pub(super) usage_key: Option<String>,
    /// The request that it was said in.
    pub(super) request_id: String,
}

impl Authorizer {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            cache: Mutex::default(),
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The authorizer's answer for whom the request identifies, from the cache or by a call.
    pub(super) async fn authorize(
        &self,
        exchange: &mut Exchange,
        asked: Asked<'_>,
        functions: &Invoker,
    ) -> Result<Arc<Authorized>, Fault> {
        let identity = identity::of(&self.settings, exchange, asked.stage).map_err(|missing| {
            exchange.trace.refused(missing.to_string());
            Fault::new(ResponseType::Unauthorized)
        })?;
        exchange.trace.presented = identity::presented(&self.settings, &identity);
        let generation = match self.cached(&identity) {
            Ok(authorized) => {
                exchange.trace.answered_in = Some(authorized.request_id.clone());
                return Ok(authorized);
            }
            Err(generation) => generation,
        };
        let event = match &self.settings.events {
            AuthorizerEvents::Token { .. } => authorizer_event::token(asked, &identity.concat()),
            AuthorizerEvents::Request { .. } => authorizer_event::request(asked, exchange),
        };
        exchange.trace.asked = Some(event.clone());
        let started = Instant::now();
        let (function, request_id) = (&self.settings.function, &exchange.request_id);
        let answer = invocation::invoke(functions, function, request_id, event).await;
        let mut call = Call {
            latency: started.elapsed(),
            ..Call::default()
        };
        let outcome = read(answer, &mut call, request_id);
        exchange.authorizer_call = Some(call);
        let authorized = Arc::new(outcome?);
        self.keep(identity, &authorized, generation);
        Ok(authorized)
    }

    /// Forgets every answer, and those that are under way.
    pub(super) fn flush(&self) {
        let mut cache = self.cache();
        cache.answers.clear();
        cache.generation += 1;
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer that is kept for an identity, or else the generation that one would be of.
    fn cached(&self, identity: &Identity) -> Result<Arc<Authorized>, u64> {
        let mut cache = self.cache();
        match cache.answers.get(identity) {
            Some((expiry, authorized)) if Instant::now() < *expiry => {
                return Ok(Arc::clone(authorized));
            }
            Some(_) => {
                cache.answers.remove(identity);
            }
            None => {}
        }
        Err(cache.generation)
    }

    fn keep(&self, identity: Identity, authorized: &Arc<Authorized>, generation: u64) {
        if self.settings.result_ttl.is_zero() {
            return;
        }
        let now = Instant::now();
        let mut cache = self.cache();
        if cache.generation != generation {
            return;
        }
        let answers = &mut cache.answers;
        if answers.len() >= MAX_CACHED {
            answers.retain(|_, (expiry, _)| now < *expiry);
        }
        if answers.len() < MAX_CACHED {
            let expiry = now + self.settings.result_ttl;
            answers.insert(identity, (expiry, Arc::clone(authorized)));
        }
    }
}

/// What the function's answer means. Only a whole, good answer is ever kept.
fn read(
    answer: Result<Bytes, NoAnswer>,
    call: &mut Call,
    request_id: &str,
) -> Result<Authorized, Fault> {
    let unusable = |call: &mut Call, why: String| {
        tracing::warn!(why, "the authorizer's answer is not usable");
        call.status = Some(500);
        call.error = Some(why);
        Fault::new(ResponseType::AuthorizerConfigurationError)
    };
    match answer {
        Ok(answer) => {
            let answer: Value = serde_json::from_slice(&answer).unwrap_or(Value::Null);
            let policy = answer.get("policyDocument").unwrap_or(&Value::Null);
            let policy = match Policy::read(policy) {
                Ok(policy) => policy,
                Err(error) => return Err(unusable(call, error.to_string())),
            };
            let Some(context) = context(&answer) else {
                let why = "a context value is neither string, number nor boolean";
                return Err(unusable(call, why.to_owned()));
            };
            call.status = Some(200);
            let usage_key = answer.get("usageIdentifierKey").and_then(Value::as_str);
            Ok(Authorized {
                policy,
                context,
                usage_key: usage_key.map(ToOwned::to_owned),
                request_id: request_id.to_owned(),
            })
        }
        // Exactly this text, and no other, is the credential's fault.
        Err(NoAnswer::AtAll(InvokeError::Function { message, .. }))
            if message == "Unauthorized" =>
        {
            call.status = Some(401);
            call.error = Some(message);
            Err(Fault::new(ResponseType::Unauthorized))
        }
        Err(error) => {
            tracing::warn!(%error, "the authorizer failed");
            call.status = Some(500);
            call.error = Some(error.to_string());
            Err(Fault::new(ResponseType::AuthorizerFailure))
        }
    }
}

/// The context as handlers get it, every value a string; `None` when one cannot be.
fn context(answer: &Value) -> Option<BTreeMap<String, String>> {
    let mut context = BTreeMap::new();
    if let Some(object) = answer.get("context").and_then(Value::as_object) {
        for (key, value) in object {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(boolean) => boolean.to_string(),
                _ => return None,
            };
            context.insert(key.clone(), text);
        }
    }
    if let Some(principal) = answer.get("principalId").and_then(Value::as_str) {
        context.insert("principalId".to_owned(), principal.to_owned());
    }
    Some(context)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn authorizer() -> Authorizer {
        Authorizer::new(Settings {
            function: "Authorizer".to_owned(),
            events: AuthorizerEvents::Token {
                header: "Authorization".to_owned(),
                expression: None,
            },
            result_ttl: Duration::from_mins(1),
        })
    }

    fn identity() -> Identity {
        vec!["Bearer x".to_owned()]
    }

    fn answer() -> Arc<Authorized> {
        let answer = r#"{"policyDocument":{"Statement":[]},"usageIdentifierKey":"a"}"#;
        let answer = Ok(Bytes::from(answer));
        Arc::new(read(answer, &mut Call::default(), "id").unwrap())
    }

    #[test]
    fn a_flush_forgets_every_answer() {
        let authorizer = authorizer();
        let generation = authorizer.cached(&identity()).unwrap_err();
        authorizer.keep(identity(), &answer(), generation);
        assert!(authorizer.cached(&identity()).is_ok());
        authorizer.flush();
        assert!(authorizer.cached(&identity()).is_err());
    }

    #[test]
    fn an_answer_that_was_under_way_during_a_flush_is_not_kept() {
        let authorizer = authorizer();
        let generation = authorizer.cached(&identity()).unwrap_err();
        authorizer.flush();
        authorizer.keep(identity(), &answer(), generation);
        let generation = authorizer.cached(&identity()).unwrap_err();
        authorizer.keep(identity(), &answer(), generation);
        assert!(authorizer.cached(&identity()).is_ok());
    }

    fn fault(answer: Result<&str, InvokeError>) -> ResponseType {
        let answer = answer.map(|text| Bytes::from(text.to_owned()));
        let answer = answer.map_err(NoAnswer::from);
        read(answer, &mut Call::default(), "id").unwrap_err().kind
    }

    #[test]
    fn only_the_exact_word_is_the_credentials_fault() {
        for (message, kind) in [
            ("Unauthorized", ResponseType::Unauthorized),
            ("unauthorized", ResponseType::AuthorizerFailure),
            ("Unauthorized.", ResponseType::AuthorizerFailure),
            (
                "the key table does not answer",
                ResponseType::AuthorizerFailure,
            ),
        ] {
            let error = InvokeError::Function {
                error_type: "Error".into(),
                message: message.into(),
            };
            assert_eq!(fault(Err(error)), kind, "{message}");
        }
        assert_eq!(
            fault(Err(InvokeError::Failed("the gateway stops".to_owned()))),
            ResponseType::AuthorizerFailure
        );
    }

    #[test]
    fn an_answer_that_is_no_policy_is_a_configuration_error() {
        for answer in [
            "",
            "null",
            "{}",
            r#"{"policyDocument":{}}"#,
            r#"{"policyDocument":{"Statement":[]},"context":{"a":[]}}"#,
        ] {
            assert_eq!(
                fault(Ok(answer)),
                ResponseType::AuthorizerConfigurationError,
                "{answer}"
            );
        }
    }
}
