//! A proxy-integration event as a handler reads it.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, Method};
use lambda_http::request::RequestContext;
use lambda_http::{Body, RequestExt as _};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::caller::Caller;
use crate::event::EXTENDED_REQUEST_ID;
use crate::settings::ProxySettings;
use keygate_problem::{FORBIDDEN, INSUFFICIENT_SCOPE, Problem};
use keygate_routes::{Access, RouteTable};

/// One request that API Gateway passed on.
#[derive(Debug)]
pub struct ProxyRequest {
    method: Method,
    path: String,
    resource_path: String,
    request_id: String,
    extended_request_id: Option<String>,
    api_stage: Option<(String, String)>,
    came_to: Option<(String, String)>,
    public_url: String,
    is_public_url_set: bool,
    routes: Option<Arc<RouteTable>>,
    headers: HeaderMap,
    path_parameters: HashMap<String, String>,
    query: lambda_http::aws_lambda_events::query_map::QueryMap,
    authorizer: HashMap<String, Value>,
    body: Body,
}

impl ProxyRequest {
    /// Reads an event, as [`run`](super::run) does for every invocation.
    #[must_use]
    pub fn new(event: lambda_http::Request, settings: &ProxySettings) -> Self {
        let context = match event.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => context.clone(),
            _ => lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext::default(),
        };
        let api_stage = context.apiid.zip(context.stage.clone());
        let stage = context.stage.unwrap_or_default();
        let public_url = settings.public_url.clone().unwrap_or_else(|| {
            let domain = context.domain_name.as_deref().unwrap_or("localhost");
            format!("https://{domain}/{stage}")
        });
        let raw_path = event.raw_http_path().to_owned();
        let mapped = context.path.as_deref() == Some(raw_path.as_str());
        let path = unmapped(&raw_path, &public_url, mapped).to_owned();
        let came_to = context.domain_name.zip(context.path);
        // API Gateway passes them on as they were sent.
        let path_parameters = event
            .path_parameters()
            .iter()
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect();
        let query = event.query_string_parameters();
        let (mut parts, body) = event.into_parts();
        let extended_request_id = parts.headers.remove(EXTENDED_REQUEST_ID);
        let extended_request_id =
            extended_request_id.and_then(|id| Some(id.to_str().ok()?.to_owned()));
        Self {
            method: parts.method,
            path,
            resource_path: context.resource_path.unwrap_or_default(),
            request_id: context.request_id.unwrap_or_default(),
            extended_request_id,
            api_stage,
            came_to,
            public_url,
            is_public_url_set: settings.public_url.is_some(),
            routes: settings.routes.clone(),
            headers: parts.headers,
            path_parameters,
            query,
            authorizer: context.authorizer.fields,
            body,
        }
    }

    /// The HTTP method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path below the stage, or below the base path of a custom domain.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The resource that API Gateway matched: `/books/{id}`.
    #[must_use]
    pub fn resource_path(&self) -> &str {
        &self.resource_path
    }

    /// The API Gateway request id, which is a problem's `instance`. A client can choose it, by the header
    /// `x-amzn-RequestId`.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// API Gateway's other id of the request, which no client can choose; `None` where the event has none.
    #[must_use]
    pub fn extended_request_id(&self) -> Option<&str> {
        self.extended_request_id.as_deref()
    }

    /// The REST API's id and the stage that the request came to, where the event says both.
    #[must_use]
    pub fn api_stage(&self) -> Option<(&str, &str)> {
        let (api, stage) = self.api_stage.as_ref()?;
        Some((api, stage))
    }

    /// Where the request came to, as API Gateway says and no header of the client's: the domain name,
    /// and the whole path, in which the stage or the base path of a custom domain stands first.
    #[must_use]
    pub fn came_to(&self) -> Option<(&str, &str)> {
        let (domain, path) = self.came_to.as_ref()?;
        Some((domain, path))
    }

    /// Where clients reach the stage, without a slash at its end; at the execute-api address, where
    /// `PUBLIC_URL` does not say.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// [`Self::public_url`] where `PUBLIC_URL` says it.
    #[must_use]
    pub fn configured_url(&self) -> Option<&str> {
        self.is_public_url_set.then_some(&self.public_url)
    }

    /// The `Origin` header.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.header("origin")
    }

    /// All headers, for one whose value must not be passed over when it is not visible ASCII.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Whether there is such a header, whatever its value.
    #[must_use]
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// A header's first value, when it is visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header that are visible ASCII.
    pub fn header_values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
    }

    /// A path parameter, percent-decoded.
    #[must_use]
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters.get(name).map(String::as_str)
    }

    /// A query parameter's first value, percent-decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.first(name)
    }

    /// Who is calling. Where the function is given the route table, the caller is held to it once
    /// more, behind the gateway's own check.
    ///
    /// # Errors
    /// 500 when the gateway did not say who is calling, and 403 when the table does not open the
    /// route to them.
    pub fn caller(&self) -> Result<Caller, Problem> {
        let caller = Caller::from_context(&self.authorizer)?;
        let Some(table) = &self.routes else {
            return Ok(caller);
        };
        let route = table.of_resource(&self.method, &self.resource_path);
        match route.map(|route| &route.access) {
            Some(access) if access.opens_to(caller.scopes()) => Ok(caller),
            Some(Access::AnyOf(scopes)) => {
                let scopes: Vec<_> = scopes.iter().map(ToString::to_string).collect();
                let detail = format!("This needs the scope {}.", scopes.join(" or "));
                Err(Problem::new(&INSUFFICIENT_SCOPE, detail))
            }
            _ => Err(Problem::new(
                &FORBIDDEN,
                "The route table does not open this route.",
            )),
        }
    }

    /// The body's bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        match &self.body {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        }
    }
}

/// The path without the base path of a custom domain, which API Gateway leaves in `path` and
/// `requestContext.path` alike (`mapped`); an execute-api address has the stage only in the latter.
fn unmapped<'a>(path: &'a str, public_url: &str, mapped: bool) -> &'a str {
    let base = public_url
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').map(|slash| &rest[slash..]));
    match base {
        Some(base) if mapped => path
            .strip_prefix(base)
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(path),
        _ => path,
    }
}

/// A path parameter, decoded where it is encoded.
fn decoded(value: &str) -> String {
    let decoded = percent_decode_str(value).decode_utf8();
    decoded.map_or_else(|_| value.to_owned(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_domains_base_path_is_not_part_of_the_route() {
        let url = "https://api.example.com/v1";
        assert_eq!(unmapped("/v1/books", url, true), "/books");
        assert_eq!(unmapped("/v1/books", url, false), "/v1/books");
        assert_eq!(unmapped("/v1books", url, true), "/v1books");
        assert_eq!(
            unmapped("/books", "https://api.example.com", true),
            "/books"
        );
    }
}
