//! What the parameters of the repository's own template change at its edges: limits, tables, addresses.

use std::path::Path;

use keygate_model::{Application, Route, Throttle};

use crate::{load, offered};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
const TEMPLATE: &str = include_str!("../../../../template.yaml");

fn loaded(given: &[(&str, &str)]) -> Result<Application, String> {
    let given: Vec<(String, String)> = given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let parameters = offered::parameters(&given, None, "http://127.0.0.1:3001");
    load(Path::new(FILE), &parameters).map_err(|error| error.to_string())
}

const DOMAIN: [(&str, &str); 3] = [
    ("DomainName", "api.example.com"),
    (
        "CertificateArn",
        "arn:aws:acm:eu-central-1:123456789012:certificate/c",
    ),
    ("PublicUrl", "https://api.example.com/v1"),
];
const TRUSTSTORE: (&str, &str) = ("TruststoreUri", "s3://bucket/ca.pem");

#[test]
fn what_anybody_may_call_has_limits_of_its_own_on_every_method() {
    let limits = [("StageRateLimit", "7"), ("StageBurstLimit", "9")];
    let public = [("PublicRateLimit", "2"), ("PublicBurstLimit", "3")];
    let throttle = |rate, burst| Some(Throttle { rate, burst });
    for (given, every, of_public) in [
        (vec![], None, throttle(500.0, 1000)),
        (limits.to_vec(), throttle(7.0, 9), throttle(500.0, 1000)),
        (
            [limits, public].concat(),
            throttle(7.0, 9),
            throttle(2.0, 3),
        ),
    ] {
        let routes = loaded(&given).unwrap().api.routes;
        for route in &routes {
            let own = |method: &http::Method| {
                let own = route.throttles.get(method.as_str()).copied();
                own.or(route.throttle)
            };
            let is_own = |method: &http::Method| {
                let same = |other: &Route| {
                    other.path == route.path && other.method.as_str() == method.as_str()
                };
                route.method.as_str() == method.as_str()
                    || route.method.as_str() == "ANY" && !routes.iter().any(same)
            };
            let expected = if route.authorizer.is_none() {
                of_public
            } else {
                every
            };
            let methods = keygate_routes::METHODS.iter();
            for method in methods.filter(|method| is_own(method)) {
                assert_eq!(own(method), expected, "{} {method}", route.key());
            }
        }
    }
}

#[test]
fn a_table_that_is_there_is_used_and_none_made() {
    for (parameter, function, variable) in [
        ("ExistingKeyTable", "AuthorizerFunction", "KEY_TABLE"),
        ("ExistingKeyTable", "KeysFunction", "KEY_TABLE"),
        ("ExistingItemsTable", "ItemsFunction", "ITEMS_TABLE"),
    ] {
        let Some(before) = loaded(&[]).unwrap().functions.remove(function) else {
            // Without the sample.
            continue;
        };
        let made = loaded(&[]).unwrap().tables.len();
        let application = loaded(&[(parameter, "restored")]).unwrap();
        assert_eq!(
            application.functions[function].environment[variable],
            "restored"
        );
        assert_ne!(before.environment[variable], "restored");
        assert_eq!(application.tables.len(), made - 1);
    }
}

#[test]
fn a_table_that_an_environment_of_samconfig_names_is_not_here_and_one_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    std::fs::write(&template, TEMPLATE).unwrap();
    let config = "version = 0.1\n[prod.deploy.parameters]\n\
                  parameter_overrides = [\"ExistingKeyTable=restored\", \"StageName=prod\"]\n";
    std::fs::write(folder.path().join("samconfig.toml"), config).unwrap();
    let key_table = |given: &[(String, String)]| {
        let parameters = offered::parameters(given, Some("prod"), "http://127.0.0.1:3001");
        let mut application = load(&template, &parameters).unwrap();
        assert_eq!(application.api.stage, "prod");
        let mut authorizer = application.functions.remove("AuthorizerFunction").unwrap();
        authorizer.environment.remove("KEY_TABLE").unwrap()
    };
    assert_ne!(key_table(&[]), "restored");
    let given = ("ExistingKeyTable".to_owned(), "mine".to_owned());
    assert_eq!(key_table(&[given]), "mine");
}

#[test]
fn a_custom_domain_is_another_address_and_changes_nothing_here() {
    let plain = loaded(&[DOMAIN[2]]).unwrap();
    let with_domain = loaded(&DOMAIN).unwrap();
    assert_eq!(
        format!("{:?}", plain.api.routes),
        format!("{:?}", with_domain.api.routes)
    );
    assert_eq!(plain.ignored.len(), with_domain.ignored.len());
}

#[test]
fn the_public_address_is_the_domains_unless_another_is_given() {
    let execute_api = "https://a1.execute-api.eu-central-1.amazonaws.com/dev";
    for (public_url, expected) in [
        ("", "https://api.example.com/v1"),
        (execute_api, "https://api.example.com/v1"),
        ("https://www.example.com/v1", "https://www.example.com/v1"),
    ] {
        let base = [("BasePath", "v1"), ("PublicUrl", public_url)];
        let application = loaded(&[&DOMAIN[..2], &base].concat()).unwrap();
        for function in ["KeysFunction", "PreflightFunction", "ErrorMapperFunction"] {
            let said = &application.functions[function].environment["PUBLIC_URL"];
            assert_eq!(said, expected, "{function}, {public_url}");
        }
    }
}

#[test]
fn a_domain_that_is_not_whole_and_mutual_tls_with_a_side_door_are_refused() {
    for (given, expected) in [
        (vec![DOMAIN[0], DOMAIN[2]], "Give CertificateArn"),
        (vec![DOMAIN[1]], "Give both or neither"),
        (vec![("BasePath", "v1")], "BasePath is below DomainName"),
        (
            vec![("TruststoreVersion", "1")],
            "without which there is no mutual TLS",
        ),
        (
            vec![("DisableExecuteApiEndpoint", "true")],
            "clients need another one",
        ),
        (vec![TRUSTSTORE], "Mutual TLS is of a custom domain alone"),
        (
            [&DOMAIN[..], &[TRUSTSTORE]].concat(),
            "Mutual TLS is of a custom domain alone",
        ),
    ] {
        let said = loaded(&given).unwrap_err();
        assert!(said.contains(expected), "{given:?}: {said}");
    }
}

#[test]
fn what_would_ask_for_certificates_or_filter_requests_is_not_served_as_if_it_did() {
    let disabled = ("DisableExecuteApiEndpoint", "true");
    let acl = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/a/b";
    let layer = "arn:aws:lambda:eu-central-1:123456789012:layer:ca:1";
    for (given, expected) in [
        (
            [&DOMAIN[..], &[TRUSTSTORE, disabled]].concat(),
            "MutualTlsAuthentication",
        ),
        (vec![("WebAclArn", acl)], "AWS::WAFv2::WebACLAssociation"),
        (
            vec![("CaBundleLayerArn", layer)],
            "AuthorizerFunction.Layers",
        ),
    ] {
        let said = loaded(&given).unwrap_err();
        assert!(said.contains(expected), "{given:?}: {said}");
    }
}

#[test]
fn nothing_of_a_gateway_response_is_taken_from_a_header_of_the_request() {
    // API Gateway finds a header in one spelling alone, and HTTP/2 and HTTP/1.1 have two.
    for origins in ["https://a.example", "https://a.example,https://b.example"] {
        let application = loaded(&[("CorsAllowedOrigins", origins)]).unwrap();
        for (kind, response) in &application.api.gateway_responses {
            let headers = response.headers.values();
            let mapped = headers.filter(|value| value.contains("method.request.header"));
            assert_eq!(mapped.count(), 0, "{kind}");
        }
    }
}

#[test]
fn the_application_repository_is_told_this_version() {
    let version = concat!("    SemanticVersion: ", env!("CARGO_PKG_VERSION"), "\n");
    // A build without the sample has its own.
    let version = version.replace("-without-the-sample", "");
    assert!(TEMPLATE.contains(&version));
}
