//! `AWS::Serverless::Api`.

use std::collections::BTreeMap;

use keygate_model::{Api, KeySource};

use super::auth::{self, Auth, AuthDefaults};
use super::cors::{self, Cors};
use super::gateway_responses;
use super::method::Event;
use super::method_settings::{self, Throttles};
use super::open_api::{self, Document};
use super::permissions::Call;
use super::request_validation::{self, Models};
use super::resources::Resource;

/// An API without its routes and usage plans yet, with what decides them.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) api: Api,
    pub(super) defaults: AuthDefaults,
    pub(super) cors: Option<Cors>,
    pub(super) throttles: Throttles,
    pub(super) models: Models,
    /// The methods of its `DefinitionBody`, where it has one: those of events are then its own.
    pub(super) described: Option<Vec<Event>>,
    /// The authorizers that no permission of SAM's lets API Gateway call.
    pub(super) calls: Vec<Call>,
}

/// Reads the API; `id` is what `Ref` gives for it, and `functions` has the logical ids by ARN.
pub(super) fn read(
    resource: Resource<'_>,
    id: String,
    functions: &BTreeMap<String, String>,
) -> Option<Draft> {
    let mut properties = resource.properties;
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
    let key_source = key_source.as_deref().and_then(KeySource::named);
    let models = request_validation::models(&mut properties);
    let cors = cors::read(&mut properties);
    let media_types = properties.scalars("BinaryMediaTypes").into_iter();
    let Auth {
        authorizers,
        defaults,
        calls,
    } = match properties.fields("Auth") {
        Some(auth) => auth::read(auth, functions),
        None => Auth::default(),
    };
    let gateway_responses = properties
        .fields("GatewayResponses")
        .map_or_else(BTreeMap::new, gateway_responses::read);
    let access_log_format = properties.fields("AccessLogSetting").and_then(|mut log| {
        log.pass_over(&["DestinationArn"]);
        let format = log.required_text("Format");
        log.end();
        format
    });
    let throttles = method_settings::read(properties.list("MethodSettings"));
    let document = properties.fields("DefinitionBody");
    let document = document.map(|fields| open_api::read(fields, &id, functions));
    let stage_variables = properties.texts("Variables").into_iter().collect();
    properties.end();
    let mut draft = Draft {
        api: Api {
            id,
            stage: stage?,
            routes: Vec::new(),
            authorizers,
            gateway_responses,
            usage_plans: Vec::new(),
            access_log_format,
            stage_variables,
            key_source: key_source
                .or(document.as_ref().and_then(|document| document.key_source))
                .unwrap_or_default(),
            // As JSON pointers escape it; SAM takes both.
            binary_media_types: media_types.map(|name| name.replace("~1", "/")).collect(),
        },
        defaults,
        cors,
        throttles,
        models,
        described: None,
        calls,
    };
    if let Some(document) = document {
        draft.describe(document);
    }
    Some(draft)
}

impl Draft {
    /// Adds what a document says; the template's own properties win, as SAM writes them into it.
    fn describe(&mut self, document: Document) {
        let api = &mut self.api;
        for (name, authorizer) in document.authorizers {
            api.authorizers.entry(name).or_insert(authorizer);
        }
        for (kind, response) in document.gateway_responses {
            api.gateway_responses.entry(kind).or_insert(response);
        }
        if api.binary_media_types.is_empty() {
            api.binary_media_types = document.binary_media_types;
        }
        self.described = Some(document.events);
        self.calls.extend(document.calls);
    }
}
