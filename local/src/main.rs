//! `keygate`: the gateway on this machine, and the operator's commands.

mod aws;
mod changes;
mod checks;
mod cli;
mod dynamodb;
mod event;
mod explain;
mod function_log;
mod kept;
mod manual;
mod matrix;
mod operator;
mod outlets;
mod ports;
mod ready_file;
mod request_log;
mod routes;
mod seed;
mod serve;
mod welcome;
mod why;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use keygate_console::{Console, excerpt};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::cli::{Cli, Command, LogForm};
use crate::explain::ExplainError;
use crate::manual::ManualError;
use crate::operator::OperatorError;
use crate::serve::ServeError;

/// The exit code for a command line or a template that cannot be right: `EX_USAGE` of sysexits(3).
const USAGE: u8 = 64;

/// How long tasks have to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    let is_serving = matches!(cli.command, None | Some(Command::Issuer(_)));
    // A command's own words are enough where nothing is served.
    let level = match cli.command {
        Some(Command::Keys(_) | Command::Clients(_) | Command::Explain(_) | Command::Why(_)) => {
            LevelFilter::WARN
        }
        _ => LevelFilter::INFO,
    };
    // The embedded database warns of each refused call, which is a handler's business.
    let filter = Targets::new()
        .with_default(level)
        .with_target("dynoxide", LevelFilter::ERROR);
    let is_json = cli.serve.log == LogForm::Json;
    let console = Console::open(is_json);
    console.take_panics();
    let log = console.stderr.clone();
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(move || log.clone())
        // A line's escape sequences would be shown, not obeyed.
        .with_ansi(false)
        .without_time()
        .with_target(false);
    let layer = if is_json {
        layer.json().flatten_event(true).boxed()
    } else {
        layer.boxed()
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(cli, &console));
            // Ends the tasks that still hold a process. Reading standard input cannot be
            // cancelled, so that is not waited for any longer.
            runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
            outcome
        }
        Err(error) => Err((format!("the runtime does not start: {error}"), 1)),
    };
    let code = outcome.unwrap_or_else(|(message, code)| {
        let text = format!("keygate: {}", excerpt::of_lines(&message));
        let shown = keygate_visible::lines(&text);
        if is_serving {
            console.stderr.say(&shown);
        } else {
            // A command has nothing else to do than to say why it ends.
            console.settle();
            keygate_console::warn(&shown);
        }
        ExitCode::from(code)
    });
    console.settle();
    code
}

/// Help is printed as it is, and what is wrong with a command line in one line.
fn refused(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand as NoCommand;

    if error.use_stderr() && error.kind() != NoCommand {
        let wrong = cli::one_line(&error.render().to_string());
        keygate_console::warn(&format!("keygate: {wrong}"));
        return ExitCode::from(USAGE);
    }
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

async fn run(cli: Cli, console: &Console) -> Result<ExitCode, (String, u8)> {
    let done = match cli.command {
        None => Box::pin(serve::serve(cli.serve, console))
            .await
            .map_err(|error| {
                let code = match &error {
                    ServeError::Template(_) | ServeError::Gateway(_) | ServeError::Matrix(_) => {
                        USAGE
                    }
                    _ => 1,
                };
                (error.to_string(), code)
            }),
        Some(Command::Event(options)) => {
            let printed = event::print(&options).await;
            printed.map_err(|error| (error.to_string(), 1))
        }
        Some(Command::Explain(options)) => {
            return explain::explain(&options).await.map_err(|error| {
                let code = match &error {
                    ExplainError::Template(_)
                    | ExplainError::Argument
                    | ExplainError::NoSuchSetting { .. }
                    | ExplainError::SourceNotTold
                    | ExplainError::Setting(_) => USAGE,
                    _ => 1,
                };
                (error.to_string(), code)
            });
        }
        Some(Command::Keys(options)) => operator::keys::run(*options).await.map_err(of_operator),
        Some(Command::Clients(options)) => {
            operator::clients::run(*options).await.map_err(of_operator)
        }
        Some(Command::Routes(options)) => {
            return routes::print(&options).map_err(|error| (error.to_string(), USAGE));
        }
        Some(Command::Completions(options)) => {
            let printed = manual::completions(&options);
            printed.map_err(|error| (error.to_string(), 1))
        }
        Some(Command::Man(options)) => manual::man(&options).map_err(|error| {
            let is_usage = matches!(error, ManualError::NoCommand(_));
            (error.to_string(), if is_usage { USAGE } else { 1 })
        }),
        Some(Command::Why(options)) => {
            let told = why::run(&options).await;
            told.map_err(|error| (error.to_string(), 1))
        }
        Some(Command::Issuer(options)) => {
            let served = serve::serve_issuer(&options, console).await;
            served.map_err(|error| (error.to_string(), 1))
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// What an operator's command says that did not do what it was to do, with its exit code.
#[allow(clippy::needless_pass_by_value, reason = "as `map_err` calls it")]
fn of_operator(error: OperatorError) -> (String, u8) {
    let code = if error.is_usage() { USAGE } else { 1 };
    (error.to_string(), code)
}
