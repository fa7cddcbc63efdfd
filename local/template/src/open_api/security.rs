//! `securityDefinitions`, or `components.securitySchemes`: Lambda authorizers
//! (`x-amazon-apigateway-authorizer`) and the scheme that asks for a usage key.

use std::collections::{BTreeMap, BTreeSet};

use keygate_model::{Authorizer, AuthorizerEvents, IdentitySource};

use super::super::authorizers::{self, is_header_name};
use super::super::fields::Fields;
use super::super::permissions::Call;
use super::integration::function_of;

/// The header of a scheme that is a usage key and no authorizer.
const USAGE_KEY: &str = "x-api-key";

/// The schemes of a document.
#[derive(Debug, Default)]
pub(super) struct Schemes {
    authorizers: BTreeMap<String, Authorizer>,
    usage_keys: BTreeSet<String>,
    /// Those that cannot be read, which is reported.
    broken: BTreeSet<String>,
    /// The authorizers that API Gateway calls without a role.
    calls: Vec<Call>,
}

/// What an operation's `security` comes to.
#[derive(Debug, Default)]
pub(super) struct Security {
    pub(super) authorizer: Option<String>,
    pub(super) usage_key: Option<bool>,
}

impl Schemes {
    /// Reads the schemes of one section.
    pub(super) fn read(&mut self, section: Fields<'_>, functions: &BTreeMap<String, String>) {
        for (name, mut scheme) in section.named() {
            scheme.no_meaning(&["description", "x-amazon-apigateway-authtype"]);
            scheme.only("type", &["apiKey"]);
            scheme.only("in", &["header"]);
            let header = scheme.text("name").unwrap_or_default();
            if let Some(said) = scheme.fields("x-amazon-apigateway-authorizer") {
                match authorizer(said, &header, functions, &mut self.calls) {
                    Some(authorizer) => {
                        self.authorizers.insert(name, authorizer);
                    }
                    None => {
                        self.broken.insert(name);
                    }
                }
            } else if header.eq_ignore_ascii_case(USAGE_KEY) {
                self.usage_keys.insert(name);
            } else {
                scheme.report(
                    "is neither an x-amazon-apigateway-authorizer nor the usage key in x-api-key, and \
                     the local gateway knows no other scheme",
                );
                self.broken.insert(name);
            }
            scheme.end();
        }
    }

    /// Reads an operation's `security`: API Gateway asks for all that is named in it.
    pub(super) fn security(&self, operation: &mut Fields<'_>) -> Security {
        let mut security = Security::default();
        for requirement in operation.list("security") {
            for name in requirement.names() {
                if self.usage_keys.contains(&name) {
                    security.usage_key = Some(true);
                } else if self.authorizers.contains_key(&name) {
                    match security.authorizer.replace(name) {
                        Some(first) if security.authorizer.as_ref() != Some(&first) => {
                            operation.report("security names more than one authorizer");
                        }
                        _ => {}
                    }
                } else if !self.broken.contains(&name) {
                    operation.report(format!("security names `{name}`, which is no scheme"));
                }
            }
        }
        security
    }

    /// The authorizers by their names, and those that need a permission.
    pub(super) fn into_authorizers(self) -> (BTreeMap<String, Authorizer>, Vec<Call>) {
        (self.authorizers, self.calls)
    }
}

fn authorizer(
    mut fields: Fields<'_>,
    header: &str,
    functions: &BTreeMap<String, String>,
    calls: &mut Vec<Call>,
) -> Option<Authorizer> {
    let role = fields.node("authorizerCredentials");
    let kind = fields
        .text("type")
        .map(|kind| kind.to_ascii_lowercase())
        .filter(|kind| {
            let is_known = ["token", "request"].contains(&kind.as_str());
            if !is_known {
                fields.report(format!(
                    "the local gateway has no authorizers of type {kind}"
                ));
            }
            is_known
        });
    let function = function_of(&mut fields, "authorizerUri", functions);
    let result_ttl = authorizers::result_ttl(Some(&mut fields), "authorizerResultTtlInSeconds");
    let sources = sources(&mut fields);
    let expression = authorizers::expression(&mut fields, "identityValidationExpression");
    let events = if kind.as_deref() == Some("request") {
        let missing = "identitySource is required, unless authorizerResultTtlInSeconds is 0: API Gateway \
                       refuses it";
        authorizers::requests(&fields, sources, result_ttl, missing)
    } else {
        let header = match sources.as_slice() {
            [IdentitySource::Header(name)] => name.clone(),
            [] => header.to_owned(),
            _ => {
                fields.report("identitySource of TOKEN events is one header");
                String::new()
            }
        };
        AuthorizerEvents::Token { header, expression }
    };
    if let Some(function) = function.as_ref().filter(|_| role.is_none()) {
        calls.push(Call {
            function: function.clone(),
            place: fields.place().to_owned(),
            line: fields.line(),
        });
    }
    fields.end();
    Some(Authorizer {
        function: function.filter(|_| kind.is_some())?,
        events,
        result_ttl,
    })
}

/// `identitySource`: mapping expressions between commas.
fn sources(fields: &mut Fields<'_>) -> Vec<IdentitySource> {
    let Some((text, line)) = fields.text_at("identitySource") else {
        return Vec::new();
    };
    let named = text.split(',').map(str::trim).filter(|one| !one.is_empty());
    named
        .filter_map(|one| {
            let source = source(one);
            if source.is_none() {
                let message = format!("`{one}` is no identity source");
                fields.report_at(line, "identitySource", message);
            }
            source
        })
        .collect()
}

fn source(text: &str) -> Option<IdentitySource> {
    let of = |prefix: &str| {
        let name = text.strip_prefix(prefix)?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    of("method.request.header.")
        .filter(|name| is_header_name(name))
        .map(IdentitySource::Header)
        .or_else(|| of("method.request.querystring.").map(IdentitySource::Query))
        .or_else(|| of("stageVariables.").map(IdentitySource::StageVariable))
        .or_else(|| of("context.").map(IdentitySource::Context))
}
