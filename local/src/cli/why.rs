//! The command line of `keygate why`.

// The comments of options are help texts, which show backticks as they are.
#![allow(clippy::doc_markdown)]

use clap::{Args, ValueEnum};

use crate::ports;

#[derive(Debug, Args)]
pub(crate) struct Why {
    /// The request's id, from the header x-amzn-RequestId or a problem's instance; of one at the
    /// running gateway, its first eight characters will do
    #[arg(value_parser = request_id)]
    pub(crate) request_id: String,
    /// A deployed stack, whose logs are read with the standard AWS credentials, in place of the running
    /// gateway
    #[arg(long, value_name = "NAME", value_parser = stack)]
    pub(crate) stack: Option<String>,
    /// How far back the stack's logs are read
    #[arg(long, value_name = "HOURS", default_value_t = 24, requires = "stack",
          value_parser = clap::value_parser!(u32).range(1..=8760))]
    pub(crate) hours: u32,
    /// The port of the running gateway's API Gateway
    #[arg(long, value_name = "PORT", default_value_t = ports::API_GATEWAY, conflicts_with = "stack")]
    pub(crate) api_gateway_port: u16,
    /// How to print
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// How a request is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For a person
    Text,
    /// For a program
    Json,
}

/// What may stand in a filter pattern between quotation marks: what API Gateway makes, and what a
/// client may choose.
fn request_id(text: &str) -> Result<String, String> {
    let is_usable = |letter: char| letter.is_ascii_alphanumeric() || "-_=.:+/".contains(letter);
    if (8..=128).contains(&text.len()) && text.chars().all(is_usable) {
        return Ok(text.to_owned());
    }
    Err("an id has 8 to 128 letters, digits and -_=.:+/".to_owned())
}

/// A stack's name, as CloudFormation has it.
fn stack(text: &str) -> Result<String, String> {
    let is_usable = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    if (1..=128).contains(&text.len()) && text.chars().all(is_usable) {
        return Ok(text.to_owned());
    }
    Err("a stack's name has up to 128 letters, digits and hyphens".to_owned())
}
