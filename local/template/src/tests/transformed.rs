//! Our reading of templates held against what SAM itself makes of them (`aws-sam-translator`, by
//! `tests/templates/transformed.py`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use keygate_model::{
    Api, Application, Authorizer, AuthorizerEvents, Integration, KeySource, ParameterPlace, Period,
    Route,
};
use serde_json::{Map, Value, json};

use super::load;

/// Ours, and small ones of others' features, below the repository.
const TEMPLATES: [&str; 10] = [
    "template.yaml",
    "tests/adopt/template.yaml",
    "tests/templates/cors.yaml",
    "tests/templates/gateway_responses.yaml",
    "tests/templates/implicit.yaml",
    "tests/templates/open_api.yaml",
    "tests/templates/request_authorizer.yaml",
    "tests/templates/throttles.yaml",
    "tests/templates/usage_plan.yaml",
    "tests/templates/validation.yaml",
];
/// What the parameters without a default are given.
const GIVEN: [(&str, &str); 2] = [
    ("OAuthIssuer", "https://issuer.example.com/"),
    ("OAuthAudience", "me"),
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The Python that has SAM's translator; `None`, said by name, where none can be had.
fn python() -> Option<PathBuf> {
    let mut python = Command::new("python3");
    python.args(["-c", "import venv, ensurepip"]);
    if !python.output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: template::tests::transformed needs python3 with venv on the path");
        return None;
    }
    let mut bash = Command::new("bash");
    bash.args(["-euc", ". deploy/venv; venv_sam"]);
    let output = bash.current_dir(repository()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "aws-sam-cli is not installed: {said}"
    );
    let folder = String::from_utf8(output.stdout).unwrap();
    Some(Path::new(folder.trim_end()).join("python"))
}

/// What SAM makes of each template.
fn theirs(python: &Path, templates: &[&str]) -> Vec<Value> {
    let asked = templates.iter().map(|template| {
        let given: BTreeMap<_, _> = given(template).iter().copied().collect();
        json!([template, given])
    });
    let output = Command::new(python)
        .arg("tests/templates/transformed.py")
        .arg(asked.collect::<Value>().to_string())
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .current_dir(repository())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What we make of it, in the same words.
fn ours(text: &str, given: &[(&str, &str)]) -> Value {
    let application = load(text, given).unwrap();
    let api = &application.api;
    let routes = api.routes.iter().map(|one| (one.key(), route(one)));
    let authorizers = api.authorizers.iter();
    let authorizers = authorizers.map(|(name, one)| (name.clone(), authorizer(one)));
    let responses = api.gateway_responses.iter().map(|(kind, one)| {
        let said = json!({"status": one.status, "headers": one.headers});
        (kind.clone(), said)
    });
    json!({
        "stage": api.stage,
        "variables": api.stage_variables,
        "binary": api.binary_media_types,
        "key_source": match api.key_source {
            KeySource::Header => "HEADER",
            KeySource::Authorizer => "AUTHORIZER",
        },
        "routes": routes.collect::<Map<_, _>>(),
        "authorizers": authorizers.collect::<Map<_, _>>(),
        "responses": responses.collect::<Map<_, _>>(),
        "plans": plans(api),
        "functions": functions(&application),
    })
}

fn route(route: &Route) -> Value {
    let headers = match &route.integration {
        Integration::Function(_) => Value::Null,
        Integration::Mock(mock) => {
            let headers = mock.headers.iter();
            headers
                .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
                .collect()
        }
    };
    let required = route.validation.parameters.iter().map(|(place, name)| {
        let place = match place {
            ParameterPlace::Header => "header",
            ParameterPlace::Path => "path",
            ParameterPlace::Query => "query",
        };
        format!("{place} {name}")
    });
    json!({
        "function": route.function(),
        "headers": headers,
        "authorizer": route.authorizer,
        "usage_key": route.api_key_required,
        "required": required.collect::<Vec<_>>(),
        "body": !route.validation.bodies.is_empty(),
    })
}

fn authorizer(authorizer: &Authorizer) -> Value {
    let (kind, sources, expression) = match &authorizer.events {
        AuthorizerEvents::Token { header, expression } => {
            let source = format!("method.request.header.{header}");
            ("token", vec![source], expression.as_ref())
        }
        AuthorizerEvents::Request { sources } => {
            let sources = sources.iter().map(ToString::to_string);
            ("request", sources.collect(), None)
        }
    };
    let expression = expression.map(|expression| {
        let inner = expression.as_str().strip_prefix(r"\A(?:");
        inner.and_then(|text| text.strip_suffix(r")\z")).unwrap()
    });
    json!({
        "kind": kind,
        "function": authorizer.function,
        "sources": sources,
        "ttl": authorizer.result_ttl.as_secs(),
        "expression": expression,
    })
}

fn plans(api: &Api) -> Value {
    let plans = api.usage_plans.iter().map(|plan| {
        let period = plan.quota.map(|quota| match quota.period {
            Period::Day => "DAY",
            Period::Week => "WEEK",
            Period::Month => "MONTH",
        });
        json!({
            "rate": plan.throttle.map(|throttle| throttle.rate),
            "burst": plan.throttle.map(|throttle| throttle.burst),
            "limit": plan.quota.map(|quota| quota.limit),
            "period": period,
            "keys": plan.keys.len(),
        })
    });
    plans.collect()
}

/// The functions' variables, but for those by which Lambda tells of the log.
fn functions(application: &Application) -> Value {
    let functions = application.functions.iter().map(|(id, function)| {
        let variables = function.environment.iter();
        let own = variables.filter(|(name, _)| !name.starts_with("AWS_LAMBDA_LOG_"));
        let own = own.map(|(name, value)| (name.clone(), json!(value)));
        (id.clone(), Value::Object(own.collect()))
    });
    Value::Object(functions.collect())
}

/// The places where the two differ; `?` of theirs is a value that only a deployment knows. Plans come in
/// any order.
fn differences(place: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (_, Value::String(unknown)) if unknown == "?" && !ours.is_null() => {}
        (Value::Object(ours), Value::Object(theirs)) => {
            let both = ours.keys().chain(theirs.keys());
            let names: std::collections::BTreeSet<_> = both.collect();
            for name in names {
                let of = |object: &Map<String, Value>| object.get(name).cloned();
                let (ours, theirs) = (of(ours), of(theirs));
                let place = format!("{place} > {name}");
                match (ours, theirs) {
                    (Some(ours), Some(theirs)) => differences(&place, &ours, &theirs, found),
                    (ours, theirs) => found.push(format!("{place}: {ours:?}, SAM: {theirs:?}")),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if place.ends_with("plans") => {
            let sorted = |plans: &[Value]| {
                let mut plans: Vec<String> = plans.iter().map(ToString::to_string).collect();
                plans.sort();
                plans
            };
            if sorted(ours) != sorted(theirs) {
                found.push(format!("{place}: {ours:?}, SAM: {theirs:?}"));
            }
        }
        _ if ours == theirs => {}
        _ => found.push(format!("{place}: {ours}, SAM: {theirs}")),
    }
}

fn given(template: &str) -> &'static [(&'static str, &'static str)] {
    if template == "template.yaml" {
        &GIVEN
    } else {
        &[]
    }
}

#[test]
fn we_read_templates_as_sam_does() {
    let Some(python) = python() else {
        return;
    };
    let mut found = Vec::new();
    for (template, mut theirs) in TEMPLATES.iter().zip(theirs(&python, &TEMPLATES)) {
        let text = std::fs::read_to_string(repository().join(template)).unwrap();
        let routes = theirs["routes"].as_object();
        assert!(
            routes.is_some_and(|routes| !routes.is_empty()),
            "{template}"
        );
        let functions = theirs["functions"].as_object_mut().unwrap();
        for left_out in load(&text, given(template)).unwrap().ignored {
            functions.remove(&left_out.place);
        }
        differences(template, &ours(&text, given(template)), &theirs, &mut found);
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_reading_that_differs_from_sams_is_found() {
    let Some(python) = python() else {
        return;
    };
    let theirs = theirs(&python, &TEMPLATES);
    for (template, from, to, place) in [
        (
            "cors",
            "AllowCredentials: true",
            "AllowCredentials: false",
            "> headers >",
        ),
        (
            "cors",
            "Method: get",
            "Method: put",
            "> routes > /books/GET",
        ),
        ("usage_plan", "Period: MONTH", "Period: DAY", "> plans"),
        (
            "implicit",
            "OWN: fn",
            "OWN: other",
            "> functions > Fn > OWN",
        ),
        (
            "request_authorizer",
            "QueryStrings: [who]",
            "QueryStrings: [whom]",
            "> sources",
        ),
        (
            "gateway_responses",
            "StatusCode: 418",
            "StatusCode: 419",
            "> UNAUTHORIZED > status",
        ),
        (
            "validation",
            "Required: true, ValidateBody: true",
            "ValidateBody: false",
            "> body",
        ),
    ] {
        let path = format!("tests/templates/{template}.yaml");
        let text = std::fs::read_to_string(repository().join(&path)).unwrap();
        assert!(text.contains(from), "{path}: {from}");
        let at = TEMPLATES.iter().position(|template| *template == path);
        let mut found = Vec::new();
        let changed = ours(&text.replacen(from, to, 1), &[]);
        differences(&path, &changed, &theirs[at.unwrap()], &mut found);
        assert!(
            found.iter().any(|one| one.contains(place)),
            "{to}: {found:?}"
        );
    }
}
