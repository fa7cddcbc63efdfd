//! `Cors` of an API.

use keygate_model::{Integration, Route};

use super::{changed, load, problem};

fn with_cors(cors: &str) -> String {
    changed(
        "      StageName:",
        &format!("      Cors: {cors}\n      StageName:"),
    )
}

/// The answer of the one preflight, as `name: value` lines.
fn answer(text: &str) -> (Route, Vec<String>) {
    let routes = load(text, &[]).unwrap().api.routes;
    let mut preflights = routes.into_iter().filter_map(|route| {
        let Integration::Mock(mock) = &route.integration else {
            return None;
        };
        assert_eq!((mock.status, mock.body.as_str()), (200, "{}\n"));
        let headers = mock.headers.iter();
        let lines = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let lines = lines.collect();
        Some((route, lines))
    });
    let first = preflights.next().unwrap();
    assert!(preflights.next().is_none());
    first
}

#[test]
fn an_origin_alone_is_answered_with_the_methods_of_the_path() {
    let (route, headers) = answer(&with_cors("\"'https://app.example.com'\""));
    assert_eq!(route.key(), "/things/{id}/OPTIONS");
    assert_eq!((route.authorizer, route.api_key_required), (None, false));
    assert_eq!(
        headers,
        [
            "access-control-allow-origin: https://app.example.com",
            "access-control-allow-methods: GET,OPTIONS",
        ]
    );
    let any = with_cors("\"'*'\"").replace("Method: GET", "Method: any");
    let (_, headers) = answer(&any);
    assert_eq!(
        headers[1],
        "access-control-allow-methods: DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"
    );
}

#[test]
fn a_mapping_says_every_header() {
    let (_, headers) = answer(&with_cors(
        "{AllowHeaders: \"'authorization'\", AllowMethods: \"'GET'\", MaxAge: \"'600'\", \
         AllowOrigin: \"'https://a.example'\", AllowCredentials: true}",
    ));
    assert_eq!(
        headers,
        [
            "access-control-allow-origin: https://a.example",
            "access-control-allow-headers: authorization",
            "access-control-max-age: 600",
            "access-control-allow-credentials: true",
            "access-control-allow-methods: GET",
        ]
    );
    let (_, headers) = answer(&with_cors("{MaxAge: \"'1'\"}"));
    assert_eq!(headers[0], "access-control-allow-origin: *");
}

#[test]
fn a_path_with_a_method_options_keeps_it() {
    let own = with_cors("\"'*'\"").replace("Method: GET", "Method: OPTIONS");
    let routes = load(&own, &[]).unwrap().api.routes;
    assert_eq!(routes.len(), 1);
    assert_eq!(routes[0].function(), Some("Fn"));
}

#[test]
fn the_apis_defaults_hold_for_preflights_unless_they_are_taken_from_them() {
    let text = with_cors("\"'*'\"").replace(
        "      Auth:\n        Authorizers",
        "      Auth:\n        DefaultAuthorizer: Credential\n        ApiKeyRequired: true\n        \
         Authorizers",
    );
    let (route, _) = answer(&text);
    assert_eq!(route.authorizer.as_deref(), Some("Credential"));
    assert!(route.api_key_required);
    let text = text.replace(
        "DefaultAuthorizer: Credential\n",
        "DefaultAuthorizer: Credential\n        AddDefaultAuthorizerToCorsPreflight: false\n        \
         AddApiKeyRequiredToCorsPreflight: false\n",
    );
    let (route, _) = answer(&text);
    assert_eq!((route.authorizer, route.api_key_required), (None, false));
}

#[test]
fn what_sam_or_api_gateway_would_refuse_is_a_problem() {
    for (cors, expected) in [
        (
            "'*'",
            "line 11: Api.Cors.AllowOrigin: `*` must be a text in single quotes",
        ),
        ("{MaxAge: 600}", "line 11: Api.Cors.MaxAge: `600` must be"),
        ("{AllowCredentials: true}", "SAM refuses it"),
        ("{AllowOrigins: \"'*'\"}", "line 11: Api.Cors.AllowOrigins"),
        ("[a]", "Api.Cors: must be a mapping"),
    ] {
        let problem = problem(&with_cors(cors));
        assert!(problem.contains(expected), "{cors}: {problem}");
    }
}
