//! `AWS::Serverless::Api`.

use std::collections::BTreeMap;

use super::auth::{self, AuthDefaults};
use super::fields::Fields;
use super::gateway_responses;
use super::problems::Problems;
use super::resources::Resource;
use crate::model::{Api, Route};

/// Naming, deployment, and where the API is reached from outside.
const NO_MEANING: &[&str] = &[
    "AlwaysDeploy",
    "Description",
    "DisableExecuteApiEndpoint",
    "EndpointAccessMode",
    "EndpointConfiguration",
    "FailOnWarnings",
    "Mode",
    "Name",
    "OpenApiVersion",
    "PropagateTags",
    "SecurityPolicy",
    "Tags",
    "TracingEnabled",
];

/// An API without its routes and usage plans yet, with what decides them.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) api: Api,
    pub(super) defaults: AuthDefaults,
    place: String,
    line: usize,
    /// `HEADER` unless the template says `AUTHORIZER`.
    key_source: Option<String>,
}

/// Reads the API; `id` is what `Ref` gives for it, and `functions` has the logical ids by ARN.
pub(super) fn read(
    resource: Resource<'_>,
    id: String,
    functions: &BTreeMap<String, String>,
) -> Option<Draft> {
    let mut properties = resource.properties;
    properties.no_meaning(NO_MEANING);
    properties.only_off(&["CacheClusterEnabled", "MergeDefinitions"]);
    let stage = properties.required_text("StageName").filter(|stage| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let valid = stage.len() <= 128 && stage.bytes().all(plain);
        if !valid {
            properties.report(format!(
                "StageName `{stage}` must be at most 128 letters, digits, `_` and `-`"
            ));
        }
        valid
    });
    let key_source = properties.only("ApiKeySourceType", &["AUTHORIZER", "HEADER"]);
    let (authorizers, defaults) = match properties.fields("Auth") {
        Some(auth) => auth::read(auth, functions),
        None => (BTreeMap::new(), AuthDefaults::default()),
    };
    let gateway_responses = properties
        .fields("GatewayResponses")
        .map_or_else(BTreeMap::new, gateway_responses::read);
    let access_log_format = properties.fields("AccessLogSetting").and_then(|mut log| {
        log.no_meaning(&["DestinationArn"]);
        let format = log.required_text("Format");
        log.end();
        format
    });
    for settings in properties.list("MethodSettings") {
        method_settings(settings);
    }
    let binary_media_types = properties.scalars("BinaryMediaTypes").into_iter();
    // SAM has a patch's spelling of the slash (JSON Pointer).
    let binary_media_types = binary_media_types.map(|kind| kind.replace("~1", "/"));
    let binary_media_types = binary_media_types.collect();
    let stage_variables = properties.texts("Variables").into_iter().collect();
    properties.end();
    Some(Draft {
        api: Api {
            id,
            stage: stage?,
            routes: Vec::new(),
            authorizers,
            gateway_responses,
            usage_plans: Vec::new(),
            access_log_format,
            stage_variables,
            binary_media_types,
        },
        defaults,
        place: resource.id,
        line: resource.line,
        key_source,
    })
}

/// Metrics and execution logs go nowhere here; throttling and caching by method would be missed.
fn method_settings(mut settings: Fields<'_>) {
    settings.no_meaning(&[
        "DataTraceEnabled",
        "HttpMethod",
        "LoggingLevel",
        "MetricsEnabled",
        "ResourcePath",
    ]);
    settings.only_off(&["CacheDataEncrypted", "CachingEnabled"]);
    settings.end();
}

impl Draft {
    /// A method that requires a usage key gets it from the authorizer's answer only; a client's
    /// own `x-api-key` is not read here.
    pub(super) fn check_key_source(&self, routes: &[Route], problems: &Problems) {
        let asked = routes.iter().any(|route| route.api_key_required);
        if asked && self.key_source.as_deref() != Some("AUTHORIZER") {
            problems.report(
                self.line,
                &format!("{}.ApiKeySourceType", self.place),
                "must be AUTHORIZER where a method has ApiKeyRequired: the local gateway does not \
                 support usage keys from the x-api-key header",
            );
        }
    }
}
