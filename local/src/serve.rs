//! `keygate`: everything that a request needs on this machine, started in parallel, and stopped
//! without leaving a process behind.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keygate_api_key::ApiKey;
use keygate_issuing::{Sweep, SweepError};
use keygate_outbound::{Outbound, OutboundError};
use keygate_principal::scope::Scopes;
use keygate_routes::RouteTable;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::aws::{self, Services};
use crate::binaries::{self, BinaryError};
use crate::cli::{self, Serve};
use crate::console::Console;
use crate::dynamodb::{self, DynamoDbError};
use crate::functions::{Functions, InvokeError, Keeping};
use crate::gateway::{self, GatewayError};
use crate::issuer::{self, SigningFailed, SigningKey};
use crate::lambda;
use crate::management;
use crate::matrix::{Matrix, MatrixError};
use crate::model::{Application, Configured};
use crate::offered;
use crate::package::{self, PackageError};
use crate::ports;
use crate::ready_file;
use crate::seed::{self, SeedError};
use crate::template::{self, TemplateError};
use crate::welcome::Addresses;

/// Why the gateway does not start. Each is said in one line, or in one line for each problem.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// A port is taken.
    #[error(
        "port {port} of 127.0.0.1 is in use: stop what listens there, or choose another with {flag} PORT (0 takes a free one)"
    )]
    PortInUse {
        /// The port.
        port: u16,
        /// The flag that changes it.
        flag: &'static str,
    },
    /// A port cannot be used for another reason.
    #[error("port {port} of 127.0.0.1 ({flag}) cannot be used: {error}")]
    Port {
        /// The port.
        port: u16,
        /// The flag that changes it.
        flag: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
    /// The template cannot be served.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The template asks for what this gateway does not do.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The route table cannot be used.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
    /// An executable is missing.
    #[error(transparent)]
    Binary(#[from] BinaryError),
    /// A function's package or layers are not what they must be.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A function does not start.
    #[error("{0}")]
    Function(#[from] InvokeError),
    /// DynamoDB does not start.
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    /// The usage keys of stored keys cannot be made.
    #[error("the usage keys of the stored API keys cannot be made: {0}")]
    Sweep(#[from] SweepError),
    /// There is no API key to start with.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The issuer has no key.
    #[error(transparent)]
    Issuer(#[from] SigningFailed),
    /// There is no HTTP client.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The ready file cannot be written.
    #[error("--ready-file: {0}")]
    ReadyFile(std::io::Error),
}

/// The ports, bound before anything else is done.
struct Listeners {
    gateway: TcpListener,
    issuer: TcpListener,
    dynamodb: TcpListener,
    api_gateway: TcpListener,
    lambda: TcpListener,
}

/// Binds a port of loopback.
pub(crate) async fn listen(port: u16, flag: &'static str) -> Result<TcpListener, ServeError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => ServeError::PortInUse { port, flag },
            _ => ServeError::Port { port, flag, error },
        })
}

/// Binds the port of Lambda's Invoke API. Nothing stands on the usual one, as the address is printed: where
/// it is taken, as by a second gateway, another serves as well.
async fn listen_for_lambda(port: Option<u16>) -> Result<TcpListener, ServeError> {
    let flag = "--lambda-port";
    match port {
        Some(port) => listen(port, flag).await,
        None => match listen(ports::LAMBDA, flag).await {
            Err(ServeError::PortInUse { .. }) => listen(0, flag).await,
            listener => listener,
        },
    }
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().map_or(0, |address| address.port())
}

/// Serves the template until Ctrl-C, a termination signal or, when asked, the end of standard
/// input.
///
/// # Errors
/// Whatever keeps the gateway from starting.
pub(crate) async fn serve(options: Serve, console: &Console) -> Result<(), ServeError> {
    let listeners = Listeners {
        gateway: listen(options.port, "--port").await?,
        issuer: listen(options.issuer_port, "--issuer-port").await?,
        dynamodb: listen(options.dynamodb_port, "--dynamodb-port").await?,
        api_gateway: listen(options.api_gateway_port, "--api-gateway-port").await?,
        lambda: listen_for_lambda(options.lambda_port).await?,
    };
    let services = Services::on_ports(
        port(&listeners.dynamodb),
        port(&listeners.api_gateway),
        port(&listeners.lambda),
    );
    let (application, public_url) = load(&options, &listeners, &services)?;
    let matrix = Matrix::of(&application, &options.template)?;
    say_what_differs(&application, &matrix, console);
    let gateway = gateway::Gateway::new(&application, port(&listeners.gateway))?;
    let stop = stop_signal(options.until_stdin_closes);

    let home = package::home(&options.template);
    let signing_key = tokio::task::spawn_blocking(SigningKey::generate);
    package::check(&application, home)?;
    let built = tokio::select! {
        built = binaries::executables(&application, home, options.functions.as_deref()) => built?,
        () = stopped(stop.clone()) => return Ok(()),
    };
    let signing_key = signing_key
        .await
        .unwrap_or(Err(SigningFailed::INTERRUPTED))?;
    let issuer_url = aws::address(port(&listeners.issuer));
    let (database, _lock) = dynamodb::open(options.data.as_deref())?;
    let seeded = scopes(&matrix);
    let scopes = seeded.clone();
    let programs = built.programs(&application, &services.environment(), home);
    let functions = Functions::new(programs, &console.stderr, keeping(&options));
    let functions = Arc::new(functions);
    let background = Background(vec![
        tokio::spawn(async move {
            let _ = issuer::serve(listeners.issuer, signing_key, scopes).await;
        }),
        tokio::spawn(dynamodb::serve(listeners.dynamodb, database)),
        tokio::spawn(management::serve(listeners.api_gateway, gateway.control())),
        tokio::spawn(lambda::serve(listeners.lambda, Arc::clone(&functions))),
    ]);
    let outcome = prepare(&application, &services, &functions, &seeded).await;
    let outcome = outcome.and_then(|api_key| {
        let addresses = Addresses {
            url: public_url,
            issuer: issuer_url,
            services,
            api_key,
            kept_in: options.data.clone(),
            matrix: &matrix,
        };
        announce(&addresses, options.ready_file.as_deref(), console)
    });
    if outcome.is_ok() {
        let log = console.stdout.clone();
        let functions = Arc::clone(&functions);
        gateway
            .serve(listeners.gateway, functions, log, stopped(stop))
            .await;
    }
    functions.shut_down().await;
    drop(background);
    outcome
}

/// How the functions' processes are kept.
fn keeping(options: &Serve) -> Keeping {
    Keeping {
        idle: Duration::from_secs(options.keep_idle),
        shown: options.platform_lines,
    }
}

/// The tables, the functions' first processes, and the keys: what a first request needs. Gives
/// the API key to start with.
async fn prepare(
    application: &Application,
    services: &Services,
    functions: &Functions,
    scopes: &Scopes,
) -> Result<Option<ApiKey>, ServeError> {
    let outbound = Outbound::new(&keygate_settings::Settings::from_env())?;
    let client = aws::dynamodb(&outbound, &services.dynamodb);
    dynamodb::create_tables(&client, &application.tables).await?;
    let key_table = key_table(application);
    let keys = async {
        let Some(table) = &key_table else {
            return Ok(None);
        };
        sweep(application, services, &outbound, table).await?;
        let (usage_key, prefix) = (usage_key(application), seed::prefix(application));
        let key = seed::seed(&client, table, scopes, usage_key, &prefix).await?;
        Ok::<_, ServeError>(Some(key))
    };
    let (warmed, key) = tokio::join!(functions.warm(), keys);
    warmed?;
    key
}

/// Makes the usage keys of stored keys again, which live in memory only.
async fn sweep(
    application: &Application,
    services: &Services,
    outbound: &Outbound,
    table: &str,
) -> Result<(), ServeError> {
    let plans = setting(application, "USAGE_PLANS");
    // A list with a mistake is the function's to name.
    let Some(plans) = plans.and_then(|plans| plans.parse().ok()) else {
        return Ok(());
    };
    let issuing = services.issuing(outbound, table, plans);
    for (key, reason) in issuing.sweep(&Sweep::default()).await?.failed {
        tracing::warn!(key, reason, "the key is not metered");
    }
    Ok(())
}

/// Serves the development issuer alone, until it is told to stop. Its tokens open what the template
/// lists, where there is one.
///
/// # Errors
/// When the port cannot be used, there is no key, or the template cannot be read.
pub(crate) async fn serve_issuer(
    options: &cli::Issuer,
    console: &Console,
) -> Result<(), ServeError> {
    let listener = listen(options.port, "--port").await?;
    let stop = stop_signal(false);
    let key = SigningKey::generate()?;
    let url = aws::address(port(&listener));
    let template = match &options.template {
        Some(template) => Some(template.clone()),
        None => Some(PathBuf::from(cli::TEMPLATE)).filter(|path| path.is_file()),
    };
    let scopes = match template {
        None => Scopes::default(),
        Some(template) => {
            let parameters =
                offered::parameters(&options.parameters, options.config_env.as_deref(), &url);
            let application = template::load(&template, &parameters)?;
            scopes(&Matrix::of(&application, &template)?)
        }
    };
    let text = format!("OAuth issuer for development at {url}");
    console.stdout.say(&text);
    tokio::select! {
        _ = issuer::serve(listener, key, scopes) => {}
        () = stopped(stop) => {}
    }
    Ok(())
}

/// Every scope of the route table: what the development issuer and the seeded key give.
fn scopes(matrix: &Matrix) -> Scopes {
    let table = matrix.table.iter();
    table.flat_map(RouteTable::scopes).cloned().collect()
}

/// Says where events and route table disagree, and what the template has that is not there on this machine.
fn say_what_differs(application: &Application, matrix: &Matrix, console: &Console) {
    let disagreements = matrix.disagreements.iter().map(ToString::to_string);
    let ignored = application.ignored.iter().map(ToString::to_string);
    let ignored: Vec<String> = ignored.collect();
    let left_out = (!ignored.is_empty()).then(|| {
        let list = ignored.join(", ");
        format!(
            "these are not there on this machine, and a handler that calls one is refused: {list}"
        )
    });
    for text in disagreements.chain(left_out).chain(configured(application)) {
        let text = format!("keygate: {text}");
        console.stderr.say(&keygate_visible::line(&text));
    }
}

/// What `samconfig.toml` gave the template's parameters; without the values, which may be secrets.
fn configured(application: &Application) -> Option<String> {
    let Configured { place, values } = &application.configured;
    if values.is_empty() {
        return None;
    }
    let names: Vec<&str> = values.keys().map(String::as_str).collect();
    Some(format!(
        "{place} gives {}, but for those that the command line or this machine gives",
        names.join(", ")
    ))
}

/// The template with what this machine gives its parameters, unless the caller said otherwise.
fn load(
    options: &Serve,
    listeners: &Listeners,
    services: &Services,
) -> Result<(Application, String), ServeError> {
    let issuer = aws::address(port(&listeners.issuer));
    let mut parameters =
        offered::parameters(&options.parameters, options.config_env.as_deref(), &issuer);
    // The stage is the template's to say, so the address is only known once it is read.
    let stage = template::load(&options.template, &parameters)?.api.stage;
    let url = format!("{}/{stage}", aws::address(port(&listeners.gateway)));
    parameters
        .offered
        .insert("PublicUrl".to_owned(), url.clone());
    let application = template::load(&options.template, &parameters)?;
    Ok((services.with_queues_here(application), url))
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

fn announce(
    addresses: &Addresses<'_>,
    ready_file: Option<&Path>,
    console: &Console,
) -> Result<(), ServeError> {
    let welcome = addresses.to_string();
    console.stdout.say(&keygate_visible::lines(&welcome));
    // Whoever finds the file finds the words too.
    console.settle();
    let Some(path) = ready_file else {
        return Ok(());
    };
    let ready = json!({
        "url": addresses.url,
        "issuer": addresses.issuer,
        "token_endpoint": format!("{}/token", addresses.issuer),
        "dynamodb": addresses.services.dynamodb,
        "api_gateway": addresses.services.api_gateway,
        "lambda": addresses.services.lambda,
        "api_key": addresses.api_key.as_ref().map(ApiKey::expose),
    });
    ready_file::write(path, &format!("{ready}\n")).map_err(ServeError::ReadyFile)
}

/// Tasks that end with this value.
struct Background(Vec<JoinHandle<()>>);

impl Drop for Background {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// Turns true once, when the gateway is to stop.
fn stop_signal(until_stdin_closes: bool) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            () = interrupted() => {}
            () = stdin_closed(), if until_stdin_closes => {}
        }
        sender.send_replace(true);
        // A second Ctrl-C does not wait for the requests in flight.
        interrupted().await;
        std::process::exit(130);
    });
    receiver
}

/// Waits for the stop signal.
pub(crate) async fn stopped(mut signal: watch::Receiver<bool>) {
    // A lost sender is a lost signal handler: stop as well.
    let _ = signal.wait_for(|stop| *stop).await;
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};

    // A terminal that is closed hangs up, and reaches none of the groups that functions and builds are.
    let signals = [SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let [Ok(mut terminate), Ok(mut hangup)] = signals else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

async fn stdin_closed() {
    let mut stdin = tokio::io::stdin();
    let mut buffer = [0; 64];
    while matches!(stdin.read(&mut buffer).await, Ok(1..)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_gateway_has_another_port_for_lambda_unless_one_was_asked_for() {
        // Whoever has it, it is taken.
        let _usual = listen(ports::LAMBDA, "--lambda-port").await;
        let other = listen_for_lambda(None).await.unwrap();
        assert_ne!(port(&other), ports::LAMBDA);
        let asked = listen_for_lambda(Some(ports::LAMBDA)).await;
        assert!(matches!(asked, Err(ServeError::PortInUse { .. })));
    }
}
