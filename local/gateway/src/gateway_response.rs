//! Gateway responses: what the gateway itself answers when a request does not reach a handler, or
//! no usable answer comes back ("Gateway responses for REST APIs in API Gateway", API Gateway guide).

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use keygate_model::GatewayResponse;
use serde_json::Value;

use super::exchange::Exchange;
use super::fault::{Fault, ResponseType};
use super::proxy_event::query_pairs;
use super::stage::Stage;
use super::variables::{Absent, Template, UnknownVariable, value};

/// A header mapping that this gateway does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the gateway response {kind} maps {header} from {expression}, which the local gateway does not support"
)]
pub struct UnknownMapping {
    kind: String,
    header: String,
    expression: String,
}

/// A gateway response of the template that this gateway cannot give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsupportedResponse {
    /// It maps a header from something that is not known.
    #[error(transparent)]
    Mapping(#[from] UnknownMapping),
    /// Its text has a variable that is not known.
    #[error(transparent)]
    Variable(#[from] UnknownVariable),
}

/// The template's gateway responses, read once.
#[derive(Debug)]
pub(super) struct GatewayResponses(BTreeMap<String, Customised>);

#[derive(Debug)]
struct Customised {
    status: Option<u16>,
    headers: Vec<(HeaderName, Mapping)>,
    body: Option<(String, Template)>,
}

#[derive(Debug)]
enum Mapping {
    Literal(HeaderValue),
    RequestHeader(String),
    RequestQuery(String),
    RequestPath(String),
    Variable(String),
}

impl GatewayResponses {
    pub(super) fn new(
        responses: &BTreeMap<String, GatewayResponse>,
    ) -> Result<Self, UnsupportedResponse> {
        let read = |(kind, response): (&String, &GatewayResponse)| {
            Ok((kind.clone(), Customised::read(kind, response)?))
        };
        responses
            .iter()
            .map(read)
            .collect::<Result<_, UnsupportedResponse>>()
            .map(Self)
    }

    /// The customised response of a type, or that of its family, which reaches every type that is not
    /// customised itself.
    fn find(&self, kind: ResponseType) -> Option<&Customised> {
        let family = if kind.status() < 500 {
            "DEFAULT_4XX"
        } else {
            "DEFAULT_5XX"
        };
        self.0.get(kind.name()).or_else(|| self.0.get(family))
    }

    /// The response to the exchange's fault.
    pub(super) fn render(
        &self,
        exchange: &Exchange,
        stage: &Stage,
        fault: &Fault,
    ) -> Response<Bytes> {
        let custom = self.find(fault.kind);
        let mut status = custom
            .and_then(|custom| custom.status)
            .unwrap_or(fault.kind.status());
        let mut content_type = "application/json";
        let mut body = match custom.and_then(|custom| custom.body.as_ref()) {
            Some((media_type, template)) => {
                content_type = media_type;
                template.render(exchange, stage, Absent::Nothing)
            }
            None => default_body(fault, custom.is_some()),
        };
        if fault.kind == ResponseType::HeadersTooLarge {
            status = fault.kind.status();
            body = headers_too_large(&body).unwrap_or(body);
        }
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Ok(content_type) = HeaderValue::from_str(content_type) {
            headers.insert(CONTENT_TYPE, content_type);
        }
        for (name, mapping) in custom.iter().flat_map(|custom| &custom.headers) {
            if let Some(value) = mapping.value(exchange, stage) {
                headers.insert(name.clone(), value);
            }
        }
        response
    }
}

/// The text where the template has none. Of a refusal by policy API Gateway sends another one than the
/// template that it gives as the default, as long as nothing of it is customised: tried on AWS in
/// localstack/localstack PR 11317.
fn default_body(fault: &Fault, is_customised: bool) -> String {
    let member = if fault.kind == ResponseType::AccessDenied && !is_customised {
        "Message"
    } else {
        "message"
    };
    serde_json::json!({member: fault.said()}).to_string()
}

/// API Gateway has no response type for headers that are too large, so the template cannot word
/// it: the `DEFAULT_4XX` problem says it in the catalogue's words.
fn headers_too_large(default: &str) -> Option<String> {
    let kind = &keygate_problem::REQUEST_HEADER_TOO_LARGE;
    let mut problem: Value = serde_json::from_str(default).ok()?;
    let uri = problem.get("type")?.as_str()?;
    let (public_url, _) = uri.rsplit_once("/problems/")?;
    let uri = keygate_problem::type_uri(public_url, kind);
    let object = problem.as_object_mut()?;
    object.insert("type".to_owned(), uri.into());
    object.insert("title".to_owned(), kind.title.into());
    object.insert("status".to_owned(), kind.status.into());
    object.insert("detail".to_owned(), kind.meaning.into());
    Some(problem.to_string())
}

impl Customised {
    fn read(kind: &str, response: &GatewayResponse) -> Result<Self, UnsupportedResponse> {
        let mut headers = Vec::new();
        for (header, expression) in &response.headers {
            let unknown = || UnknownMapping {
                kind: kind.to_owned(),
                header: header.clone(),
                expression: expression.clone(),
            };
            let name = HeaderName::try_from(header).map_err(|_| unknown())?;
            headers.push((name, Mapping::read(expression).ok_or_else(unknown)?));
        }
        // API Gateway renders the application/json template whatever the request accepts.
        let body = response
            .templates
            .get_key_value("application/json")
            .or_else(|| response.templates.first_key_value());
        let body = body
            .map(|(media_type, text)| {
                let template = Template::read(text, &format!("the gateway response {kind}"))?;
                Ok::<_, UnknownVariable>((media_type.clone(), template))
            })
            .transpose()?;
        Ok(Self {
            status: response.status,
            headers,
            body,
        })
    }
}

impl Mapping {
    fn read(expression: &str) -> Option<Self> {
        let literal = expression
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''));
        if let Some(literal) = literal {
            return HeaderValue::from_str(literal).ok().map(Self::Literal);
        }
        let request = |kind: &str| expression.strip_prefix(&format!("method.request.{kind}."));
        if let Some(name) = request("header") {
            Some(Self::RequestHeader(name.to_ascii_lowercase()))
        } else if let Some(name) = request("querystring") {
            Some(Self::RequestQuery(name.to_owned()))
        } else if let Some(name) = request("path") {
            Some(Self::RequestPath(name.to_owned()))
        } else {
            // The same names as in a text, so one reading checks both.
            Template::read(&format!("${expression}"), "").ok()?;
            let variable = ["context.", "stageVariables."];
            variable
                .iter()
                .any(|prefix| expression.starts_with(prefix))
                .then(|| Self::Variable(expression.to_owned()))
        }
    }

    /// The header's value; a source that is absent omits the header.
    fn value(&self, exchange: &Exchange, stage: &Stage) -> Option<HeaderValue> {
        let text = match self {
            Self::Literal(literal) => return Some(literal.clone()),
            Self::RequestHeader(name) => exchange.header(name)?.to_owned(),
            Self::RequestQuery(name) => query_pairs(exchange.query.as_deref())
                .into_iter()
                .find_map(|(key, value)| (key == *name).then_some(value))?,
            Self::RequestPath(name) => exchange
                .path_parameters
                .iter()
                .find_map(|(key, value)| (key == name).then(|| value.clone()))?,
            Self::Variable(name) => value(name, exchange, stage)?,
        };
        HeaderValue::from_str(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::BinaryMediaTypes;

    fn response(status: Option<u16>, mark: &str) -> GatewayResponse {
        let text = format!("{mark} $context.error.messageString");
        GatewayResponse {
            status,
            headers: [("X-Mark".to_owned(), format!("'{mark}'"))].into(),
            templates: [("text/plain".to_owned(), text)].into(),
        }
    }

    /// Those of a template that has some for both families and for two types.
    fn customised() -> GatewayResponses {
        let bare = GatewayResponse {
            status: Some(402),
            headers: BTreeMap::new(),
            templates: BTreeMap::new(),
        };
        let responses = [
            ("DEFAULT_4XX".to_owned(), response(Some(418), "four")),
            ("DEFAULT_5XX".to_owned(), response(None, "five")),
            ("UNAUTHORIZED".to_owned(), response(None, "own")),
            ("THROTTLED".to_owned(), bare),
        ];
        GatewayResponses::new(&responses.into()).unwrap()
    }

    /// Status, mark and body of the answer to a fault.
    fn answer(responses: &GatewayResponses, kind: ResponseType) -> (u16, String, String) {
        let (parts, ()) = http::Request::get("/dev/").body(()).unwrap().into_parts();
        let mut exchange = Exchange::new(&parts, "192.0.2.1".to_owned(), 3000);
        let fault = Fault::new(kind);
        exchange.fault = Some(fault.clone());
        let stage = Stage {
            api_id: "local".to_owned(),
            name: "dev".to_owned(),
            variables: BTreeMap::new(),
            binary: BinaryMediaTypes::default(),
        };
        let response = responses.render(&exchange, &stage, &fault);
        let mark = response.headers().get("x-mark");
        let mark = mark.map_or("", |mark| mark.to_str().unwrap());
        let body = String::from_utf8(response.body().to_vec()).unwrap();
        (response.status().as_u16(), mark.to_owned(), body)
    }

    #[test]
    fn what_is_said_of_all_reaches_every_type_that_is_not_customised_itself() {
        for (kind, status, mark, body) in [
            (
                ResponseType::MissingAuthenticationToken,
                418,
                "four",
                r#"four "Missing Authentication Token""#,
            ),
            (
                ResponseType::QuotaExceeded,
                418,
                "four",
                r#"four "Limit Exceeded""#,
            ),
            (
                ResponseType::Default5xx,
                502,
                "five",
                r#"five "Internal server error""#,
            ),
            (ResponseType::AuthorizerFailure, 500, "five", "five null"),
            (
                ResponseType::Unauthorized,
                401,
                "own",
                r#"own "Unauthorized""#,
            ),
            (
                ResponseType::Throttled,
                402,
                "",
                r#"{"message":"Too Many Requests"}"#,
            ),
        ] {
            let expected = (status, mark.to_owned(), body.to_owned());
            assert_eq!(answer(&customised(), kind), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_refusal_by_policy_begins_its_message_with_a_capital_until_it_is_customised() {
        let said = "User is not authorized to access this resource";
        let none = GatewayResponses::new(&BTreeMap::new()).unwrap();
        let (_, _, body) = answer(&none, ResponseType::AccessDenied);
        assert_eq!(body, format!(r#"{{"Message":"{said}"}}"#));
        let (_, _, body) = answer(&none, ResponseType::InvalidApiKey);
        assert_eq!(body, r#"{"message":"Forbidden"}"#);
        let family = GatewayResponse {
            status: None,
            headers: BTreeMap::new(),
            templates: BTreeMap::new(),
        };
        let family = GatewayResponses::new(&[("DEFAULT_4XX".to_owned(), family)].into()).unwrap();
        let (_, _, body) = answer(&family, ResponseType::AccessDenied);
        assert_eq!(body, format!(r#"{{"message":"{said}"}}"#));
    }
}
