//! Addresses that a trust decision may rest on.

use reqwest::Url;

/// An address that a trust decision may rest on: `https`, or `http` on a loopback address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustedUrl(Url);

/// Why an address is not to be trusted. The address is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UntrustedUrl {
    #[error("it is not a URL such as https://login.example.com/")]
    NotUrl,
    #[error("use https, or http on a loopback address")]
    Scheme,
    #[error("a user name, password or fragment has no place in it")]
    Extras,
}

impl TrustedUrl {
    /// Reads an address.
    pub(crate) fn parse(text: &str) -> Result<Self, UntrustedUrl> {
        // The parser of browsers repairs these, and an `iss` is compared as it was written.
        if text.contains(|one: char| one.is_whitespace() || one.is_control())
            || !text.contains("://")
        {
            return Err(UntrustedUrl::NotUrl);
        }
        let url = Url::parse(text).map_err(|_| UntrustedUrl::NotUrl)?;
        if url.cannot_be_a_base() || url.host().is_none() {
            return Err(UntrustedUrl::NotUrl);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            _ => return Err(UntrustedUrl::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(UntrustedUrl::Extras);
        }
        Ok(Self(url))
    }

    /// Reads an address that this one names: no less protected than this one, so that a discovery
    /// document cannot lead from `https` to plain `http`.
    pub(crate) fn parse_linked(&self, text: &str) -> Result<Self, UntrustedUrl> {
        let linked = Self::parse(text)?;
        if self.0.scheme() == "https" && linked.0.scheme() != "https" {
            return Err(UntrustedUrl::Scheme);
        }
        Ok(linked)
    }

    pub(crate) fn as_url(&self) -> &Url {
        &self.0
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_on_loopback() {
        for text in [
            "https://login.example.com/",
            "https://login.example.com/tenant?x=1",
            "http://127.0.0.1:3001",
            "http://127.9.9.9/",
            "http://[::1]:80/a",
            "http://localhost:3001",
        ] {
            assert!(TrustedUrl::parse(text).is_ok(), "{text}");
        }
        for (text, error) in [
            ("", UntrustedUrl::NotUrl),
            ("login.example.com", UntrustedUrl::NotUrl),
            ("mailto:me@example.com", UntrustedUrl::NotUrl),
            ("http://login.example.com", UntrustedUrl::Scheme),
            ("http://127.0.0.1.example.com", UntrustedUrl::Scheme),
            ("http://localhost.example.com", UntrustedUrl::Scheme),
            ("http://0.0.0.0", UntrustedUrl::Scheme),
            ("ftp://127.0.0.1", UntrustedUrl::Scheme),
            ("https://me@example.com", UntrustedUrl::Extras),
            ("https://:word@example.com", UntrustedUrl::Extras),
            ("https://example.com/#a", UntrustedUrl::Extras),
        ] {
            assert_eq!(TrustedUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn https_does_not_lead_to_http() {
        let issuer = TrustedUrl::parse("https://login.example.com").unwrap();
        assert!(issuer.parse_linked("https://keys.example.com/jwks").is_ok());
        assert!(issuer.parse_linked("http://127.0.0.1/jwks").is_err());
    }
}
