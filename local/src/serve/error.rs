//! Why the gateway does not start, or does not take up a change.

use keygate_builds::binaries::BinaryError;
use keygate_builds::package::PackageError;
use keygate_functions::InvokeError;
use keygate_gateway::GatewayError;
use keygate_issuer::SigningFailed;
use keygate_issuing::SweepError;
use keygate_outbound::OutboundError;
use keygate_page::NoLink;
use keygate_template::TemplateError;

use crate::changes::ChangesError;
use crate::dynamodb::DynamoDbError;
use crate::kept::KeptError;
use crate::matrix::MatrixError;
use crate::outlets::OutletError;
use crate::seed::SeedError;

/// Why the gateway does not start. Each is said in one line, or in one line for each problem.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// A port is taken.
    #[error(
        "port {port} of 127.0.0.1 is in use{}: stop what listens there, or choose another with {flag} PORT (0 takes a free one)",
        by(holder.as_deref())
    )]
    PortInUse {
        /// The port.
        port: u16,
        /// The flag that changes it.
        flag: &'static str,
        /// The program that listens there, where that is known.
        holder: Option<String>,
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
    /// The page cannot be shown.
    #[error(transparent)]
    Page(#[from] NoLink),
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
    /// What is to stay the same cannot be kept.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// Changes are not seen.
    #[error("{0}; --no-watch does without")]
    Changes(#[from] ChangesError),
    /// There is no access log where one is asked for.
    #[error(transparent)]
    Outlet(#[from] OutletError),
    /// The ready file cannot be written.
    #[error("--ready-file: {0}")]
    ReadyFile(std::io::Error),
}

fn by(holder: Option<&str>) -> String {
    holder
        .map(|holder| format!(" by {holder}"))
        .unwrap_or_default()
}
