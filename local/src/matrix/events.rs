//! What the functions are told of the authorizer's events (`AUTHORIZER_EVENTS`), held against the
//! authorizers of the template.

use keygate_model::{Application, Authorizer, AuthorizerEvents, Function, IdentitySource};

/// The variable by which a function is told.
const SETTING: &str = "AUTHORIZER_EVENTS";

/// What is wrong with each function that is told something else than holds, and with each authorizer
/// that shares among addresses what it was told of one; with the setting's line.
pub(super) fn disagreements(application: &Application) -> Vec<(usize, String)> {
    let functions = application.functions.values();
    let told =
        functions.filter_map(|function| Some((function, function.environment.get(SETTING)?)));
    told.flat_map(|(function, told)| {
        let line = function.environment_lines.get(SETTING).copied();
        let authorizers = application.api.authorizers.iter();
        let wrong = authorizers
            .filter_map(move |(name, authorizer)| disagreement(function, told, name, authorizer));
        wrong.map(move |text| (line.unwrap_or_default(), text))
    })
    .collect()
}

fn disagreement(
    function: &Function,
    told: &str,
    name: &str,
    authorizer: &Authorizer,
) -> Option<String> {
    let (kind, is_shared) = match &authorizer.events {
        AuthorizerEvents::Token { .. } => ("TOKEN", false),
        AuthorizerEvents::Request { sources } => {
            let address = IdentitySource::Context(IdentitySource::SOURCE_ADDRESS.to_owned());
            let is_kept = !authorizer.result_ttl.is_zero();
            ("REQUEST", is_kept && !sources.contains(&address))
        }
    };
    if told != kind {
        return Some(format!(
            "{} is told {SETTING}={told}, and the authorizer {name} gets {kind} events: give both \
             the same parameter",
            function.id
        ));
    }
    is_shared.then(|| {
        format!(
            "the answers of the authorizer {name} are kept for requests from every address, and \
             {SETTING}={told} has keys bound to networks: add {} to its Identity.Context, or set \
             ReauthorizeEvery to 0",
            IdentitySource::SOURCE_ADDRESS
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use keygate_model::Runtime;

    use super::*;

    fn function() -> Function {
        Function::plain("Keys", Runtime::Provided)
    }

    fn authorizer(sources: Option<&[&str]>, ttl: u64) -> Authorizer {
        let context = |name: &&str| IdentitySource::Context((*name).to_owned());
        Authorizer {
            function: "Fn".to_owned(),
            events: match sources {
                None => AuthorizerEvents::Token {
                    header: "Authorization".to_owned(),
                    expression: None,
                },
                Some(names) => AuthorizerEvents::Request {
                    sources: names.iter().map(context).collect(),
                },
            },
            result_ttl: Duration::from_secs(ttl),
        }
    }

    #[test]
    fn a_function_must_be_told_what_the_authorizer_gets() {
        let address = Some(&["identity.sourceIp"][..]);
        let other = Some(&["apiId"][..]);
        for (told, authorizer, expected) in [
            ("TOKEN", authorizer(None, 60), None),
            ("REQUEST", authorizer(address, 60), None),
            ("REQUEST", authorizer(other, 0), None),
            ("REQUEST", authorizer(None, 60), Some("gets TOKEN events")),
            (
                "TOKEN",
                authorizer(address, 60),
                Some("gets REQUEST events"),
            ),
            (
                "token",
                authorizer(None, 60),
                Some("AUTHORIZER_EVENTS=token"),
            ),
            ("REQUEST", authorizer(other, 60), Some("Identity.Context")),
        ] {
            let said = disagreement(&function(), told, "Credential", &authorizer);
            match expected {
                None => assert_eq!(said, None, "{told}"),
                Some(words) => {
                    let said = said.unwrap();
                    assert!(
                        said.contains(words) && said.contains("Credential"),
                        "{said}"
                    );
                }
            }
        }
    }
}
