//! What a first request needs besides the gateway itself: the template with this machine's parameters, the
//! tables, the functions' first processes, and the keys.

use keygate_api_key::ApiKey;
use keygate_builds::BuildLog;
use keygate_gateway::Gateway;
use keygate_issuing::Sweep;
use keygate_model::{Application, Configured};
use keygate_outbound::Outbound;
use keygate_principal::scope::Scopes;
use keygate_routes::RouteTable;
use keygate_template as template;
use keygate_template::offered;

use super::error::ServeError;
use super::place::Place;
use crate::aws::{self, Services};
use crate::cli::Serve;
use crate::dynamodb;
use crate::matrix::Matrix;
use crate::seed;

/// A template as it is to be served.
pub(super) struct Ground {
    pub(super) application: Application,
    /// The stage's address.
    pub(super) url: String,
    pub(super) matrix: Matrix,
    pub(super) gateway: Gateway,
}

impl Ground {
    /// Reads the template, and tells what differs from it here.
    pub(super) fn read(options: &Serve, place: &Place, log: &BuildLog) -> Result<Self, ServeError> {
        let (application, url) = load(options, place)?;
        let matrix = Matrix::of(&application, &options.template)?;
        for text in differences(&application, &matrix) {
            log.tell(&text);
        }
        Ok(Self {
            gateway: Gateway::new(&application, place.gateway_port)?,
            application,
            url,
            matrix,
        })
    }
}

/// What the tables and the management API of this machine are called with.
pub(super) fn outbound() -> Result<Outbound, ServeError> {
    Ok(Outbound::new(&keygate_settings::Settings::from_env())?)
}

/// The tables of an application and the API key to start with, the former one where there is one.
pub(super) async fn lay(
    application: &Application,
    services: &Services,
    outbound: &Outbound,
    scopes: &Scopes,
    former: Option<&ApiKey>,
) -> Result<Option<ApiKey>, ServeError> {
    let client = aws::dynamodb(outbound, &services.dynamodb);
    dynamodb::create_tables(&client, &application.tables).await?;
    let Some(table) = key_table(application) else {
        return Ok(None);
    };
    let (usage_key, prefix) = (usage_key(application), seed::prefix(application));
    let key = seed::seed(&client, &table, scopes, usage_key, &prefix, former).await?;
    Ok(Some(key))
}

/// Makes the usage keys of stored keys again, which live in memory only.
pub(super) async fn sweep(
    application: &Application,
    services: &Services,
    outbound: &Outbound,
) -> Result<(), ServeError> {
    let plans = setting(application, "USAGE_PLANS");
    // A list with a mistake is the function's to name.
    let plans = plans.and_then(|plans| plans.parse().ok());
    let (Some(plans), Some(table)) = (plans, key_table(application)) else {
        return Ok(());
    };
    let issuing = services.issuing(outbound, &table, plans);
    for (key, reason) in issuing.sweep(&Sweep::default()).await?.failed {
        tracing::warn!(key, reason, "the key is not metered");
    }
    Ok(())
}

/// Every scope of the route table: what the development issuer and the seeded key give.
pub(super) fn scopes(matrix: &Matrix) -> Scopes {
    let table = matrix.table.iter();
    table.flat_map(RouteTable::scopes).cloned().collect()
}

/// The template with what this machine gives its parameters, unless the caller said otherwise.
fn load(options: &Serve, place: &Place) -> Result<(Application, String), ServeError> {
    let config_env = options.config_env.as_deref();
    let mut parameters = offered::parameters(&options.parameters, config_env, &place.issuer);
    // The stage is the template's to say, so the address is only known once it is read.
    let stage = template::load(&options.template, &parameters)?.api.stage;
    let url = format!("{}/{stage}", place.gateway);
    parameters
        .offered
        .insert("PublicUrl".to_owned(), url.clone());
    let application = template::load(&options.template, &parameters)?;
    Ok((place.services.with_queues_here(application), url))
}

/// A variable that a function is given.
fn setting<'a>(application: &'a Application, name: &str) -> Option<&'a String> {
    let mut functions = application.functions.values();
    functions.find_map(|function| function.environment.get(name))
}

/// The key table, as the functions are told its name.
fn key_table(application: &Application) -> Option<String> {
    let name = setting(application, "KEY_TABLE")?;
    let mut tables = application.tables.iter();
    tables
        .any(|table| table.name == *name)
        .then(|| name.clone())
}

fn usage_key(application: &Application) -> Option<&str> {
    let mut keys = application
        .api
        .usage_plans
        .iter()
        .flat_map(|plan| &plan.keys);
    keys.next().map(|key| key.value.as_str())
}

/// Where events and route table disagree, and what the template has that is not there on this machine.
fn differences(application: &Application, matrix: &Matrix) -> Vec<String> {
    let disagreements = matrix.disagreements.iter().map(ToString::to_string);
    let ignored = application.ignored.iter().map(ToString::to_string);
    let ignored: Vec<String> = ignored.collect();
    let left_out = (!ignored.is_empty()).then(|| {
        let list = ignored.join(", ");
        format!(
            "these are not there on this machine, and a handler that calls one is refused: {list}"
        )
    });
    let passed_over = &application.passed_over;
    let passed_over =
        (!passed_over.is_empty()).then(|| format!("these do nothing here: {passed_over}"));
    let configured = configured(application);
    let all = disagreements.chain(left_out).chain(passed_over);
    all.chain(configured).collect()
}

/// What `samconfig.toml` gave the template's parameters; without the values, which may be secrets.
fn configured(application: &Application) -> Option<String> {
    let Configured {
        place,
        values,
        unknown,
    } = &application.configured;
    let known = values.keys().filter(|name| !unknown.contains(name));
    let known: Vec<&str> = known.map(String::as_str).collect();
    let mut said = Vec::new();
    if !known.is_empty() {
        said.push(format!(
            "{place} gives {}, but for those that the command line or this machine gives",
            known.join(", ")
        ));
    }
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        said.push(format!(
            "{place} gives {unknown} too, which the template has no parameter for"
        ));
    }
    (!said.is_empty()).then(|| said.join("; "))
}
