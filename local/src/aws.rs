//! The AWS services on this machine, as the SDK reaches them: in a function by its environment,
//! here by clients. They take any credentials.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use keygate_issuing::{Issuing, Store, UsagePlans};
use keygate_model::Application;
use keygate_model::deployment::{REGION, STACK_NAME, queues};
use keygate_outbound::Outbound;

/// Both halves of the credentials, which nobody checks.
const CREDENTIAL: &str = "local";
/// How long a call may take, its retries included: a program that is not the gateway may have one
/// of the ports, and say nothing.
const LIMIT: Duration = Duration::from_secs(5);

/// Where the services are.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    /// DynamoDB's address.
    pub(crate) dynamodb: String,
    /// The address of API Gateway's management API.
    pub(crate) api_gateway: String,
    /// The address of Lambda's Invoke API.
    pub(crate) lambda: String,
}

impl Services {
    /// Services on these ports of loopback.
    pub(crate) fn on_ports(dynamodb: u16, api_gateway: u16, lambda: u16) -> Self {
        Self {
            dynamodb: address(dynamodb),
            api_gateway: address(api_gateway),
            lambda: address(lambda),
        }
    }

    /// What the SDK inside a function needs to find them. Calls to any other service come to the listener
    /// of API Gateway too, which refuses them: what is in them stays on this machine.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let mut variables = environment(&self.dynamodb);
        for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_API_GATEWAY"] {
            variables.insert(name.to_owned(), self.api_gateway.clone());
        }
        let name = "AWS_ENDPOINT_URL_LAMBDA".to_owned();
        variables.insert(name, self.lambda.clone());
        // Or else a developer's own `~/.aws/config` may say so.
        let (ignore, no) = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false");
        variables.insert(ignore.to_owned(), no.to_owned());
        variables
    }

    /// The application with the URLs of queues in its functions' environment at this machine: the SDK for
    /// JavaScript calls a queue where its URL says, whatever its endpoint is.
    pub(crate) fn with_queues_here(&self, mut application: Application) -> Application {
        for function in application.functions.values_mut() {
            // Unless the template says where queues are.
            let environment = &mut function.environment;
            let said = ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"];
            let said = said.into_iter().find_map(|name| environment.get(name));
            let place = said.unwrap_or(&self.api_gateway).clone();
            for value in environment.values_mut() {
                *value = value.replace(&queues(), place.trim_end_matches('/'));
            }
        }
        application
    }

    /// Keys in a table of this DynamoDB, with usage keys at this API Gateway.
    pub(crate) fn issuing(&self, outbound: &Outbound, table: &str, plans: UsagePlans) -> Issuing {
        let store = Store::new(dynamodb(outbound, &self.dynamodb), table.to_owned());
        let config = config(outbound, &self.api_gateway);
        let client = aws_sdk_apigateway::Client::new(&config);
        Issuing::new(store).with_usage_keys(client, plans, STACK_NAME.to_owned())
    }
}

/// What the SDK inside a function needs to find DynamoDB alone.
pub(crate) fn environment(dynamodb: &str) -> BTreeMap<String, String> {
    let variables = [
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", CREDENTIAL),
        ("AWS_SECRET_ACCESS_KEY", CREDENTIAL),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
    ];
    variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// An address of this machine.
pub(crate) fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// A client of the DynamoDB at an address.
pub(crate) fn dynamodb(outbound: &Outbound, endpoint: &str) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&config(outbound, endpoint))
}

fn config(outbound: &Outbound, endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new(CREDENTIAL, CREDENTIAL, None, None, "keygate");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(keygate_aws::http_client(outbound))
        .retry_config(keygate_aws::retries())
        .timeout_config(TimeoutConfig::builder().operation_timeout(LIMIT).build())
        .build()
}
