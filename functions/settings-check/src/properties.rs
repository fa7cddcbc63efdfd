//! The properties of the custom resource: each function's variables, as the template gives them.

use std::collections::BTreeMap;

use keygate_settings::Settings;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

/// What Lambda adds to each function's variables, and their reading depends on: it is the same here.
const OF_LAMBDA: &str = "AWS_REGION";

/// What one function's fingerprint adds to an answer beside the name, and what all of them may: of an answer
/// CloudFormation takes 4,096 bytes ("Custom resource response objects").
const OF_FINGERPRINT: usize = 22;
const MOST_FINGERPRINTS: usize = 3072;

/// The properties, none of them unknown: one that is spelled wrong would be a function that nobody
/// checks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Properties {
    /// The variables that all functions have.
    #[serde(default)]
    every_function: Variables,
    /// Those of Keygate's own functions, by the function's name. They go before those of every function.
    #[serde(default)]
    functions: BTreeMap<String, Variables>,
    /// Those of handlers that stand on `keygate-proxy`, of which the settings of every handler are read.
    #[serde(default)]
    handlers: BTreeMap<String, Variables>,
    /// Whether the issuers are asked for their keys.
    check_issuers: Flag,
    /// What has CloudFormation call when the code is another: the version of this function.
    #[serde(default, rename = "Code")]
    _code: Value,
    /// What a version is made of beside variables, for [`crate::fingerprint`].
    #[serde(default, rename = "Versions")]
    _versions: Value,
    #[serde(default, rename = "ServiceToken")]
    _service_token: Value,
    #[serde(default, rename = "ServiceTimeout")]
    _service_timeout: Value,
}

type Variables = BTreeMap<String, Scalar>;

/// A value as it comes into an environment. CloudFormation sends each scalar as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Flag(bool),
    Number(serde_json::Number),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Flag {
    #[default]
    True,
    False,
}

/// One function with its settings.
#[derive(Debug)]
pub(crate) struct Configured {
    /// As its package is named.
    pub(crate) function: String,
    /// Whether it is a handler that is known by nothing but its name.
    pub(crate) is_handler: bool,
    pub(crate) settings: Settings,
}

impl Properties {
    /// Reads the properties.
    pub(crate) fn read(properties: &Value) -> Result<Self, serde_json::Error> {
        let properties = Self::deserialize(properties)?;
        let names = properties
            .functions
            .keys()
            .chain(properties.handlers.keys());
        let size: usize = names.map(|name| name.len() + OF_FINGERPRINT).sum();
        if size > MOST_FINGERPRINTS {
            let message = "Functions and Handlers are more than an answer can name";
            return Err(serde_json::Error::custom(message));
        }
        Ok(properties)
    }

    /// Whether the issuers are asked for their keys.
    pub(crate) fn checks_issuers(&self) -> bool {
        self.check_issuers == Flag::True
    }

    /// Each function with all of its settings; `own` are those of this process.
    pub(crate) fn functions(&self, own: &Settings) -> Vec<Configured> {
        let configured = |is_handler| {
            move |(function, variables): (&String, &Variables)| Configured {
                function: function.clone(),
                is_handler,
                settings: self.settings(variables, own),
            }
        };
        let functions = self.functions.iter().map(configured(false));
        functions
            .chain(self.handlers.iter().map(configured(true)))
            .collect()
    }

    fn settings(&self, variables: &Variables, own: &Settings) -> Settings {
        let of_lambda = own.optional(OF_LAMBDA).ok().flatten();
        let of_lambda = of_lambda.map(|value| (OF_LAMBDA.to_owned(), value.to_owned()));
        // The later of two values of a name is the one that counts.
        let given = self.every_function.iter().chain(variables);
        of_lambda
            .into_iter()
            .chain(given.map(|(name, value)| (name.clone(), value.to_string())))
            .collect()
    }
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Flag(flag) => write!(formatter, "{flag}"),
            Self::Number(number) => write!(formatter, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(properties: &Value) -> Result<Properties, String> {
        Properties::read(properties).map_err(|error| error.to_string())
    }

    #[test]
    fn a_function_has_the_variables_of_every_function_and_its_own_which_go_before_them() {
        let properties = read(&json!({
            "ServiceToken": "arn", "ServiceTimeout": "60", "Code": "arn:1", "CheckIssuers": "true",
            "EveryFunction": {"A": "all", "B": "all", "TTL": 7},
            "Functions": {"keys": {"B": "own", "FLAG": true}},
            "Handlers": {"books": {}},
        }));
        let own: Settings = [("AWS_REGION", "eu-west-1"), ("A", "mine"), ("C", "mine")]
            .into_iter()
            .collect();
        let functions = properties.unwrap().functions(&own);
        let [keys, books] = functions.as_slice() else {
            panic!("{functions:?}")
        };
        assert_eq!((keys.function.as_str(), keys.is_handler), ("keys", false));
        assert_eq!((books.function.as_str(), books.is_handler), ("books", true));
        for (name, value) in [
            ("A", Some("all")),
            ("B", Some("own")),
            ("TTL", Some("7")),
            ("FLAG", Some("true")),
            ("AWS_REGION", Some("eu-west-1")),
            ("C", None),
        ] {
            assert_eq!(keys.settings.optional(name), Ok(value), "{name}");
        }
        assert_eq!(books.settings.optional("B"), Ok(Some("all")));
    }

    #[test]
    fn a_property_that_is_unknown_or_of_another_form_is_refused_by_name() {
        for (properties, word) in [
            (json!({"CheckIssuers": "true", "Function": {}}), "Function"),
            (json!({"CheckIssuers": "yes"}), "yes"),
            (json!({"Functions": {}}), "CheckIssuers"),
            (json!({"CheckIssuers": "true", "Functions": "keys"}), "map"),
            (json!(null), "Properties"),
        ] {
            let error = read(&properties).unwrap_err();
            assert!(error.contains(word), "{word}: {error}");
        }
    }
}
