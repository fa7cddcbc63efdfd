//! Problem types as HTML: one file without scripts, which needs nothing else.

use std::fmt::Write as _;

use keygate_problem::{CATALOGUE, ProblemType, type_uri};
use lambda_http::http::header::HeaderValue;
use serde_json::json;

const STYLE: &str = include_str!("page.css");

/// Allows the page's own style sheet, by its SHA-256, and nothing besides (CSP Level 3).
pub(crate) const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'sha256-l+EF0ABrbDmkmbbnI5SLtbOQlv/9MDa0JD5e+U/RRts='; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The page of every type. Its links are relative, so that they hold wherever the stage is mapped.
pub(crate) fn index() -> String {
    let mut rows = String::new();
    for kind in CATALOGUE {
        // Writing to a String cannot fail.
        let _ = write!(
            rows,
            "<li><a href=\"problems/{slug}\"><span class=\"status\">{status}</span> {title}</a>\
             <p>{meaning}</p></li>",
            slug = kind.slug,
            status = kind.status,
            title = escape(kind.title),
            meaning = text(kind.meaning),
        );
    }
    document(
        "Problem types",
        &format!(
            "<h1>Problem types</h1>\
             <p class=\"lead\">Every error of this API is one of these, as \
             <code>application/problem+json</code> (RFC 9457).</p>\
             <ul class=\"index\">{rows}</ul>"
        ),
    )
}

/// The page of one type.
pub(crate) fn page(kind: &ProblemType, public_url: &str) -> String {
    let mut causes = String::new();
    for cause in kind.causes {
        let _ = write!(causes, "<li>{}</li>", text(cause));
    }
    let body = json!({
        "type": type_uri(public_url, kind),
        "title": kind.title,
        "status": kind.status,
        "detail": "what was wrong this time",
        "instance": "the id of the request, for a report to the operator",
        "extended_request_id": "its other id, which no client can choose",
    });
    document(
        kind.title,
        &format!(
            "<nav><a href=\"../problems\">All problem types</a></nav>\
             <p class=\"status\">{status}</p><h1>{title}</h1><p class=\"lead\">{meaning}</p>\
             <h2>What causes it</h2><ul>{causes}</ul>\
             <h2>What to do</h2><p>{remedy}</p>\
             <h2>What it looks like</h2>\
             <pre tabindex=\"0\" aria-label=\"An example body\"><code>{body}</code></pre>",
            status = kind.status,
            title = escape(kind.title),
            meaning = text(kind.meaning),
            remedy = text(kind.remedy),
            body = escape(&format!("{body:#}")),
        ),
    )
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\
         <body><main>{body}</main></body></html>\n",
        title = escape(title)
    )
}

/// Text of the catalogue, in which backticks mark what is typed as it stands.
fn text(text: &str) -> String {
    let escaped = escape(text);
    let mut parts = escaped.split('`');
    let mut html = parts.next().unwrap_or_default().to_owned();
    for (position, part) in parts.enumerate() {
        html.push_str(["<code>", "</code>"][position % 2]);
        html.push_str(part);
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_policy_allows_this_style_sheet() {
        let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
        let source = format!("style-src 'sha256-{hash}';");
        assert!(POLICY.to_str().unwrap().contains(&source), "{source}");
    }

    #[test]
    fn every_page_says_what_it_means_what_causes_it_and_what_to_do() {
        for kind in CATALOGUE {
            let page = page(kind, "https://api.example.com/v1");
            assert!(page.contains(&text(kind.meaning)), "{}", kind.slug);
            assert!(page.contains(&text(kind.causes[0])), "{}", kind.slug);
            assert!(page.contains(&text(kind.remedy)), "{}", kind.slug);
            let opened = page.matches("<code>").count();
            assert_eq!(opened, page.matches("</code>").count(), "{}", kind.slug);
        }
    }

    #[test]
    fn the_index_links_every_page() {
        let index = index();
        for kind in CATALOGUE {
            let link = format!("href=\"problems/{}\"", kind.slug);
            assert!(index.contains(&link), "{}", kind.slug);
        }
    }

    #[test]
    fn text_cannot_become_markup() {
        let markup = "<script>\"&`x`";
        assert_eq!(text(markup), "&lt;script&gt;&quot;&amp;<code>x</code>");
        let page = page(CATALOGUE[0], "https://a.example/\"><script>");
        assert!(!page.contains("<script>"));
    }
}
