//! `x-amazon-apigateway-integration` of the types `aws_proxy` and `mock`.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, HeaderValue};
use keygate_model::{Integration, Mock};

use super::super::fields::Fields;
use super::super::literal;
use super::super::parameters::whole;
use super::super::vtl;
use super::super::yaml::Value;

const NAME: &str = "x-amazon-apigateway-integration";

/// Whether API Gateway calls what answers an operation by a role.
pub(super) fn has_role(operation: &Fields<'_>) -> bool {
    let credentials = operation
        .peek(NAME)
        .and_then(|said| said.get("credentials"));
    credentials.is_some_and(|role| !matches!(role.value, Value::Null))
}

/// Reads an operation's integration.
pub(super) fn read(
    operation: &mut Fields<'_>,
    functions: &BTreeMap<String, String>,
) -> Option<Integration> {
    if !operation.has(NAME) {
        operation.report(format!(
            "{NAME} is required: API Gateway deploys no method without one"
        ));
        return None;
    }
    let mut fields = operation.fields(NAME)?;
    let kind = fields.required_text("type")?.to_ascii_lowercase();
    fields.pass_over(&["cacheKeyParameters", "cacheNamespace", "connectionType"]);
    fields.no_meaning(&["credentials", "httpMethod"]);
    match kind.as_str() {
        "aws_proxy" => {
            // A proxy's answers and events are what they are.
            fields.no_meaning(&["contentHandling", "passthroughBehavior", "responses"]);
            let function = function_of(&mut fields, "uri", functions);
            fields.end();
            function.map(Integration::Function)
        }
        "mock" => {
            let mock = mock(&mut fields);
            fields.end();
            mock.map(Integration::Mock)
        }
        _ => {
            fields.report(format!(
                "the local gateway does not support integrations of type {kind}, which are aws_proxy \
                 and mock"
            ));
            None
        }
    }
}

/// The function of this template that a property's address calls.
pub(super) fn function_of(
    fields: &mut Fields<'_>,
    property: &str,
    functions: &BTreeMap<String, String>,
) -> Option<String> {
    let uri = fields.required_text(property)?;
    let arn = uri.split_once("/functions/").map(|(_, rest)| rest);
    let arn = arn.and_then(|rest| rest.strip_suffix("/invocations"));
    let found = arn.and_then(|arn| functions.get(arn));
    if found.is_none() {
        fields.report(format!(
            "{property} `{uri}` calls no function of this template"
        ));
    }
    found.cloned()
}

fn mock(fields: &mut Fields<'_>) -> Option<Mock> {
    let passthrough = fields.text("passthroughBehavior").unwrap_or_default();
    let requests = fields.texts_at("requestTemplates");
    let mut takes = BTreeSet::new();
    let mut statuses = BTreeSet::new();
    for (media_type, template, line) in requests {
        match status(&template) {
            Ok(status) => {
                statuses.insert(status);
            }
            Err(message) => fields.report_at(line, "requestTemplates", message),
        }
        takes.insert(media_type.to_ascii_lowercase());
    }
    if takes.is_empty() {
        fields.report("requestTemplates is required: a mock integration's statusCode stands there");
    }
    let responses = fields
        .fields("responses")
        .map_or_else(Vec::new, Fields::named);
    let mut answers: BTreeMap<String, Answer> = BTreeMap::new();
    for (pattern, response) in responses {
        answers.extend(answer(response).map(|answer| (pattern, answer)));
    }
    if statuses.len() > 1 {
        fields.report("the local gateway wants one statusCode in all requestTemplates");
    }
    let status = statuses.into_iter().next()?;
    let text = status.to_string();
    let of_status = answers.iter().find(|(pattern, _)| {
        *pattern != "default" && whole(pattern).is_ok_and(|pattern| pattern.is_match(&text))
    });
    let chosen = of_status
        .map(|(_, answer)| answer)
        .or(answers.get("default"));
    let Some(chosen) = chosen else {
        fields.report(format!(
            "responses has nothing for the status {status}, and no default"
        ));
        return None;
    };
    Some(Mock {
        takes,
        refuses_others: !passthrough.is_empty()
            && !passthrough.eq_ignore_ascii_case("when_no_match"),
        status: chosen.status,
        headers: chosen.headers.clone(),
        body: chosen.body.clone(),
    })
}

/// The status that a request template says.
fn status(template: &str) -> Result<u16, String> {
    vtl::check_literal(template)?;
    let said: Option<serde_json::Value> = serde_json::from_str(template).ok();
    let status = said.and_then(|said| said.get("statusCode")?.as_u64());
    status
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| (100..=599).contains(status))
        .ok_or_else(|| "must be JSON with a number `statusCode`".to_owned())
}

struct Answer {
    status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: String,
}

fn answer(mut fields: Fields<'_>) -> Option<Answer> {
    fields.no_meaning(&["contentHandling"]);
    let status = fields.number("statusCode", &(200..=599));
    let mut headers = Vec::new();
    for (name, expression, line) in fields.texts_at("responseParameters") {
        let header = name.strip_prefix("method.response.header.");
        let header = header.and_then(|name| HeaderName::try_from(name).ok());
        match header.zip(literal::header_value(&expression)) {
            Some(header) => headers.push(header),
            None => fields.report_at(
                line,
                "responseParameters",
                format!(
                    "`{name}` from `{expression}`: the local gateway knows method.response.header.NAME \
                     from a text in single quotes"
                ),
            ),
        }
    }
    let mut templates = fields.texts_at("responseTemplates");
    for (_, template, line) in &templates {
        if let Err(message) = vtl::check_literal(template) {
            fields.report_at(*line, "responseTemplates", message);
        }
    }
    fields.end();
    // JSON where there is a template for it, whatever the request accepts.
    templates.sort_by_key(|(media_type, ..)| media_type != "application/json");
    let first = templates.into_iter().next();
    let body = first.map(|(media_type, template, _)| {
        let value = HeaderValue::from_str(&media_type).ok();
        headers.splice(0..0, value.map(|value| (http::header::CONTENT_TYPE, value)));
        template
    });
    Some(Answer {
        status: status?,
        headers,
        body: body.unwrap_or_default(),
    })
}
