//! The protected resource metadata (RFC 9728), by which a client that has met a 401 finds the issuer:
//! of the whole API, and of each path that asks for a credential.
//!
//! RFC 9728 section 3.1 puts the document between host and path of the resource. Below a stage nothing
//! can stand there, so the gateway response to a 401 names the place below the stage.

use std::collections::BTreeSet;

use keygate_principal::scope::{Scope, Scopes};
use keygate_problem::{NOT_FOUND, Problem};
use keygate_proxy::{self as proxy, ProxyRequest};
use keygate_routes::{Access, RouteTable};
use keygate_settings::{SettingError, Settings};
use lambda_http::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HeaderValue};
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::resource::METADATA;

/// Five minutes: what it says changes with a deployment only, and then with tokens that are refused.
const CACHE_FOR: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// What the settings say of the API as a protected resource.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// The issuers whose tokens the authorizer takes.
    issuers: Vec<String>,
    /// The scopes that the document of the whole API names; those of the route table without it.
    advertised: Option<Scopes>,
}

/// The document's members (RFC 9728 section 2).
#[derive(Serialize)]
struct Document<'a> {
    resource: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    authorization_servers: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<&'a str>,
    bearer_methods_supported: [&'static str; 1],
}

impl Metadata {
    /// Reads `OAUTH_ISSUER` or, in its stead, `OAUTH_ISSUERS`, and `ADVERTISED_SCOPES`.
    pub(crate) fn read(settings: &Settings) -> Result<Self, SettingError> {
        let issuers = proxy::trusted_issuers(settings)?;
        Ok(Self {
            issuers,
            advertised: settings.parsed("ADVERTISED_SCOPES")?,
        })
    }

    /// The document of the whole API, or of the path that follows in the request's.
    ///
    /// # Errors
    /// 404 when the API's address is not known, and for a path that asks for no credential.
    pub(crate) fn answer(
        &self,
        request: &ProxyRequest,
        table: &RouteTable,
    ) -> Result<Response<Body>, Problem> {
        let Some(api) = address(request) else {
            let detail = "This API does not know its address: its operator sets PublicUrl.";
            return Err(Problem::new(&NOT_FOUND, detail));
        };
        let (_, path) = request.path().split_once(METADATA).unwrap_or_default();
        let Some(document) = self.document(table, &api, path) else {
            let detail = "No route that asks for a credential has this path.";
            return Err(Problem::new(&NOT_FOUND, detail));
        };
        let mut response = proxy::json(200, &document)?;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, CACHE_FOR);
        // A client in a browser reads it before its origin is anybody's here, and it is public.
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        Ok(response)
    }

    fn document<'a>(
        &'a self,
        table: &'a RouteTable,
        api: &str,
        path: &str,
    ) -> Option<Document<'a>> {
        let is_api = |path: &str| path.is_empty() || path == "/";
        // A custom domain may lead here from the place that RFC 9728 means, where the path of the
        // whole address follows.
        let below = path
            .strip_prefix(base_path(api))
            .filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let (resource, scopes) = if is_api(path) || below.is_some_and(is_api) {
            let scopes = match &self.advertised {
                Some(advertised) => advertised.iter().collect(),
                None => table.scopes(),
            };
            (api.to_owned(), scopes)
        } else {
            let mut candidates = [Some(path), below].into_iter().flatten();
            candidates.find_map(|path| Some((format!("{api}{path}"), scopes_of(table, path)?)))?
        };
        Some(Document {
            resource,
            authorization_servers: &self.issuers,
            scopes_supported: scopes.into_iter().map(Scope::as_str).collect(),
            bearer_methods_supported: ["header"],
        })
    }
}

/// Where clients reach the API: as configured, or else as API Gateway says that they do.
fn address(request: &ProxyRequest) -> Option<String> {
    if let Some(url) = request.configured_url() {
        return Some(url.to_owned());
    }
    let (domain, path) = request.came_to()?;
    let (base, _) = path.split_once(METADATA)?;
    Some(format!("https://{domain}{base}"))
}

/// The path of an address without a slash at its end, which is empty where there is none.
fn base_path(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let slash = authority.find('/').unwrap_or(authority.len());
    &authority[slash..]
}

/// The scopes that open a path, by whatever method; `None` for a path that no route has, or that asks
/// for no credential.
fn scopes_of<'t>(table: &'t RouteTable, path: &str) -> Option<BTreeSet<&'t Scope>> {
    // The path comes back as a part of an address, and so must be one.
    let is_of_address =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte);
    if !path.bytes().all(is_of_address) {
        return None;
    }
    // API Gateway ignores a slash at the end.
    let path = path.strip_suffix('/').unwrap_or(path);
    let methods = table.methods_of(path);
    let routes = methods
        .iter()
        .filter_map(|method| table.resolve(method, path));
    let mut closed = routes
        .filter(|route| route.access != Access::Public)
        .peekable();
    closed.peek()?;
    Some(closed.flat_map(|route| route.access.scopes()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "GET /books books:read\nPOST /books books:write\nGET /books/{id} books:read\n\
                         GET /me *\nGET /help -\nGET /keys keys:admin\nANY / -\nANY /{proxy+} -";

    fn metadata(settings: &[(&str, &str)]) -> Result<Metadata, SettingError> {
        Metadata::read(&settings.iter().copied().collect())
    }

    fn document(settings: &[(&str, &str)], api: &str, path: &str) -> Option<serde_json::Value> {
        let table = TABLE.parse().unwrap();
        let metadata = metadata(settings).unwrap();
        let document = metadata.document(&table, api, path)?;
        Some(serde_json::to_value(document).unwrap())
    }

    const ISSUER: &[(&str, &str)] = &[("OAUTH_ISSUER", "https://login.example.com/")];
    const API: &str = "https://api.example.com/v1";

    #[test]
    fn the_document_of_the_api_names_its_issuer_and_every_scope() {
        for path in ["", "/", "/v1", "/v1/"] {
            let document = document(ISSUER, API, path).unwrap();
            let expected = serde_json::json!({
                "resource": API,
                "authorization_servers": ["https://login.example.com/"],
                "scopes_supported": ["books:read", "books:write", "keys:admin"],
                "bearer_methods_supported": ["header"],
            });
            assert_eq!(document, expected, "{path}");
        }
    }

    #[test]
    fn several_issuers_stand_in_for_the_one() {
        let issuers = r#"[{"issuer":"https://a.example","audience":["x"],"rule":"true"},
                          {"issuer":"https://b.example/","audience":["x"]}]"#;
        let settings = [ISSUER[0], ("OAUTH_ISSUERS", issuers)];
        let document = document(&settings, API, "").unwrap();
        let named = ["https://a.example", "https://b.example/"];
        assert_eq!(document["authorization_servers"], serde_json::json!(named));
    }

    #[test]
    fn a_path_has_a_document_with_what_opens_it() {
        for (path, resource, scopes) in [
            ("/books", "/books", &["books:read", "books:write"][..]),
            ("/books/7", "/books/7", &["books:read"]),
            ("/v1/books/7", "/books/7", &["books:read"]),
            ("/books/", "/books/", &["books:read", "books:write"]),
        ] {
            let document = document(ISSUER, API, path).unwrap();
            assert_eq!(document["resource"], format!("{API}{resource}"), "{path}");
            assert_eq!(document["scopes_supported"], serde_json::json!(scopes));
        }
        // Any credential opens it.
        let of_me = document(ISSUER, API, "/me").unwrap();
        assert_eq!(of_me.get("scopes_supported"), None);
    }

    #[test]
    fn a_path_that_asks_for_no_credential_has_none() {
        for path in [
            "/help",
            "/nothing",
            "/v10/books",
            "/books/7/parts",
            "/books/\u{202e}",
            "/books/\"",
            "//",
        ] {
            assert_eq!(document(ISSUER, API, path), None, "{path}");
        }
    }

    #[test]
    fn what_is_advertised_stands_in_for_the_scopes_of_the_table_in_the_api_s_document_alone() {
        let settings = [
            ISSUER[0],
            ("ADVERTISED_SCOPES", "api://x/books:read  openid"),
        ];
        let of_api = document(&settings, API, "").unwrap();
        let advertised = ["api://x/books:read", "openid"];
        assert_eq!(of_api["scopes_supported"], serde_json::json!(advertised));
        let of_keys = document(&settings, API, "/keys").unwrap();
        assert_eq!(
            of_keys["scopes_supported"],
            serde_json::json!(["keys:admin"])
        );
    }

    #[test]
    fn without_an_issuer_none_is_named() {
        let document = document(&[], "https://api.example.com", "").unwrap();
        assert_eq!(document.get("authorization_servers"), None);
        assert_eq!(document["resource"], "https://api.example.com");
    }

    #[test]
    fn a_malformed_setting_is_named() {
        for (name, value) in [
            ("OAUTH_ISSUERS", "https://a.example"),
            ("OAUTH_ISSUERS", r#"[{"audience":["x"]}]"#),
            ("ADVERTISED_SCOPES", "a \"b\""),
        ] {
            let error = metadata(&[(name, value)]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{name} is malformed")),
                "{error}"
            );
        }
    }
}
