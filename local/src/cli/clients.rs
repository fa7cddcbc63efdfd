//! The command line of `keygate clients`.

// The comments of options are help texts, which show backticks as they are.
#![allow(clippy::doc_markdown)]

use clap::{Args, Subcommand};
use keygate_principal::name::{MAX_BYTES, is_plain_name, is_usable_name};

use super::keys::{DayOptions, Output, PlaceOptions, name};

#[derive(Debug, Args)]
pub(crate) struct Clients {
    #[command(subcommand)]
    pub(crate) command: ClientsCommand,
    /// How to print
    #[arg(long, value_enum, default_value_t = Output::Table, global = true)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: PlaceOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// Register a client, which is metered by itself from then on
    Create(Create),
    /// List clients, those included whose records somebody wrote by hand
    List,
    /// Print one client's record
    Show {
        /// The client's id, as its tokens name it
        #[arg(value_parser = client_id)]
        client_id: String,
    },
    /// Print how often a client was used, day by day in UTC, and what is left of its quota
    Usage {
        /// The client's id, as its tokens name it
        #[arg(value_parser = client_id)]
        client_id: String,
        #[command(flatten)]
        days: DayOptions,
    },
    /// Put a client on a usage plan
    Plan {
        /// The client's id, as its tokens name it
        #[arg(value_parser = client_id)]
        client_id: String,
        /// The usage plan
        usage_plan: String,
    },
    /// Shut a client out
    Revoke {
        /// The client's id, as its tokens name it
        #[arg(value_parser = client_id)]
        client_id: String,
    },
    /// Let a client in again that was shut out
    Restore {
        /// The client's id, as its tokens name it
        #[arg(value_parser = client_id)]
        client_id: String,
    },
    /// Remove a client's record: it is one that nobody registered, also where it was shut out
    Remove {
        /// The client's id, as its tokens name it
        #[arg(value_parser = client_id)]
        client_id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The client's id, as its tokens name it
    #[arg(value_parser = client_id)]
    pub(crate) client_id: String,
    /// Whose client it is, as iss has it [default: that of every trusted issuer]
    #[arg(long, value_name = "ISSUER", value_parser = issuer)]
    pub(crate) issuer: Option<String>,
    /// What people call the client
    #[arg(long, value_parser = name)]
    pub(crate) name: Option<String>,
    /// The usage plan [default: the first]
    #[arg(long, value_name = "NAME")]
    pub(crate) usage_plan: Option<String>,
    /// Shut the client out at once
    #[arg(long)]
    pub(crate) revoked: bool,
}

fn client_id(text: &str) -> Result<String, String> {
    if is_plain_name(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "a client's id has 1 to {MAX_BYTES} bytes, no quotes, backslashes or control \
         characters"
    ))
}

fn issuer(text: &str) -> Result<String, &'static str> {
    if is_usable_name(text) {
        return Ok(text.to_owned());
    }
    Err("an issuer is as it stands in iss, of at most 1,024 bytes")
}
