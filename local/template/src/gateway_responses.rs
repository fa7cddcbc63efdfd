//! An API's `GatewayResponses` (API Gateway developer guide, "Gateway responses").

use std::collections::BTreeMap;

use http::HeaderName;
use keygate_model::GatewayResponse;

use super::fields::Fields;
use super::literal;
use super::vtl;

/// The guide's table of response types.
const TYPES: &[&str] = &[
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
];

/// What a header may be mapped from besides a literal in single quotes.
const SOURCES: &[&str] = &[
    "context.",
    "method.request.header.",
    "method.request.path.",
    "method.request.querystring.",
    "stageVariables.",
];

/// Reads the customised responses by type.
pub(super) fn read(fields: Fields<'_>) -> BTreeMap<String, GatewayResponse> {
    fields
        .named()
        .into_iter()
        .filter_map(|(name, response)| {
            if !TYPES.contains(&name.as_str()) {
                response.report(format!("`{name}` is no gateway response type"));
                return None;
            }
            Some((name, gateway_response(response)))
        })
        .collect()
}

fn gateway_response(mut fields: Fields<'_>) -> GatewayResponse {
    let status = fields.number("StatusCode", &(200..=599));
    let headers = match fields.fields("ResponseParameters") {
        Some(mut parameters) => {
            let headers = parameters.texts("Headers");
            for (name, expression) in &headers {
                if let Err(message) = check_header(name, expression) {
                    parameters.report(message);
                }
            }
            parameters.end();
            headers.into_iter().collect()
        }
        None => BTreeMap::new(),
    };
    let templates = fields.texts("ResponseTemplates");
    for (content_type, template) in &templates {
        if let Some(directive) = beyond_variables(template) {
            fields.report(format!(
                "the {content_type} template has `{directive}`, but a gateway response expands \
                 variables and nothing else"
            ));
        }
    }
    fields.end();
    GatewayResponse {
        status,
        headers,
        templates: templates.into_iter().collect(),
    }
}

fn check_header(name: &str, expression: &str) -> Result<(), String> {
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        return Err(format!("`{name}` is no header's name"));
    }
    let is_source = SOURCES.iter().any(|source| {
        expression
            .strip_prefix(source)
            .is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace))
    });
    if is_source || literal::header_value(expression).is_some() {
        return Ok(());
    }
    Err(format!(
        "the header {name} is mapped from `{expression}`, which is neither a literal in single \
         quotes nor one of {}",
        SOURCES.join("NAME, ") + "NAME"
    ))
}

/// The first directive or function of a mapping template, which API Gateway would not carry out.
fn beyond_variables(template: &str) -> Option<&'static str> {
    let mut functions = ["$input", "$util"].into_iter();
    vtl::directive(template).or_else(|| functions.find(|name| template.contains(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_expressions_are_literals_or_mappings() {
        for valid in [
            "'Bearer'",
            "''",
            "method.request.header.Origin",
            "context.requestId",
        ] {
            assert_eq!(check_header("Vary", valid), Ok(()), "{valid}");
        }
        for wrong in [
            "Bearer",
            "'a",
            "'a'b'",
            "method.request.header.",
            "'a\nb'",
            "$context.x",
        ] {
            assert!(check_header("Vary", wrong).is_err(), "{wrong}");
        }
        assert!(check_header("not a name", "'x'").is_err());
    }
}
