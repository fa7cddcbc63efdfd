//! What `template.yaml` describes, after every intrinsic function is resolved: the part of a SAM
//! application that this gateway serves. `template` makes it, everything else reads it.

pub mod deployment;
mod function;
mod ignored;
mod route;
mod throttle;
mod validation;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use regex::Regex;

pub use self::function::{Build, Function, Runtime, UnknownRuntime};
pub use self::ignored::{Ignored, PassedOver};
pub use self::route::{Integration, Mock, Route};
pub use self::throttle::Throttle;
pub use self::validation::{BodySchema, ParameterPlace, Validation};

/// One resolved application: an API, the functions behind it and the tables they use.
#[derive(Debug, Clone)]
pub struct Application {
    /// The REST API and its stage.
    pub api: Api,
    /// Functions by logical id.
    pub functions: BTreeMap<String, Function>,
    /// DynamoDB tables to create, in template order.
    pub tables: Vec<Table>,
    /// What the template has beside its API, and is not there on this machine, by line.
    pub ignored: Vec<Ignored>,
    /// What of it means nothing on this machine.
    pub passed_over: PassedOver,
    /// What `samconfig.toml` gives its parameters.
    pub configured: Configured,
}

/// What an environment gives the template's parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configured {
    /// Where it stands, such as `samconfig.toml [prod.deploy.parameters]`.
    pub place: String,
    /// The values.
    pub values: BTreeMap<String, String>,
    /// The names among them of which the template has no parameter.
    pub unknown: Vec<String>,
}

/// A REST API with its one stage.
#[derive(Debug, Clone)]
pub struct Api {
    /// The API id that method ARNs and `requestContext.apiId` carry.
    pub id: String,
    /// The stage name, the first segment of every path.
    pub stage: String,
    /// Methods on resources, one entry a (method, path) pair.
    pub routes: Vec<Route>,
    /// Lambda authorizers by their name in the template.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// Customised gateway responses by response type, such as `UNAUTHORIZED`.
    pub gateway_responses: BTreeMap<String, GatewayResponse>,
    /// The template's usage plans, those that cover this stage first.
    pub usage_plans: Vec<UsagePlan>,
    /// The access log's format with its `$context` variables; `None` when access logging is off.
    pub access_log_format: Option<String>,
    /// Stage variables.
    pub stage_variables: BTreeMap<String, String>,
    /// Where a request's usage key is.
    pub key_source: KeySource,
    /// The media types whose bodies are binary (`BinaryMediaTypes`), with a slash in them.
    pub binary_media_types: Vec<String>,
}

/// Where the usage key of a request is (`ApiKeySourceType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeySource {
    /// The header `x-api-key`.
    #[default]
    Header,
    /// The `usageIdentifierKey` of the authorizer's answer.
    Authorizer,
}

impl Api {
    /// Whether requests call the function of this logical id, for an answer or for a credential.
    #[must_use]
    pub fn calls(&self, function: &str) -> bool {
        let mut routes = self.routes.iter().filter_map(Route::function);
        let mut authorizers = self.authorizers.values();
        routes.any(|id| id == function) || authorizers.any(|one| one.function == function)
    }
}

impl KeySource {
    /// The source of this name in a template.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "AUTHORIZER" => Some(Self::Authorizer),
            "HEADER" => Some(Self::Header),
            _ => None,
        }
    }
}

/// A Lambda authorizer.
#[derive(Debug, Clone)]
pub struct Authorizer {
    /// Logical id of the authorizer function.
    pub function: String,
    /// What the function is sent of a request.
    pub events: AuthorizerEvents,
    /// How long an answer is cached by the header's value or by those of the identity sources; zero
    /// is no cache. At most an hour.
    pub result_ttl: Duration,
}

/// What an authorizer function is sent of a request (`FunctionPayloadType`).
#[derive(Debug, Clone)]
pub enum AuthorizerEvents {
    /// `TOKEN`: one header.
    Token {
        /// The header that carries the credential.
        header: String,
        /// A header value that does not match is 401 without a call of the function. API Gateway
        /// matches the whole value, so the expression is already anchored here.
        expression: Option<Regex>,
    },
    /// `REQUEST`: the whole request.
    Request {
        /// What a request must have where answers are cached, or is 401 without a call of the
        /// function. None only where no answer is cached.
        sources: Vec<IdentitySource>,
    },
}

/// A value of a request that its answer is cached by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentitySource {
    /// A header, in any case.
    Header(String),
    /// A parameter of the query string.
    Query(String),
    /// A variable of the stage.
    StageVariable(String),
    /// A `$context` variable, without `context.` in front.
    Context(String),
}

impl IdentitySource {
    /// The address that a request comes from, as API Gateway sees it.
    pub const SOURCE_ADDRESS: &str = "identity.sourceIp";
}

/// As API Gateway writes it, such as `method.request.header.Authorization`.
impl fmt::Display for IdentitySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(formatter, "method.request.header.{name}"),
            Self::Query(name) => write!(formatter, "method.request.querystring.{name}"),
            Self::StageVariable(name) => write!(formatter, "stageVariables.{name}"),
            Self::Context(name) => write!(formatter, "context.{name}"),
        }
    }
}

/// A customised gateway response.
#[derive(Debug, Clone)]
pub struct GatewayResponse {
    /// The status to answer; `None` keeps the response type's own.
    pub status: Option<u16>,
    /// Header name to mapping expression: `'literal'`, `method.request.header.NAME`,
    /// `context.requestId` and so on.
    pub headers: BTreeMap<String, String>,
    /// Content type to body template with `$context` variables.
    pub templates: BTreeMap<String, String>,
}

/// A usage plan with the usage keys on it.
#[derive(Debug, Clone)]
pub struct UsagePlan {
    /// The plan's id.
    pub id: String,
    /// The plan's name.
    pub name: String,
    /// What people say of it.
    pub description: Option<String>,
    /// What it is tagged with.
    pub tags: BTreeMap<String, String>,
    /// Whether it covers the stage that is served; or else its keys are unknown there.
    pub is_of_stage: bool,
    /// Requests a second for each usage key, and how many may come at once.
    pub throttle: Option<Throttle>,
    /// The same on some methods by their [`Route::key`], in place of `throttle`.
    pub method_throttles: BTreeMap<String, Throttle>,
    /// Requests in a calendar period (UTC) for each usage key.
    pub quota: Option<Quota>,
    /// The usage keys on the plan.
    pub keys: Vec<UsageKey>,
}

/// An `AWS::ApiGateway::ApiKey`, or one that was made by a call of API Gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageKey {
    /// The key's id, which access logs and `requestContext.identity.apiKeyId` show.
    pub id: String,
    /// What people call the key; not unique, and empty where nobody has called it anything.
    pub name: String,
    /// What people say of it.
    pub description: Option<String>,
    /// The value that an authorizer answers as `usageIdentifierKey`.
    pub value: String,
    /// A disabled key is refused like an unknown one.
    pub enabled: bool,
    /// What a call of API Gateway has tagged the key with; a template's tags have no meaning here.
    pub tags: BTreeMap<String, String>,
}

/// A usage plan's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests in one period.
    pub limit: u64,
    /// The period.
    pub period: Period,
}

/// The calendar period of a quota, in UTC; a week starts on Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From midnight.
    Day,
    /// From Sunday, midnight.
    Week,
    /// From the month's first day, midnight.
    Month,
}

impl Period {
    /// As API Gateway has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "DAY",
            Self::Week => "WEEK",
            Self::Month => "MONTH",
        }
    }
}

/// A DynamoDB table to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The table's physical name.
    pub name: String,
    /// Attribute name to type (`S`, `N` or `B`), for keys only.
    pub attributes: BTreeMap<String, String>,
    /// The partition key's attribute.
    pub hash_key: String,
    /// The sort key's attribute.
    pub range_key: Option<String>,
    /// Global secondary indexes.
    pub indexes: Vec<Index>,
    /// The TTL attribute.
    pub ttl_attribute: Option<String>,
}

/// A global secondary index; all attributes are projected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The index's name.
    pub name: String,
    /// The partition key's attribute.
    pub hash_key: String,
    /// The sort key's attribute.
    pub range_key: Option<String>,
}
