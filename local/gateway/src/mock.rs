//! A mock integration: an answer that API Gateway gives by itself ("Set up mock integrations in API
//! Gateway", API Gateway guide).

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use keygate_model::Mock;

use super::content_type;
use super::exchange::Exchange;
use super::fault::{Fault, ResponseType};

/// The answer to a request. Of a content type that no request template is for, the body is passed
/// through, and API Gateway finds no status code in it.
pub(super) fn answer(mock: &Mock, exchange: &Exchange) -> Result<Response<Bytes>, Fault> {
    if !mock.takes.contains(&content_type::of(exchange)) {
        return Err(Fault::new(if mock.refuses_others {
            ResponseType::UnsupportedMediaType
        } else {
            ResponseType::ApiConfigurationError
        }));
    }
    let mut response = Response::new(Bytes::from(mock.body.clone()));
    *response.status_mut() =
        StatusCode::from_u16(mock.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type::JSON));
    for (name, value) in &mock.headers {
        headers.insert(name.clone(), value.clone());
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn answered(content_type: Option<&str>) -> Option<(u16, Bytes)> {
        let mut request = Request::options("/dev/books");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let exchange = Exchange::new(&parts, "127.0.0.1".into(), 80);
        let mock = Mock {
            refuses_others: false,
            takes: ["application/json".to_owned()].into(),
            status: 204,
            headers: Vec::new(),
            body: "{}\n".into(),
        };
        let response = answer(&mock, &exchange).ok()?;
        Some((response.status().as_u16(), response.into_body()))
    }

    #[test]
    fn a_request_of_another_content_type_than_the_request_templates_has_no_status_code() {
        let expected = Some((204, Bytes::from("{}\n")));
        assert_eq!(answered(None), expected);
        assert_eq!(answered(Some("Application/JSON; charset=utf-8")), expected);
        assert_eq!(answered(Some("text/plain")), None);
    }
}
