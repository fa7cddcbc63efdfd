//! The command line of `keygate keys`.

// The comments of options are help texts, which show backticks as they are.
#![allow(clippy::doc_markdown)]

use std::convert::Infallible;

use clap::{Args, Subcommand, ValueEnum};
use keygate_api_key::{ApiKey, ApiKeyError, ApiKeyId, KeyPrefix, looks_like_api_key};
use keygate_issuing::{
    AuthorizerEvents, DEFAULT_GRACE, Days, DaysError, MAX_GRACE, MAX_NAME_CHARACTERS,
    MAX_NOTICE_DAYS, UsagePlans, expiry, today,
};
use keygate_key_record::now;
use keygate_principal::name::is_usable_name;
use keygate_principal::scope::Scopes;

use crate::ports;

#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
    /// How to print
    #[arg(long, value_enum, default_value_t = Output::Table, global = true)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) place: PlaceOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Table,
    /// For programs
    Json,
}

/// Where the keys are: the running gateway's table, unless another is named.
// The ids of the ports are their own: `keygate` alone takes the same flags, and its defaults would
// stand in for a global argument of the same id.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where the keys are")]
pub(crate) struct PlaceOptions {
    #[arg(
        help = format!("The port of the running gateway's DynamoDB [default: {}]", ports::DYNAMODB),
        id = "keys_dynamodb_port",
        long = "dynamodb-port",
        value_name = "PORT",
        global = true
    )]
    pub(crate) dynamodb_port: Option<u16>,
    #[arg(
        help = format!("The port of the running gateway's API Gateway [default: {}]", ports::API_GATEWAY),
        id = "keys_api_gateway_port",
        long = "api-gateway-port",
        value_name = "PORT",
        global = true
    )]
    pub(crate) api_gateway_port: Option<u16>,
    /// A deployed key table instead, reached with the standard AWS credentials
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) table: Option<String>,
    /// The deployed stack's name, whose tag its usage keys carry; without it none are made
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) stack: Option<String>,
    /// The usage plans to choose from, as USAGE_PLANS has them: name=PLAN, comma separated
    /// [default: standard and partner, of the stack]
    #[arg(long, value_name = "PLANS", global = true)]
    pub(crate) usage_plans: Option<UsagePlans>,
    /// The letters that new keys begin with, as KeyPrefix has them [default: kg]
    #[arg(long, value_name = "LETTERS", global = true)]
    pub(crate) key_prefix: Option<KeyPrefix>,
    /// The deployed API's id; with --stage, a change flushes the stage's cached answers
    #[arg(long, value_name = "ID", global = true)]
    pub(crate) api: Option<String>,
    /// The deployed API's stage
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) stage: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Issue a key and print it, once
    Create(Create),
    /// List keys, with the day in UTC on which each was last used
    List {
        /// Only the keys of this principal
        #[arg(long)]
        owner: Option<String>,
        /// Only keys in use that expire within so many days, the soonest first
        #[arg(long, value_name = "DAYS",
              value_parser = clap::value_parser!(u64).range(1..=MAX_NOTICE_DAYS))]
        expiring_within: Option<u64>,
    },
    /// Print how often a key was used, day by day in UTC, and what is left of its quota
    Usage {
        /// The key's id, or the whole key, which is not printed again
        #[arg(value_parser = named)]
        id: NamedKey,
        #[command(flatten)]
        days: DayOptions,
    },
    /// Print one key's record
    Show {
        /// The key's id, or the whole key, which is not printed again
        #[arg(value_parser = named)]
        id: NamedKey,
    },
    /// Give a key a new secret and print it, once
    Rotate {
        /// The key's id, or the whole key, which is not printed again
        #[arg(value_parser = named)]
        id: NamedKey,
        /// How long the former secret still works; 0 ends it at once
        #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_GRACE,
              value_parser = clap::value_parser!(u64).range(..=MAX_GRACE))]
        grace: u64,
        /// For a key that is bound to networks: what the deployed authorizer gets, TOKEN or REQUEST
        /// [default: as API Gateway says of --api]
        #[arg(long, value_name = "EVENTS")]
        authorizer_events: Option<AuthorizerEvents>,
    },
    /// Shut a key out for good
    Revoke {
        /// The key's id, or the whole key, which is not printed again
        #[arg(value_parser = named)]
        id: NamedKey,
    },
    /// Find and finish what issuing or revoking left half done
    Sweep(SweepOptions),
}

#[derive(Debug, Args)]
pub(crate) struct SweepOptions {
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Delete usage keys even where the table looks like another stack's
    #[arg(long)]
    pub(crate) force: bool,
    /// A stack that is gone, whose usage keys are this one's from now on, as far as records name them
    #[arg(long, value_name = "STACK")]
    pub(crate) adopt_from: Option<String>,
}

/// The days that usage is asked for.
#[derive(Debug, Args)]
pub(crate) struct DayOptions {
    /// The first day, such as 2026-01-31, at most 90 days ago [default: 30 days]
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last day [default: today]
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
}

impl DayOptions {
    /// The days from one to the other.
    pub(crate) fn days(&self) -> Result<Days, DaysError> {
        Days::read(self.from.as_deref(), self.to.as_deref(), today())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What people call the key
    #[arg(long, value_parser = name)]
    pub(crate) name: String,
    /// The principal that the key speaks for
    #[arg(long, value_parser = owner)]
    pub(crate) owner: String,
    /// A scope, or several separated by spaces; may be given several times
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    pub(crate) scopes: Vec<Scopes>,
    /// When the key ends by itself: RFC 3339, or epoch seconds
    #[arg(long, value_name = "TIME", value_parser = expires)]
    pub(crate) expires: Option<u64>,
    /// The usage plan [default: the first]
    #[arg(long, value_name = "NAME")]
    pub(crate) usage_plan: Option<String>,
    /// A network that the key may be used from, such as 192.0.2.0/24; may be given several times
    #[arg(long = "cidr", value_name = "CIDR")]
    pub(crate) networks: Vec<String>,
    /// What to note about the key, and to tell handlers; may be given several times
    #[arg(long = "metadata", value_name = "NAME=VALUE", value_parser = entry)]
    pub(crate) metadata: Vec<(String, String)>,
    /// With --cidr: what the deployed authorizer gets, TOKEN or REQUEST [default: as API Gateway says
    /// of --api]
    #[arg(long, value_name = "EVENTS", requires = "networks")]
    pub(crate) authorizer_events: Option<AuthorizerEvents>,
}

/// A key that an argument names by its id, or by the whole key, whose id it is then. What is neither
/// is refused once it is asked for, as clap quotes what it refuses: it may be a key, mistyped.
#[derive(Debug, Clone)]
pub(crate) struct NamedKey(Result<ApiKeyId, NoKeyNamed>);

/// Why an argument names no key. Nothing of the argument is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoKeyNamed {
    /// No id by its form.
    #[error("an id is 12 letters and digits, which a key has behind its first _, as in kg_")]
    Id,
    /// A key that is not whole, or mistyped.
    #[error("name the key by its id, the 12 letters and digits behind its first _: {0}")]
    Key(ApiKeyError),
}

impl NamedKey {
    /// The key's id.
    pub(crate) fn id(self) -> Result<ApiKeyId, NoKeyNamed> {
        self.0
    }
}

#[allow(clippy::unnecessary_wraps, reason = "a value parser's form")]
fn named(text: &str) -> Result<NamedKey, Infallible> {
    let text = text.trim();
    let id = if looks_like_api_key(text) {
        let key = text.parse::<ApiKey>();
        key.map(|key| key.id().clone()).map_err(NoKeyNamed::Key)
    } else {
        text.parse().map_err(|_| NoKeyNamed::Id)
    };
    Ok(NamedKey(id))
}

pub(super) fn name(text: &str) -> Result<String, String> {
    if (1..=MAX_NAME_CHARACTERS).contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    Err(format!("a name has 1 to {MAX_NAME_CHARACTERS} characters"))
}

fn owner(text: &str) -> Result<String, &'static str> {
    if is_usable_name(text) {
        return Ok(text.to_owned());
    }
    Err("an owner has 1 to 1,024 bytes, no quotes or control characters")
}

fn entry(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write it as NAME=VALUE, such as tenant=acme")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn expires(text: &str) -> Result<u64, String> {
    let expiry = match text.parse() {
        Ok(seconds) => expiry::of_seconds(seconds, now()),
        Err(_) => expiry::of_text(text, now()),
    };
    expiry.map_err(|error| error.to_string())
}
