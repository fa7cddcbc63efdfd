//! `MethodSettings`, and what else an API says of its methods' usage.

use keygate_model::KeySource;

use super::{changed, load, problem};

fn with_settings(settings: &str) -> String {
    let settings = format!("      MethodSettings: [{settings}]\n      StageName:");
    changed("      StageName:", &settings)
}

#[test]
fn a_method_has_the_throttle_of_its_own_or_of_all() {
    let all =
        "{ResourcePath: '/*', HttpMethod: '*', ThrottlingRateLimit: 5, ThrottlingBurstLimit: 7}";
    let own = "{ResourcePath: '/~1things~1{id}', HttpMethod: GET, ThrottlingBurstLimit: 2}";
    let metrics = "{ResourcePath: '/*', HttpMethod: '*', MetricsEnabled: true}";
    for (settings, expected) in [
        (metrics.to_owned(), None),
        (all.to_owned(), Some((5.0, 7))),
        // The other of the two is the account's.
        (format!("{all}, {own}"), Some((10_000.0, 2))),
        (own.replace("/~1things~1", "/things/"), Some((10_000.0, 2))),
    ] {
        let application = load(&with_settings(&settings), &[]).unwrap();
        let throttle = application.api.routes[0].throttle;
        let throttle = throttle.map(|throttle| (throttle.rate, throttle.burst));
        assert_eq!(throttle, expected, "{settings}");
    }
}

#[test]
fn a_setting_of_a_method_that_any_stands_for_is_that_methods_alone() {
    let own = "{ResourcePath: '/~1things~1{id}', HttpMethod: PUT, ThrottlingBurstLimit: 2}";
    let with_any = with_settings(own).replacen("Method: GET", "Method: ANY", 1);
    let route = load(&with_any, &[]).unwrap().api.routes.remove(0);
    assert_eq!(route.throttle, None);
    let throttles = route.throttles.iter();
    let throttles: Vec<_> = throttles.map(|(name, one)| (&**name, one.burst)).collect();
    assert_eq!(throttles, [("PUT", 2)]);
}

#[test]
fn a_throttle_of_what_is_not_there_or_nothing_one_method_is_a_problem() {
    for (settings, expected) in [
        (
            "{ResourcePath: /other, HttpMethod: GET, ThrottlingBurstLimit: 1}",
            "line 11: Api.MethodSettings[0]: the API has no method /other/GET",
        ),
        (
            "{ResourcePath: '/*', HttpMethod: GET, ThrottlingBurstLimit: 1}",
            "a throttle is of one method",
        ),
        ("{ThrottlingBurstLimit: 1}", "a throttle is of one method"),
        (
            "{ResourcePath: '/*', HttpMethod: '*', CachingEnabled: true}",
            "Api.MethodSettings[0].CachingEnabled",
        ),
    ] {
        let problem = problem(&with_settings(settings));
        assert!(problem.contains(expected), "{settings}: {problem}");
    }
}

#[test]
fn a_usage_key_comes_from_the_header_unless_the_template_names_the_authorizer() {
    let source = |text: &str| load(text, &[]).unwrap().api.key_source;
    assert_eq!(source(super::SMALL), KeySource::Authorizer);
    assert_eq!(source(&changed("AUTHORIZER", "HEADER")), KeySource::Header);
    let unsaid = changed("      ApiKeySourceType: AUTHORIZER\n", "");
    assert_eq!(source(&unsaid), KeySource::Header);
}

#[test]
fn binary_media_types_are_read_in_both_spellings() {
    let types = "BinaryMediaTypes: [image~1png, application/pdf]";
    let text = changed(
        "      StageName:",
        &format!("      {types}\n      StageName:"),
    );
    let application = load(&text, &[]).unwrap();
    assert_eq!(
        application.api.binary_media_types,
        ["image/png", "application/pdf"]
    );
}
