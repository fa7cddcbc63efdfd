//! The repository's own `template.yaml`.

use std::path::Path;

use keygate_issuing::UsagePlans;
use keygate_model::{Application, AuthorizerEvents, Build, IdentitySource, UsagePlan};

use crate::load;
use crate::offered;

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

fn repository_template(extra: &[(&str, &str)]) -> Application {
    let given: Vec<(String, String)> = extra
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let parameters = offered::parameters(&given, None, "http://127.0.0.1:3001");
    match load(Path::new(TEMPLATE), &parameters) {
        Ok(application) => application,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn one_parameter_says_what_the_authorizer_gets_and_what_the_issuer_of_keys_is_told() {
    for kind in ["TOKEN", "REQUEST"] {
        let application = repository_template(&[("AuthorizerEvents", kind)]);
        let keys = &application.functions["KeysFunction"];
        assert_eq!(keys.environment["AUTHORIZER_EVENTS"], kind);
        match &application.api.authorizers["Credential"].events {
            AuthorizerEvents::Token { header, expression } => {
                assert_eq!((kind, header.as_str()), ("TOKEN", "Authorization"));
                assert!(expression.is_some());
            }
            AuthorizerEvents::Request { sources } => {
                assert_eq!(kind, "REQUEST");
                let sources: Vec<String> = sources.iter().map(IdentitySource::to_string).collect();
                let header = "method.request.header.Authorization";
                assert_eq!(sources, [header, "context.identity.sourceIp"]);
            }
        }
    }
}

#[test]
fn what_the_template_says_reaches_the_model() {
    let application = repository_template(&[("StageName", "v1"), ("PublicUrl", "http://x/v1")]);
    assert_eq!(application.api.stage, "v1");
    let keys = &application.functions["KeysFunction"];
    assert_eq!(keys.build, Build::Cargo("keys".to_owned()));
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
    let shared = plans
        .iter()
        .find(|plan| plan.name.ends_with("-unregistered"));
    let shared = shared.unwrap();
    let [key] = shared.keys.as_slice() else {
        panic!("one key")
    };
    // A quota would be one for all.
    assert_eq!(shared.quota, None);
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
    let plans = &application.api.usage_plans;
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
fn one_allowed_origin_is_named_and_where_there_are_several_all_may_read_an_error() {
    let header = |origins: &str| {
        let application = repository_template(&[("CorsAllowedOrigins", origins)]);
        application.api.gateway_responses["DEFAULT_4XX"].headers["Access-Control-Allow-Origin"]
            .clone()
    };
    assert_eq!(header("https://a.example"), "'https://a.example'");
    // Never a header of the request: API Gateway finds it in one spelling alone, and browsers that speak
    // HTTP/2 have another.
    assert_eq!(header("https://a.example,https://b.example"), "'*'");
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
        if kind == "DEFAULT_4XX" {
            // It stands for any status, and keeps it.
            assert_eq!((response.status, body.get("status")), (None, None));
            continue;
        }
        assert_eq!(body["status"], problem.status, "{kind}");
        assert_eq!(response.status, Some(problem.status), "{kind}");
    }
}
