//! CORS (Fetch standard): preflight on every path, and the headers on actual responses.

use reqwest::Method;
use serde_json::json;

use keygate_tests::call::Reply;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_preflight_names_the_methods_that_the_path_has;
    a_preflight_grants_the_requested_headers_that_are_allowed_and_no_others;
    a_preflight_from_another_origin_gets_no_cors_headers;
    a_preflight_of_an_unknown_path_lets_the_page_read_its_404;
    an_actual_response_can_be_read_by_the_allowed_origin;
    an_actual_response_says_nothing_to_another_origin;
    an_error_of_a_handler_can_be_read_by_the_allowed_origin;
    an_error_of_the_gateway_can_be_read_by_the_allowed_origin needs "gateway-responses";
    an_error_of_the_mapper_can_be_read_by_the_allowed_origin needs "any-method";
    every_origin_is_allowed_where_the_setting_is_a_star needs "own-gateway";
    each_of_several_allowed_origins_gets_its_own_answer needs "own-gateway";
}

/// The template's default for `CorsAllowedOrigins`.
pub(crate) const ALLOWED: &str = "http://localhost:5173";
const REFUSED: [&str; 4] = [
    "https://evil.example",
    "http://localhost:5173.evil.example",
    "http://localhost:51730",
    "null",
];

#[track_caller]
fn preflight(target: &Target, path: &str, origin: &str, headers: Option<&str>) -> Reply {
    let call = target.call(Method::OPTIONS, path).header("origin", origin);
    let call = call.header("access-control-request-method", "GET");
    match headers {
        Some(headers) => call.header("access-control-request-headers", headers),
        None => call,
    }
    .send()
}

/// The response is for `origin` to read, with the headers that a script needs.
#[track_caller]
pub(crate) fn is_readable_by(reply: &Reply, origin: &str) {
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some(origin),
        "{reply:#?}"
    );
    let values = reply.headers.get_all("access-control-allow-origin");
    assert_eq!(values.iter().count(), 1, "{reply:#?}");
    assert_eq!(reply.header("access-control-allow-credentials"), None);
    let exposed = reply.list("access-control-expose-headers");
    for name in [
        "etag",
        "location",
        "retry-after",
        "www-authenticate",
        "x-amzn-requestid",
    ] {
        assert!(
            exposed.iter().any(|other| other == name),
            "{name}: {reply:#?}"
        );
    }
    if origin != "*" {
        let vary = reply.list("vary");
        assert!(vary.iter().any(|name| name == "origin"), "{reply:#?}");
    }
}

#[track_caller]
fn has_no_cors_headers(reply: &Reply) {
    let cors = reply.headers.keys();
    let cors: Vec<_> = cors
        .filter(|name| name.as_str().starts_with("access-control-"))
        .collect();
    assert!(cors.is_empty(), "{reply:#?}");
    let vary = reply.list("vary");
    assert!(vary.iter().any(|name| name == "origin"), "{reply:#?}");
}

fn a_preflight_names_the_methods_that_the_path_has(target: &Target) {
    for (path, methods) in [
        ("/books", &["get", "options", "post"][..]),
        ("/books/7", &["delete", "get", "options", "put"]),
        ("/keys", &["get", "options", "post"]),
        ("/keys/abc", &["delete", "get", "options"]),
        ("/keys/abc/rotate", &["options", "post"]),
        ("/problems", &["get", "options"]),
        ("/problems/not-found", &["get", "options"]),
    ] {
        let reply = preflight(target, path, ALLOWED, Some("authorization"));
        let reply = reply.expect(204);
        assert_eq!(
            reply.list("access-control-allow-methods"),
            methods,
            "{path}"
        );
        assert_eq!(reply.header("access-control-allow-origin"), Some(ALLOWED));
        assert_eq!(
            reply.list("access-control-allow-headers"),
            ["authorization"]
        );
        let max_age: u32 = reply.must_header("access-control-max-age").parse().unwrap();
        assert!((1..=86_400).contains(&max_age));
        let vary = [
            "access-control-request-headers",
            "access-control-request-method",
            "origin",
        ];
        assert_eq!(reply.list("vary"), vary, "{path}");
        assert_eq!(reply.header("access-control-allow-credentials"), None);
        assert_eq!(reply.body, "");
    }
}

fn a_preflight_grants_the_requested_headers_that_are_allowed_and_no_others(target: &Target) {
    let granted = |requested| {
        let reply = preflight(target, "/books", ALLOWED, requested).expect(204);
        reply.list("access-control-allow-headers")
    };
    let requested = "authorization,content-type,idempotency-key,if-match";
    let expected = [
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
    ];
    assert_eq!(granted(Some(requested)), expected);
    assert_eq!(granted(Some("IF-MATCH, x-made-up")), ["if-match"]);
    assert_eq!(granted(Some("x-made-up")), [""; 0]);
    assert_eq!(granted(None), [""; 0]);
}

fn a_preflight_from_another_origin_gets_no_cors_headers(target: &Target) {
    for origin in REFUSED {
        for path in ["/books", "/keys/abc", "/problems"] {
            let reply = preflight(target, path, origin, Some("authorization"));
            has_no_cors_headers(&reply);
        }
    }
}

fn a_preflight_of_an_unknown_path_lets_the_page_read_its_404(target: &Target) {
    for path in ["/", "/nothing", "/books/7/parts"] {
        let reply = preflight(target, path, ALLOWED, Some("authorization")).expect(204);
        assert_eq!(reply.header("access-control-allow-origin"), Some(ALLOWED));
        assert_eq!(reply.header("access-control-allow-methods"), None);
        assert_eq!(
            reply.list("access-control-allow-headers"),
            ["authorization"]
        );
    }
}

fn an_actual_response_can_be_read_by_the_allowed_origin(target: &Target) {
    let token = target.token();
    for path in ["/keys", "/problems"] {
        let call = target.get(path).bearer(&token).header("origin", ALLOWED);
        is_readable_by(&call.send().expect(200), ALLOWED);
    }
    let call = target.post("/keys").bearer(&token);
    let call = call.header("origin", ALLOWED);
    let body = json!({"name": "first", "scopes": ["books:read"]});
    is_readable_by(&call.json(&body).send().expect(201), ALLOWED);
}

fn an_actual_response_says_nothing_to_another_origin(target: &Target) {
    let token = target.token();
    for origin in REFUSED {
        for path in ["/keys", "/problems", "/keys/7"] {
            let call = target.get(path).bearer(&token).header("origin", origin);
            has_no_cors_headers(&call.send());
        }
    }
}

fn an_error_of_a_handler_can_be_read_by_the_allowed_origin(target: &Target) {
    let token = target.token();
    let call = target.get("/keys/7").bearer(&token);
    let reply = call.header("origin", ALLOWED).send();
    reply.problem(404, "not-found");
    is_readable_by(&reply, ALLOWED);
    let call = target.post("/keys").bearer(&token).json(&json!({}));
    let reply = call.header("origin", ALLOWED).send();
    reply.problem(422, "invalid-body");
    is_readable_by(&reply, ALLOWED);
}

fn an_error_of_the_gateway_can_be_read_by_the_allowed_origin(target: &Target) {
    let reply = target.get("/books").header("origin", ALLOWED).send();
    reply.problem(401, "unauthorized");
    is_readable_by(&reply, ALLOWED);
    let token = target.token_with(&[("scope", "books:read")]);
    let call = target.get("/keys").bearer(&token);
    let reply = call.header("origin", ALLOWED).send();
    reply.problem(403, "insufficient-scope");
    is_readable_by(&reply, ALLOWED);
}

fn an_error_of_the_mapper_can_be_read_by_the_allowed_origin(target: &Target) {
    for (method, path, status, slug) in [
        (Method::GET, "/nothing", 404, "not-found"),
        (Method::PATCH, "/books", 405, "method-not-allowed"),
    ] {
        let reply = target.call(method, path).header("origin", ALLOWED).send();
        reply.problem(status, slug);
        is_readable_by(&reply, ALLOWED);
    }
}

fn every_origin_is_allowed_where_the_setting_is_a_star(target: &Target) {
    let (_gateway, own) = target.own(&["--parameter", "CorsAllowedOrigins=*"]);
    let token = own.token();
    for origin in [ALLOWED, "https://app.example.com"] {
        let reply = preflight(&own, "/books", origin, Some("authorization"));
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        let call = own.get("/keys").bearer(&token).header("origin", origin);
        is_readable_by(&call.send().expect(200), "*");
        let reply = own.get("/books").header("origin", origin).send();
        is_readable_by(&reply.expect(401), "*");
    }
}

fn each_of_several_allowed_origins_gets_its_own_answer(target: &Target) {
    let other = "https://app.example.com";
    let setting = format!("CorsAllowedOrigins={ALLOWED},{other}");
    let (_gateway, own) = target.own(&["--parameter", &setting]);
    let token = own.token();
    for origin in [ALLOWED, other] {
        let reply = preflight(&own, "/books", origin, Some("authorization"));
        assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
        let call = own.get("/keys").bearer(&token).header("origin", origin);
        is_readable_by(&call.send().expect(200), origin);
    }
    // API Gateway's own errors cannot be told from a list whose they are, however the header is spelt.
    for name in ["origin", "Origin"] {
        let reply = own.get("/books").header(name, other).send();
        is_readable_by(&reply.expect(401), "*");
    }
    for origin in REFUSED {
        has_no_cors_headers(&preflight(&own, "/books", origin, None));
        let call = own.get("/keys").bearer(&token).header("origin", origin);
        has_no_cors_headers(&call.send().expect(200));
    }
}
