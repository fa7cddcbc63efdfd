//! The front of one stage, made of what a template means.

use std::collections::BTreeMap;
use std::sync::Arc;

use keygate_model::{Application, KeySource};

use super::authorizer::Authorizer;
use super::gateway_response::{GatewayResponses, UnsupportedResponse};
use super::identity;
use super::method_throttle::MethodThrottles;
use super::routing::Router;
use super::stage::Stage;
use super::state::Control;
use super::usage_keys::Usage;
use super::usage_plan::ImpossibleThrottle;
use super::variables::{Template, UnknownVariable};

/// What the template asks for and this gateway cannot do. Found before anything is served.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The access log's format, or an authorizer's identity, has a variable that is not known.
    #[error("template: {0}")]
    Variable(#[from] UnknownVariable),
    /// A gateway response has a variable or a mapping that is not known.
    #[error("template: {0}")]
    Response(#[from] UnsupportedResponse),
    /// A usage plan or a method's throttle cannot be kept.
    #[error("template: {0}")]
    Throttle(#[from] ImpossibleThrottle),
}

/// The front of one stage.
#[derive(Debug)]
pub struct Gateway {
    pub(super) stage: Stage,
    pub(super) router: Router,
    pub(super) authorizers: Arc<BTreeMap<String, Authorizer>>,
    pub(super) usage: Arc<Usage>,
    pub(super) key_source: KeySource,
    pub(super) throttles: MethodThrottles,
    pub(super) responses: GatewayResponses,
    pub(super) access_log_format: Option<Template>,
    pub(super) port: u16,
}

impl Gateway {
    /// The front of an application's stage.
    ///
    /// # Errors
    /// When the template asks for what this gateway cannot do.
    pub fn new(application: &Application, port: u16) -> Result<Self, GatewayError> {
        let api = &application.api;
        for (name, settings) in &api.authorizers {
            identity::check(&settings.events, name)?;
        }
        let authorizers = api.authorizers.iter();
        let format = api.access_log_format.as_deref();
        Ok(Self {
            stage: Stage::of(api),
            router: Router::new(&api.routes),
            authorizers: Arc::new(
                authorizers
                    .map(|(name, settings)| (name.clone(), Authorizer::new(settings.clone())))
                    .collect(),
            ),
            usage: Arc::new(Usage::new(api.usage_plans.clone())?),
            key_source: api.key_source,
            throttles: MethodThrottles::new(&api.routes)?,
            responses: GatewayResponses::new(&api.gateway_responses)?,
            access_log_format: format
                .map(|format| Template::read(format, "the access log's format"))
                .transpose()?,
            port,
        })
    }

    /// Takes over what the stage whose place this takes has counted, and the usage keys that calls have
    /// made.
    pub fn succeed(&self, former: &Control) {
        self.usage.succeed(&former.usage);
    }

    /// The stage, for its clients.
    #[must_use]
    pub fn control(&self) -> Control {
        Control {
            api_id: self.stage.api_id.clone(),
            stage: self.stage.name.clone(),
            usage: Arc::clone(&self.usage),
            authorizers: Arc::clone(&self.authorizers),
        }
    }

    /// Whether the template asks for an access log.
    #[must_use]
    pub fn has_access_log(&self) -> bool {
        self.access_log_format.is_some()
    }
}
