//! Where the keys are: at the gateway that runs on this machine, or deployed.

use aws_sdk_apigateway::Client as ApiGateway;
use aws_sdk_dynamodb::Client as DynamoDb;
use keygate_aws::dynamodb::TableError;
use keygate_issuing::{
    ApiGatewayError, AuthorizerEvents, ClientError, Failure, IssueError, Issuing, RevokeError,
    RotateError, Stage, Store, StoreError, UsagePlans,
};
use keygate_model::deployment::{API_ID, KEY_TABLE, STACK_NAME};
use keygate_outbound::Outbound;

use super::error::OperatorError;
use crate::aws::Services;
use crate::cli::keys::PlaceOptions;
use crate::ports;

/// The usage plans of a stack of the repository's template, which lists them in `USAGE_PLANS`.
fn usage_plans_of(stack: &str) -> UsagePlans {
    let plans = format!("standard={stack}-standard,partner={stack}-partner");
    plans.parse().unwrap_or_default()
}

/// A key table with its API Gateway.
pub(super) struct Place {
    pub(super) issuing: Issuing,
    /// The stage whose cached answers are flushed, where the command line says it.
    stage: Option<Stage>,
    is_local: bool,
}

impl Place {
    /// The place that the command line names. Nothing is called yet.
    pub(super) async fn connect(options: &PlaceOptions) -> Result<Self, OperatorError> {
        let outbound = Outbound::new(&keygate_settings::Settings::from_env())?;
        let mut place = match &options.table {
            None => Self::local(options, &outbound)?,
            Some(table) => Self::deployed(options, &outbound, table).await?,
        };
        if let Some(prefix) = &options.key_prefix {
            place.issuing = place.issuing.with_prefix(prefix.clone());
        }
        Ok(place)
    }

    fn local(options: &PlaceOptions, outbound: &Outbound) -> Result<Self, OperatorError> {
        if options.api.is_some() || options.stage.is_some() || options.stack.is_some() {
            let message = "--api, --stage and --stack are of a deployed API: name its --table too";
            return Err(OperatorError::Usage(message.to_owned()));
        }
        let services = Services::on_ports(
            options.dynamodb_port.unwrap_or(ports::DYNAMODB),
            options.api_gateway_port.unwrap_or(ports::API_GATEWAY),
            ports::LAMBDA,
        );
        let plans = match &options.usage_plans {
            Some(plans) => plans.clone(),
            None => usage_plans_of(STACK_NAME),
        };
        Ok(Self {
            issuing: services.issuing(outbound, KEY_TABLE, plans),
            stage: None,
            is_local: true,
        })
    }

    async fn deployed(
        options: &PlaceOptions,
        outbound: &Outbound,
        table: &str,
    ) -> Result<Self, OperatorError> {
        let usage = |message: &str| OperatorError::Usage(message.to_owned());
        if options.dynamodb_port.is_some() || options.api_gateway_port.is_some() {
            let message = "--table names a deployed table, and the ports are of a running gateway: \
                           give one or the other";
            return Err(usage(message));
        }
        let stage = match (&options.api, &options.stage) {
            (None, None) => None,
            (Some(api), Some(stage)) => Some(Stage {
                api_id: api.clone(),
                name: stage.clone(),
            }),
            _ => return Err(usage("--api and --stage go together")),
        };
        let config = keygate_aws::sdk_config(outbound).await;
        if config.region().is_none() {
            return Err(usage(
                "no region: set AWS_REGION, or AWS_PROFILE to a profile that has one",
            ));
        }
        let store = Store::new(DynamoDb::new(&config), table.to_owned());
        let client = ApiGateway::new(&config);
        let issuing = Issuing::new(store);
        let issuing = match (&options.stack, &options.usage_plans) {
            (None, Some(_)) => {
                return Err(usage(
                    "--usage-plans goes with --stack, whose tag usage keys carry",
                ));
            }
            // It still deletes the usage keys that records name.
            (None, None) => issuing.with_usage_keys(client, UsagePlans::default(), String::new()),
            (Some(stack), plans) => {
                let plans = plans.clone().unwrap_or_else(|| usage_plans_of(stack));
                issuing.with_usage_keys(client, plans, stack.clone())
            }
        };
        Ok(Self {
            issuing,
            stage,
            is_local: false,
        })
    }

    /// The stage whose cached answers are flushed; the gateway on this machine says its own.
    pub(super) async fn stage(&self) -> Result<Option<Stage>, Failure> {
        if !self.is_local {
            return Ok(self.stage.clone());
        }
        Ok(self.issuing.stage_of_plans().await?)
    }

    /// What the authorizer is told of requests: as the command line says, or else API Gateway.
    pub(super) async fn authorizer_events(
        &self,
        said: Option<AuthorizerEvents>,
    ) -> Result<AuthorizerEvents, OperatorError> {
        match said {
            Some(_) if self.is_local => {
                let message = "--authorizer-events is of a deployed API: name its --table too";
                return Err(OperatorError::Usage(message.to_owned()));
            }
            Some(events) => return Ok(events),
            None => {}
        }
        let api = match &self.stage {
            Some(stage) => stage.api_id.as_str(),
            None if self.is_local => API_ID,
            None => {
                let message = "a key that is bound to networks needs an authorizer that is told where \
                               requests come from: name its API with --api and --stage, or give \
                               --authorizer-events REQUEST";
                return Err(OperatorError::Usage(message.to_owned()));
            }
        };
        let events = self.issuing.authorizer_events(api).await?;
        events.ok_or_else(|| {
            OperatorError::Usage(format!(
                "the API {api} has no Lambda authorizer, which alone can bind a key to networks"
            ))
        })
    }

    /// An error in the words that help here.
    pub(super) fn explain(&self, error: OperatorError) -> OperatorError {
        let (OperatorError::Failed(failure)
        | OperatorError::Issue(IssueError::Failed(failure))
        | OperatorError::Rotate(RotateError::Failed(failure))
        | OperatorError::Revoke(RevokeError::Failed(failure))
        | OperatorError::Client(_, ClientError::Failed(failure))) = &error
        else {
            return error;
        };
        match silence(failure) {
            Some(words) if self.is_local => OperatorError::NotRunning(words),
            _ => error,
        }
    }
}

/// What a service said that did not answer at all.
fn silence(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Store(StoreError::Table(TableError::Unavailable(_)))
        | Failure::ApiGateway(ApiGatewayError::Unavailable(_)) => Some(failure.to_string()),
        _ => None,
    }
}
