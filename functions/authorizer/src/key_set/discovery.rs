//! Where an issuer's keys are: OpenID Connect Discovery 1.0, then RFC 8414.

use reqwest::Url;
use serde_json::Value;

use super::fetch::{FetchError, Fetcher};
use super::published;
use crate::issuer::Issuer;
use crate::trusted_url::TrustedUrl;

/// The address of the issuer's key set: configured, or from the first metadata document there is.
pub(super) async fn key_set_url(
    issuer: &Issuer,
    fetcher: &Fetcher,
) -> Result<TrustedUrl, FetchError> {
    if let Some(url) = &issuer.jwks_uri {
        return Ok(url.clone());
    }
    let [openid, oauth] = metadata_urls(issuer.url.as_url());
    match named_at(&openid, issuer, fetcher).await {
        // The server is there and has no such document, be it that it answers everything with a
        // page: it may speak OAuth only.
        Err(error @ (FetchError::Status(_) | FetchError::Malformed(_))) => {
            match named_at(&oauth, issuer, fetcher).await {
                // There is none of either, so the first one's fault says more.
                Err(FetchError::Status(_)) => Err(error),
                found => found,
            }
        }
        found => found,
    }
}

/// The address that the metadata document at `url` names.
async fn named_at(url: &Url, issuer: &Issuer, fetcher: &Fetcher) -> Result<TrustedUrl, FetchError> {
    jwks_uri(issuer, &fetcher.get(url).await?.body)
}

/// OpenID Connect appends the well-known path to the issuer (Discovery 1.0 section 4), RFC 8414
/// section 3.1 puts it between host and path.
fn metadata_urls(issuer: &Url) -> [Url; 2] {
    let path = issuer.path().trim_end_matches('/');
    let with_path = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url.set_query(None);
        url
    };
    [
        with_path(format!("{path}/.well-known/openid-configuration")),
        with_path(format!("/.well-known/oauth-authorization-server{path}")),
    ]
}

/// The document must be about the issuer that it was asked for (RFC 8414 section 3.3).
fn jwks_uri(issuer: &Issuer, document: &[u8]) -> Result<TrustedUrl, FetchError> {
    let malformed = || FetchError::Malformed("the issuer's metadata names no usable jwks_uri");
    let document = published::json(document).ok_or_else(malformed)?;
    if document.get("issuer").and_then(Value::as_str) != Some(issuer.iss.as_str()) {
        return Err(FetchError::Malformed(
            "the issuer's metadata names another issuer",
        ));
    }
    let uri = document.get("jwks_uri").and_then(Value::as_str);
    let uri = uri.ok_or_else(malformed)?;
    issuer.url.parse_linked(uri).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_where_each_specification_puts_it() {
        for (issuer, openid, oauth) in [
            (
                "https://a.example",
                "https://a.example/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/tenant/1/",
                "https://a.example/tenant/1/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server/tenant/1",
            ),
        ] {
            let urls = metadata_urls(&Url::parse(issuer).unwrap());
            assert_eq!(urls.map(|url| url.to_string()), [openid, oauth]);
        }
    }
}
