//! What tells one caller of an authorizer from another: the header of TOKEN events, or the identity
//! sources of REQUEST events. Answers are cached by it, and it must be there before the function is
//! called; but where no answers are cached, REQUEST events are passed on as they are ("Choosing a type
//! of Lambda authorizer", API Gateway guide).

use keygate_model::{Authorizer, AuthorizerEvents, IdentitySource};

use super::exchange::Exchange;
use super::proxy_event::query_pairs;
use super::stage::Stage;
use super::variables::{self, UnknownVariable};

/// The values of one request, in the order of the sources. Kept apart: what joins them might take
/// the end of one for the beginning of the next.
pub(super) type Identity = Vec<String>;

/// Why a request has no identity.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoIdentity {
    /// The header of TOKEN events is missing, or empty.
    #[error("there is no header {0}")]
    HeaderMissing(String),
    /// The header has another form.
    #[error("the header {0} does not match the authorizer's expression")]
    Mismatch(String),
    /// A source of REQUEST events is missing, or empty.
    #[error("there is no {0}, by which the authorizer tells callers apart")]
    SourceMissing(IdentitySource),
}

/// The `$context` variables that have a value before a request is authorized.
const OF_REQUEST: [&str; 16] = [
    "accountId",
    "apiId",
    "domainName",
    "domainPrefix",
    "extendedRequestId",
    "httpMethod",
    IdentitySource::SOURCE_ADDRESS,
    "identity.userAgent",
    "path",
    "protocol",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "resourceId",
    "resourcePath",
    "stage",
];

/// Holds the sources of an authorizer against what a request has.
pub(super) fn check(events: &AuthorizerEvents, name: &str) -> Result<(), UnknownVariable> {
    let AuthorizerEvents::Request { sources } = events else {
        return Ok(());
    };
    let mut unknown = sources.iter().filter_map(|source| match source {
        IdentitySource::Context(variable) if !OF_REQUEST.contains(&variable.as_str()) => {
            Some(variable)
        }
        _ => None,
    });
    match unknown.next() {
        Some(variable) => Err(UnknownVariable::new(
            &format!("the authorizer {name}, before it is asked"),
            &format!("context.{variable}"),
        )),
        None => Ok(()),
    }
}

/// A request's identity.
///
/// # Errors
/// Where one value is missing, empty, or does not match.
pub(super) fn of(
    settings: &Authorizer,
    exchange: &Exchange,
    stage: &Stage,
) -> Result<Identity, NoIdentity> {
    match &settings.events {
        AuthorizerEvents::Token { header, expression } => {
            let value = exchange.header(header).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| NoIdentity::HeaderMissing(header.clone()))?;
            let matches = expression
                .as_ref()
                .is_none_or(|expression| expression.is_match(value));
            if !matches {
                return Err(NoIdentity::Mismatch(header.clone()));
            }
            Ok(vec![value.to_owned()])
        }
        AuthorizerEvents::Request { .. } if settings.result_ttl.is_zero() => Ok(Identity::new()),
        AuthorizerEvents::Request { sources } => sources
            .iter()
            .map(|source| {
                let value = value(source, exchange, stage).filter(|value| !value.is_empty());
                value.ok_or_else(|| NoIdentity::SourceMissing(source.clone()))
            })
            .collect(),
    }
}

/// The values that a client sends in headers or the query string: what may be its credential.
pub(super) fn presented(settings: &Authorizer, identity: &Identity) -> Vec<String> {
    match &settings.events {
        AuthorizerEvents::Token { .. } => identity.clone(),
        AuthorizerEvents::Request { sources } => {
            let values = sources.iter().zip(identity);
            let sent = values.filter(|(source, _)| {
                matches!(source, IdentitySource::Header(_) | IdentitySource::Query(_))
            });
            sent.map(|(_, value)| value.clone()).collect()
        }
    }
}

/// What a source has in a request; of several values the last, as in an event.
fn value(source: &IdentitySource, exchange: &Exchange, stage: &Stage) -> Option<String> {
    match source {
        IdentitySource::Header(name) => exchange.header(name).map(ToOwned::to_owned),
        IdentitySource::Query(name) => {
            let pairs = query_pairs(exchange.query.as_deref()).into_iter();
            let mut named = pairs.filter(|(named, _)| named == name);
            named.next_back().map(|(_, value)| value)
        }
        IdentitySource::StageVariable(name) => stage.variables.get(name).cloned(),
        IdentitySource::Context(name) => {
            variables::value(&format!("context.{name}"), exchange, stage)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use http::Request;

    use super::*;

    fn exchange(path: &str, headers: &[(&str, &str)]) -> Exchange {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Exchange::new(&parts, "192.0.2.1".to_owned(), 3000)
    }

    fn stage() -> Stage {
        Stage {
            binary: crate::binary::BinaryMediaTypes::default(),
            api_id: "local".to_owned(),
            name: "dev".to_owned(),
            variables: BTreeMap::from([("tenant".to_owned(), "acme".to_owned())]),
        }
    }

    fn identity(sources: &[IdentitySource], exchange: &Exchange) -> Option<Identity> {
        of(&cached_for(60, sources), exchange, &stage()).ok()
    }

    fn cached_for(seconds: u64, sources: &[IdentitySource]) -> Authorizer {
        Authorizer {
            function: "Authorizer".to_owned(),
            events: AuthorizerEvents::Request {
                sources: sources.to_vec(),
            },
            result_ttl: Duration::from_secs(seconds),
        }
    }

    fn header() -> IdentitySource {
        IdentitySource::Header("Authorization".to_owned())
    }

    fn context(name: &str) -> IdentitySource {
        IdentitySource::Context(name.to_owned())
    }

    #[test]
    fn an_identity_is_every_source_in_their_order() {
        let request = exchange("/dev/books?q=1&q=a%20b", &[("AUTHORIZATION", "Bearer x")]);
        let sources = [
            header(),
            IdentitySource::Query("q".to_owned()),
            IdentitySource::StageVariable("tenant".to_owned()),
            context("identity.sourceIp"),
            context("path"),
        ];
        let expected = ["Bearer x", "a b", "acme", "192.0.2.1", "/dev/books"];
        assert_eq!(identity(&sources, &request).unwrap(), expected);
        assert_eq!(identity(&[], &request), Some(Identity::new()));
    }

    #[test]
    fn a_source_that_is_missing_or_empty_is_no_identity() {
        let empty = exchange("/dev/books?q=", &[("authorization", "")]);
        let missing = exchange("/dev/books", &[]);
        let undecodable = exchange("/dev/books?Q=1", &[("authorization", "Bearer \u{e9}")]);
        for source in [
            header(),
            IdentitySource::Query("q".to_owned()),
            IdentitySource::StageVariable("other".to_owned()),
            context("identity.userAgent"),
        ] {
            let sources = [context("identity.sourceIp"), source.clone()];
            for request in [&empty, &missing, &undecodable] {
                assert_eq!(identity(&sources, request), None, "{source}");
            }
        }
    }

    #[test]
    fn no_source_need_be_there_where_no_answer_is_kept() {
        let request = exchange("/dev/books", &[]);
        let uncached = cached_for(0, &[header()]);
        assert_eq!(of(&uncached, &request, &stage()), Ok(Identity::new()));
    }

    #[test]
    fn one_value_does_not_run_into_the_next() {
        let sources = [header(), IdentitySource::Header("x".to_owned())];
        let one = exchange("/", &[("authorization", "ab"), ("x", "c")]);
        let other = exchange("/", &[("authorization", "a"), ("x", "bc")]);
        assert_ne!(identity(&sources, &one), identity(&sources, &other));
    }

    #[test]
    fn a_variable_that_only_an_answer_has_is_no_source() {
        let check = |name: &str| {
            let sources = vec![header(), context(name)];
            check(&AuthorizerEvents::Request { sources }, "Credential")
        };
        assert!(check("identity.sourceIp").is_ok());
        for name in ["authorizer.principalId", "status", "identity.caller", ""] {
            let error = check(name).unwrap_err().to_string();
            assert!(error.contains("Credential"), "{error}");
            assert!(error.contains(&format!("$context.{name}")), "{error}");
        }
    }
}
