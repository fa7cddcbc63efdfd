//! An event as API Gateway sends it, made fit for `lambda_http`.
//!
//! `lambda_http` refuses a whole event for one control character in a header, panics over a `Host`
//! that makes no URL, and of a header that came in several lines keeps the last.

use std::fmt::Write as _;

use http::header::{HeaderName, HeaderValue};
use lambda_http::LambdaEvent;
use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequest;
use lambda_http::request::LambdaRequest;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Where the extended request id stands, as in API Gateway's responses: the type of an event's context has
/// no place for it. What a client sent there is not passed on.
pub(super) const EXTENDED_REQUEST_ID: &str = "x-amz-apigw-id";

/// A proxy-integration event.
#[derive(Debug)]
pub(super) struct ProxyEvent(ApiGatewayProxyRequest);

impl ProxyEvent {
    /// The event as `lambda_http` takes it.
    pub(super) fn unwrapped(event: LambdaEvent<Self>) -> LambdaEvent<LambdaRequest> {
        let request = LambdaRequest::ApiGatewayV1(event.payload.0);
        LambdaEvent::new(request, event.context)
    }
}

impl<'de> Deserialize<'de> for ProxyEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let read = serde_json::from_str(text.get()).or_else(|_| read_mended(text.get()));
        let mut request: ApiGatewayProxyRequest = read.map_err(D::Error::custom)?;
        // The multi-value headers hold the others too, which would overwrite them. Without a `Host`
        // the URL is made of the gateway's domain name.
        if request.multi_value_headers.is_empty() {
            request.headers.remove(http::header::HOST);
            request.headers.remove("x-forwarded-proto");
        } else {
            request.headers.clear();
        }
        request.headers.remove(EXTENDED_REQUEST_ID);
        request.multi_value_headers.remove(EXTENDED_REQUEST_ID);
        if let Some(id) = extended_request_id(text.get()) {
            request.multi_value_headers.insert(EXTENDED_REQUEST_ID, id);
        }
        let domain = request.request_context.domain_name.take();
        request.request_context.domain_name =
            domain.filter(|domain| url::Url::parse(&format!("https://{domain}/{domain}")).is_ok());
        Ok(Self(request))
    }
}

/// The id of the event's context, where there is one.
fn extended_request_id(text: &str) -> Option<HeaderValue> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        request_context: Context,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Context {
        extended_request_id: String,
    }

    let event: Event = serde_json::from_str(text).ok()?;
    event.request_context.extended_request_id.try_into().ok()
}

/// Reads an event whose headers no [`http::HeaderMap`] may hold.
fn read_mended(text: &str) -> Result<ApiGatewayProxyRequest, serde_json::Error> {
    let mut event: Value = serde_json::from_str(text)?;
    for name in ["headers", "multiValueHeaders"] {
        let Some(headers) = event.get_mut(name).and_then(Value::as_object_mut) else {
            continue;
        };
        headers.retain(|name, _| HeaderName::from_bytes(name.as_bytes()).is_ok());
        for value in headers.values_mut() {
            match value {
                Value::String(text) => mend(text),
                Value::Array(values) => {
                    for value in values {
                        if let Value::String(text) = value {
                            mend(text);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    serde_json::from_value(event)
}

/// Percent-encodes the control characters, rather than leaving the header out: without its
/// `If-Match` a request would mean something else.
fn mend(value: &mut String) {
    if HeaderValue::from_str(value).is_ok() {
        return;
    }
    let mut mended = String::with_capacity(value.len());
    for character in value.chars() {
        if character.is_ascii_control() {
            // Writing to a String cannot fail.
            let _ = write!(mended, "%{:02X}", u32::from(character));
        } else {
            mended.push(character);
        }
    }
    *value = mended;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(headers: &Value, multi_headers: &Value, domain: &str) -> lambda_http::Request {
        let event = json!({
            "resource": "/books", "path": "/books", "httpMethod": "GET",
            "headers": headers, "multiValueHeaders": multi_headers,
            "requestContext": {"httpMethod": "GET", "stage": "dev", "domainName": domain},
        });
        let event: ProxyEvent = serde_json::from_str(&event.to_string()).unwrap();
        LambdaRequest::ApiGatewayV1(event.0).into()
    }

    #[test]
    fn a_control_character_in_a_header_does_not_cost_the_request() {
        let request = request(
            &json!({"if-match": "\"\u{7}\"", "user agent": "x"}),
            &json!({"if-match": ["\"a\"", "\"\u{7}\r\n\""], "user agent": ["x"]}),
            "api.example.com",
        );
        let values: Vec<_> = request.headers().get_all("if-match").iter().collect();
        assert_eq!(values, ["\"a\"", "\"%07%0D%0A\""]);
        assert_eq!(request.headers().len(), 2);
    }

    #[test]
    fn every_line_of_a_header_is_seen() {
        let request = request(
            &json!({"accept": "text/html"}),
            &json!({"accept": ["application/json", "text/html"]}),
            "api.example.com",
        );
        assert_eq!(request.headers().get_all("accept").iter().count(), 2);
    }

    #[test]
    fn the_extended_request_id_is_the_context_s_and_never_a_client_s() {
        let sent = json!({"x-amz-apigw-id": "forged"});
        let mut event = json!({
            "resource": "/books", "path": "/books", "httpMethod": "GET", "headers": sent,
            "requestContext": {"httpMethod": "GET", "extendedRequestId": "Zv7mfGpcIAMF8pw="},
        });
        let mut read = |multi: Value, id: Value| {
            event["multiValueHeaders"] = multi;
            event["requestContext"]["extendedRequestId"] = id;
            let event: ProxyEvent = serde_json::from_str(&event.to_string()).unwrap();
            let request: lambda_http::Request = LambdaRequest::ApiGatewayV1(event.0).into();
            let ids = request.headers().get_all(EXTENDED_REQUEST_ID).iter();
            ids.map(|id| id.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        for multi in [Value::Null, json!({"x-amz-apigw-id": ["forged", "twice"]})] {
            assert_eq!(
                read(multi.clone(), json!("Zv7mfGpcIAMF8pw=")),
                ["Zv7mfGpcIAMF8pw="]
            );
            assert!(read(multi, Value::Null).is_empty());
        }
    }

    #[test]
    fn a_host_that_makes_no_url_is_no_panic() {
        for host in ["[", "a b", "api.example.com:port", ""] {
            let headers = json!({"host": host, "x-forwarded-proto": "::"});
            request(&headers, &Value::Null, "api.example.com");
            request(&headers, &json!({"host": [host]}), host);
        }
    }

    #[test]
    fn an_event_without_a_request_context_is_refused() {
        let event = serde_json::from_str::<ProxyEvent>(r#"{"httpMethod": "GET", "path": "/"}"#);
        assert!(event.is_err());
    }
}
