//! The repository's own `template.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use keygate_issuing::UsagePlans;

use crate::model::{Application, Route, UsagePlan};
use crate::template::load;

fn repository_template(extra: &[(&str, &str)]) -> Application {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let parameters: BTreeMap<String, String> = [
        ("OAuthIssuer", "http://127.0.0.1:3001"),
        ("OAuthAudience", "keygate-local"),
    ]
    .iter()
    .chain(extra)
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect();
    match load(&path, &parameters) {
        Ok(application) => application,
        Err(error) => panic!("{error}"),
    }
}

/// The routes that nobody needs to know: what answers for every path that no other route serves.
fn is_catch_all(route: &Route) -> bool {
    let answers_any = route
        .method
        .as_ref()
        .is_none_or(|method| method == http::Method::OPTIONS);
    answers_any && ["/", "/{proxy+}"].contains(&route.path.as_str())
}

#[test]
fn the_template_has_the_routes_of_the_route_table_and_no_others() {
    let application = repository_template(&[]);
    let in_template: BTreeSet<(String, String)> = application
        .api
        .routes
        .iter()
        .filter(|route| !is_catch_all(route))
        .map(|route| {
            let method = route.method.as_ref().map_or("ANY", http::Method::as_str);
            (method.to_owned(), route.path.clone())
        })
        .collect();
    let in_table: BTreeSet<(String, String)> = keygate_routes::ROUTES
        .iter()
        .map(|route| (route.method.to_string(), route.path.to_owned()))
        .collect();
    assert_eq!(in_template, in_table);
    let catch_alls = application
        .api
        .routes
        .iter()
        .filter(|route| is_catch_all(route));
    assert_eq!(catch_alls.count(), 4);
}

#[test]
fn a_route_asks_for_a_credential_exactly_when_it_has_a_scope() {
    for route in &repository_template(&[]).api.routes {
        let scope = route
            .method
            .as_ref()
            .and_then(|method| keygate_routes::of_resource(method, &route.path))
            .and_then(|route| route.scope);
        assert_eq!(route.authorizer.is_some(), scope.is_some(), "{route:?}");
        assert_eq!(route.api_key_required, scope.is_some(), "{route:?}");
    }
}

#[test]
fn what_the_template_says_reaches_the_model() {
    let application = repository_template(&[("StageName", "v1"), ("PublicUrl", "http://x/v1")]);
    assert_eq!(application.api.stage, "v1");
    assert_eq!(application.functions.len(), 5);
    let keys = &application.functions["KeysFunction"];
    assert_eq!(keys.binary, "keys");
    assert_eq!(keys.environment["PUBLIC_URL"], "http://x/v1");
    assert_eq!(keys.environment["LOG_LEVEL"], "INFO");
    let table_names: Vec<_> = application
        .tables
        .iter()
        .map(|table| table.name.as_str())
        .collect();
    assert!(table_names.contains(&keys.environment["KEY_TABLE"].as_str()));

    let authorizer = &application.functions["AuthorizerFunction"];
    let plans = &application.api.usage_plans;
    let standard = plans.iter().find(|plan| plan.name.ends_with("-standard"));
    let [key] = standard.unwrap().keys.as_slice() else {
        panic!("one key")
    };
    assert_eq!(key.value, authorizer.environment["DEFAULT_USAGE_KEY"]);
    assert!(key.enabled);

    let unauthorized = &application.api.gateway_responses["UNAUTHORIZED"];
    let template = &unauthorized.templates["application/json"];
    assert!(
        template.contains(r#""type":"http://x/v1/problems/unauthorized""#),
        "{template}"
    );
    assert!(application.api.access_log_format.is_some());
}

#[test]
fn the_plans_that_keys_are_issued_on_are_those_of_the_template_and_partner_is_the_larger() {
    let application = repository_template(&[]);
    let setting = &application.functions["KeysFunction"].environment["USAGE_PLANS"];
    let offered: UsagePlans = setting.parse().unwrap();
    assert_eq!(offered.names(), "standard, partner");
    let plans = &application.api.usage_plans;
    assert_eq!(plans.len(), 2);
    let [standard, partner] = ["standard", "partner"].map(|name| {
        let target = &offered.find(Some(name)).unwrap().target;
        plans.iter().find(|plan| plan.name == *target).unwrap()
    });
    let limits = |plan: &UsagePlan| {
        let (throttle, quota) = (plan.throttle.unwrap(), plan.quota.unwrap());
        (throttle.rate, throttle.burst, quota.limit)
    };
    assert_eq!(limits(standard), (50.0, 100, 100_000));
    assert_eq!(limits(partner), (500.0, 1_000, 1_000_000));
}

#[test]
fn one_allowed_origin_is_named_and_of_several_the_callers_is_echoed() {
    let header = |origins: &str| {
        let application = repository_template(&[("CorsAllowedOrigins", origins)]);
        application.api.gateway_responses["DEFAULT_4XX"].headers["Access-Control-Allow-Origin"]
            .clone()
    };
    assert_eq!(header("https://a.example"), "'https://a.example'");
    assert_eq!(
        header("https://a.example,https://b.example"),
        "method.request.header.Origin"
    );
}

/// RFC 9457 section 3.1.3: a title changes with its type only, whoever answers.
#[test]
fn gateway_responses_use_the_titles_and_statuses_of_the_problem_catalogue() {
    let application = repository_template(&[]);
    for (kind, response) in &application.api.gateway_responses {
        let body = &response.templates["application/json"];
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let (_, slug) = body["type"].as_str().unwrap().rsplit_once('/').unwrap();
        let problem = keygate_problem::find(slug).unwrap_or_else(|| panic!("{kind}: {slug}"));
        assert_eq!(body["title"], problem.title, "{kind}");
        assert_eq!(body["status"], problem.status, "{kind}");
        assert_eq!(response.status, Some(problem.status), "{kind}");
    }
}
