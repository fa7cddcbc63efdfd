//! Who may see the page. Pages of other sites reach a port of loopback, as do other users of the machine:
//! so a request must name this machine and port as its host, must not come from another origin, and must
//! know the path that was printed.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::{DOCTYPE, html};

/// The names of this machine by which a browser reaches loopback without asking anybody.
const NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];
/// What a program reads that has not been told the link.
pub(super) const METRICS: &str = "/metrics";
/// Everything is this page's own, and nothing runs or looks as the text of a request says.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const SAFE_HEADERS: [(header::HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // The address is a secret, and a form needs its `Origin`.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (
        header::HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        header::HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Where the page is, which only who was told knows.
#[derive(Debug)]
pub struct Link {
    secret: String,
    port: u16,
}

/// The system has no random numbers, so no link can be made that nobody guesses.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the page has no link: the system gives no random numbers; --no-page does without it")]
pub struct NoLink;

/// Why somebody does not see the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// The host is another, as where a name of somebody's was made to stand for loopback (DNS rebinding).
    Host,
    /// Another site's page asks, or nobody says which page sends a form.
    Origin,
    /// The path is not the one that was printed.
    Secret,
}

impl Link {
    /// A new one, on this port.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new(port: u16) -> Result<Self, NoLink> {
        let mut secret = [0; 16];
        SystemRandom::new().fill(&mut secret).map_err(|_| NoLink)?;
        Ok(Self {
            secret: URL_SAFE_NO_PAD.encode(secret),
            port,
        })
    }

    /// What is printed.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.secret)
    }

    fn check(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Refused> {
        let host = text(headers, &header::HOST).and_then(|host| self.own(host));
        let host = host.ok_or(Refused::Host)?;
        let origin = text(headers, &header::ORIGIN);
        let is_own = origin.map(|origin| origin.strip_prefix("http://") == Some(host));
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        let site = text(headers, &FETCH_SITE);
        let is_opened = text(headers, &FETCH_MODE) == Some("navigate");
        // A link may be opened from anywhere, as from a terminal in a browser: who has it may see it.
        let is_from_here = match site {
            None | Some("same-origin" | "none") => true,
            Some(_) => is_read && is_opened,
        };
        // Browsers say where a form comes from, so that of who says nothing is none.
        if !is_from_here || !is_own.unwrap_or(is_read) {
            return Err(Refused::Origin);
        }
        let first = path.split('/').nth(1).unwrap_or_default();
        let secret = self.secret.as_bytes();
        if path == METRICS || verify_slices_are_equal(first.as_bytes(), secret).is_ok() {
            return Ok(());
        }
        Err(Refused::Secret)
    }

    /// A host and port, if they are this machine's and this page's.
    fn own<'h>(&self, host: &'h str) -> Option<&'h str> {
        let (name, port) = host.rsplit_once(':')?;
        let is_own = NAMES.contains(&name) && port == self.port.to_string();
        is_own.then_some(host)
    }
}

const FETCH_SITE: header::HeaderName = header::HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: header::HeaderName = header::HeaderName::from_static("sec-fetch-mode");

fn text<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.to_str().unwrap_or("unreadable")),
        (None, _) => None,
        (Some(_), Some(_)) => Some("several"),
    }
}

/// Lets those through who may see the page, and gives every answer its safe headers.
pub(super) async fn guard(
    State(link): State<std::sync::Arc<Link>>,
    request: Request,
    next: Next,
) -> Response {
    let checked = link.check(request.method(), request.uri().path(), request.headers());
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.answer(),
    };
    for (name, value) in SAFE_HEADERS {
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Refused {
    fn answer(self) -> Response {
        let (status, words) = match self {
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "This page is only there as 127.0.0.1 or localhost, on its own port.",
            ),
            Self::Origin => (
                StatusCode::FORBIDDEN,
                "This page answers no other page, and takes forms from itself alone.",
            ),
            Self::Secret => (
                StatusCode::FORBIDDEN,
                "Open the link that keygate printed when it started: it changes with each start.",
            ),
        };
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head { meta charset="utf-8"; title { "Keygate" } }
                body { main { h1 { "Keygate" } p { (words) } } }
            }
        };
        (status, Html(page.into_string())).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link {
            secret: "secret".to_owned(),
            port: 3005,
        }
    }

    fn check(method: &Method, path: &str, headers: &[(&'static str, &str)]) -> Result<(), Refused> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        link().check(method, path, &map)
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:3005");

    #[test]
    fn only_a_name_of_this_machine_with_the_pages_own_port_is_its_host() {
        for host in ["127.0.0.1:3005", "localhost:3005", "[::1]:3005"] {
            assert_eq!(check(&Method::GET, "/secret/", &[("host", host)]), Ok(()));
        }
        for host in [
            "127.0.0.1",
            "127.0.0.1:3000",
            "evil.example:3005",
            "127.0.0.1.evil.example:3005",
            "localhost.:3005",
            "localhost:03005",
            "me@localhost:3005",
            "",
        ] {
            let refused = check(&Method::GET, "/secret/", &[("host", host)]);
            assert_eq!(refused, Err(Refused::Host), "{host}");
        }
        assert_eq!(check(&Method::GET, "/secret/", &[]), Err(Refused::Host));
        let twice = check(&Method::GET, "/secret/", &[HOST, HOST]);
        assert_eq!(twice, Err(Refused::Host));
    }

    #[test]
    fn a_page_of_another_origin_reads_nothing_and_sends_no_form() {
        let own = ("origin", "http://127.0.0.1:3005");
        for method in [Method::GET, Method::POST] {
            for origin in [
                "http://evil.example",
                "http://127.0.0.1:3000",
                "https://127.0.0.1:3005",
                "http://localhost:3005",
                "null",
                "",
            ] {
                let refused = check(&method, "/secret/send", &[HOST, ("origin", origin)]);
                assert_eq!(refused, Err(Refused::Origin), "{method} {origin}");
            }
            for site in ["cross-site", "same-site", "odd"] {
                let refused = check(&method, "/secret/", &[HOST, own, ("sec-fetch-site", site)]);
                assert_eq!(refused, Err(Refused::Origin), "{method} {site}");
            }
            assert_eq!(check(&method, "/secret/send", &[HOST, own]), Ok(()));
        }
        let unsaid = check(&Method::POST, "/secret/send", &[HOST]);
        assert_eq!(unsaid, Err(Refused::Origin));
    }

    #[test]
    fn the_link_itself_may_be_opened_from_anywhere_but_no_form_sent() {
        let elsewhere = [
            HOST,
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
        ];
        assert_eq!(check(&Method::GET, "/secret/", &elsewhere), Ok(()));
        let form = check(&Method::POST, "/secret/send", &elsewhere);
        assert_eq!(form, Err(Refused::Origin));
    }

    #[test]
    fn who_was_not_told_the_path_sees_nothing_but_metrics() {
        for path in [
            "/",
            "/secre/",
            "/secrets/",
            "//secret/",
            "/metrics/",
            "/SECRET/",
        ] {
            assert_eq!(
                check(&Method::GET, path, &[HOST]),
                Err(Refused::Secret),
                "{path}"
            );
        }
        assert_eq!(check(&Method::GET, METRICS, &[HOST]), Ok(()));
    }

    #[test]
    fn no_two_links_are_the_same() {
        let links = [Link::new(1).unwrap(), Link::new(1).unwrap()];
        assert_ne!(links[0].secret, links[1].secret);
        assert_eq!(links[0].secret.len(), 22);
    }
}
