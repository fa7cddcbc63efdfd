//! The command line.

pub(crate) mod clients;
pub(crate) mod keys;
pub(crate) mod why;

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{Args, Parser, Subcommand, ValueEnum};
use keygate_functions::PlatformLines;
use regex::Regex;

use crate::ports;

/// The template that is meant where none is named.
pub(crate) const TEMPLATE: &str = "template.yaml";

/// What a caller is told by the exit code: docs/local.md has the same.
const EXIT_CODES: &str = "Exit codes:
  0    done; a gateway was told to stop
  1    it failed; explain: the credential is refused; routes --check: events and table disagree
  64   the command line, or the template, cannot be right
  130  a second Ctrl-C, which waits for no request";

/// The gateway on this machine: serves template.yaml without Docker or an AWS account.
#[derive(Debug, Parser)]
#[command(name = "keygate", version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Register, plan, shut out and remove OAuth clients, here or in a deployed table
    Clients(Box<clients::Clients>),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print a sample event with a live credential from the running gateway's issuer or key table
    Event(Event),
    /// Explain what the authorizer thinks of the token or API key on standard input
    Explain(Explain),
    /// Run the development issuer alone
    Issuer(Issuer),
    /// Issue, list, rotate and revoke API keys, here or in a deployed table
    Keys(Box<keys::Keys>),
    /// Print the manual page, or that of a command
    Man(Man),
    /// Print which credential opens which route, and hold the events against the route table
    Routes(Routes),
    /// Tell what became of a request, here or at a deployed stack, and why
    Why(why::Why),
}

/// What `keygate` without a command takes.
#[derive(Debug, Clone, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Serve {
    /// The SAM template to serve
    #[arg(long, value_name = "PATH", default_value = TEMPLATE)]
    pub(crate) template: PathBuf,
    /// A value for a template parameter; may be given several times
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// The environment of the samconfig.toml beside the template, for the parameters that are not given
    /// (default, where the file has one)
    #[arg(long, value_name = "NAME")]
    pub(crate) config_env: Option<String>,
    /// The gateway's port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = ports::GATEWAY)]
    pub(crate) port: u16,
    /// The development issuer's port
    #[arg(long, value_name = "PORT", default_value_t = ports::ISSUER)]
    pub(crate) issuer_port: u16,
    /// DynamoDB's port
    #[arg(long, value_name = "PORT", default_value_t = ports::DYNAMODB)]
    pub(crate) dynamodb_port: u16,
    /// The port of API Gateway's management API
    #[arg(long, value_name = "PORT", default_value_t = ports::API_GATEWAY)]
    pub(crate) api_gateway_port: u16,
    /// The port of Lambda's Invoke API [default: 3004, or a free one where that is taken]
    #[arg(long, value_name = "PORT")]
    pub(crate) lambda_port: Option<u16>,
    /// The port of the page [default: 3005, or a free one where that is taken]
    #[arg(long, value_name = "PORT")]
    pub(crate) page_port: Option<u16>,
    /// Serve no page
    #[arg(long, conflicts_with = "page_port")]
    pub(crate) no_page: bool,
    /// After so many seconds without an invocation a process is ended, unless it is its function's only
    /// one
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) keep_idle: u64,
    /// Which of Lambda's own lines are shown among what functions log
    #[arg(long, value_name = "LINES", value_enum, default_value_t = PlatformLines::Report)]
    pub(crate) platform_lines: PlatformLines,
    /// Keep the tables in this directory instead of in memory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Keep the issuer's signing key and the seeded API key in this file, so that they and tokens outlive
    /// a restart [default: a file below --data, where there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    /// Run built functions from this directory (NAME or NAME/bootstrap) instead of building them
    #[arg(long, value_name = "DIR")]
    pub(crate) functions: Option<PathBuf>,
    /// Take up each change of the template and of functions' code while serving, as on a terminal
    #[arg(long, overrides_with = "no_watch")]
    pub(crate) watch: bool,
    /// Take up no change
    #[arg(long, overrides_with = "watch")]
    pub(crate) no_watch: bool,
    /// Write the access log to this file, or to standard output where it is -, which else it goes to
    /// unless that is a terminal
    #[arg(long, value_name = "FILE")]
    pub(crate) access_log: Option<PathBuf>,
    /// How requests and everything that is logged are written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogForm::Text)]
    pub(crate) log: LogForm,
    /// Once ready, write addresses and the API key to this file, as JSON
    #[arg(long, value_name = "PATH")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Stop when standard input ends, as a test suite's child does
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Event {
    /// The event's name; without one, the names are listed
    pub(crate) name: Option<String>,
    /// The SAM template that the running gateway serves
    #[arg(long, value_name = "PATH", default_value = TEMPLATE)]
    pub(crate) template: PathBuf,
    /// A value for a template parameter; may be given several times
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// The environment of the samconfig.toml beside the template, for the parameters that are not given
    /// (default, where the file has one)
    #[arg(long, value_name = "NAME")]
    pub(crate) config_env: Option<String>,
    /// The port of the running gateway's issuer
    #[arg(long, value_name = "PORT", default_value_t = ports::ISSUER)]
    pub(crate) issuer_port: u16,
    /// The port of the running gateway's DynamoDB
    #[arg(long, value_name = "PORT", default_value_t = ports::DYNAMODB)]
    pub(crate) dynamodb_port: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    // Taken so that it is not quoted in the error: it may be a credential.
    #[arg(hide = true, num_args = 0..)]
    pub(crate) credential: Vec<String>,
    /// The SAM template whose authorizer is asked
    #[arg(long, value_name = "PATH", default_value = TEMPLATE)]
    pub(crate) template: PathBuf,
    /// A value for a template parameter; may be given several times
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// The environment of the samconfig.toml beside the template, for the parameters that are not given
    /// (default, where the file has one)
    #[arg(long, value_name = "NAME")]
    pub(crate) config_env: Option<String>,
    /// A setting of the authorizer that the template does not give it; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) settings: Vec<(String, String)>,
    /// A deployed key table, read with the AWS credentials of the environment, in place of the
    /// running gateway's
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,
    /// Where the request comes from, for an API key that is bound to networks
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) source: Option<std::net::IpAddr>,
    /// The port of the running gateway's issuer
    #[arg(long, value_name = "PORT", default_value_t = ports::ISSUER)]
    pub(crate) issuer_port: u16,
    /// The port of the running gateway's DynamoDB
    #[arg(long, value_name = "PORT", default_value_t = ports::DYNAMODB)]
    pub(crate) dynamodb_port: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Issuer {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = ports::ISSUER)]
    pub(crate) port: u16,
    /// The SAM template whose routes its tokens open when they are asked for without a scope
    /// (template.yaml, where there is one)
    #[arg(long, value_name = "PATH")]
    pub(crate) template: Option<PathBuf>,
    /// Keep the signing key in this file, so that tokens outlive a restart
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    /// A value for a template parameter; may be given several times
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// The environment of the samconfig.toml beside the template, for the parameters that are not given
    /// (default, where the file has one)
    #[arg(long, value_name = "NAME")]
    pub(crate) config_env: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Routes {
    /// The SAM template
    #[arg(long, value_name = "PATH", default_value = TEMPLATE)]
    pub(crate) template: PathBuf,
    /// A value for a template parameter; may be given several times
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// The environment of the samconfig.toml beside the template, for the parameters that are not given
    /// (default, where the file has one)
    #[arg(long, value_name = "NAME")]
    pub(crate) config_env: Option<String>,
    /// Only say what events and table disagree in, and end with 1 when they do
    #[arg(long)]
    pub(crate) check: bool,
    /// How to print the matrix
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The command, such as `keys create`
    pub(crate) command: Vec<String>,
}

/// How requests and the log are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    /// For a person, in colour on a terminal unless `NO_COLOR` is set.
    Text,
    /// For a program: an object a line.
    Json,
}

/// How something is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For a person.
    Text,
    /// For a program.
    Json,
    /// As a route table, for `ROUTES_FILE`.
    Table,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write it as Name=Value".to_owned())
}

/// What may be an API key or a JWT, or was to be one, up to the blank or the quotation mark that ends
/// it. A JWT begins as its header does, `{"`, and a key may have another prefix than `kg`.
static CREDENTIAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:(kg_|eyJ)|([A-Za-z]{1,16}_)[0-9A-Za-z]{12})[^\s'"]*"#).ok());

/// An error of the command line without the usage that follows it: what is wrong, and a tip if
/// there is one. A credential that stands where none belongs is not quoted.
pub(crate) fn one_line(error: &str) -> String {
    let mut lines = error.lines().map(str::trim);
    let wrong: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    let tips = lines.filter(|line| line.starts_with("tip:"));
    let wrong = wrong.join(" ");
    let parts = std::iter::once(wrong.trim_start_matches("error: ")).chain(tips);
    let parts: Vec<&str> = parts.chain(["--help says more"]).collect();
    let text = parts.join("; ");
    let Some(credential) = CREDENTIAL.as_ref() else {
        return "the command line cannot be read; --help says more".to_owned();
    };
    let text = credential.replace_all(&text, "${1}${2}...");
    keygate_visible::line(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(arguments: &[&str]) -> String {
        let error = Cli::try_parse_from(arguments).unwrap_err();
        one_line(&error.render().to_string())
    }

    #[test]
    fn what_is_wrong_with_a_command_line_is_one_line() {
        assert_eq!(
            wrong(&["keygate", "keys", "create", "--name", "x"]),
            "the following required arguments were not provided: --owner <OWNER> \
             --scope <SCOPE>; --help says more"
        );
        assert_eq!(
            wrong(&["keygate", "--prot", "1"]),
            "unexpected argument '--prot' found; tip: a similar argument exists: '--port'; \
             --help says more"
        );
    }

    #[test]
    fn a_credential_in_the_wrong_place_is_not_quoted() {
        let key = "kg_0123456789ab_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef-123456";
        for arguments in [
            &["keygate", key][..],
            &["keygate", "keys", "list", key],
            &["keygate", "keys", "revoke", "0123456789ab", key],
            &["keygate", "keys", "list", "--table", "a", "--table", key],
            &["keygate", "--port", key],
        ] {
            let wrong = wrong(arguments);
            assert!(!wrong.contains("0123") && !wrong.contains("ABC"), "{wrong}");
        }
        assert!(wrong(&["keygate", key]).contains("'kg_...'"));
        let other = key.replacen("kg", "AcmeKey", 1);
        assert!(wrong(&["keygate", &other]).contains("'AcmeKey_...'"));
        assert!(wrong(&["keygate", "my_template.yaml"]).contains("'my_template.yaml'"));
        let token = wrong(&["keygate", "explain", "--source", "eyJhbGciOiJub25lIn0.e30."]);
        assert!(token.contains("'eyJ...'"), "{token}");
    }

    #[test]
    fn the_ports_of_keygate_alone_do_not_stand_in_for_those_of_its_keys() {
        let cli = Cli::try_parse_from(["keygate", "keys", "list"]).unwrap();
        let Some(Command::Keys(keys)) = cli.command else {
            panic!("another command")
        };
        assert_eq!(keys.place.dynamodb_port, None);
        let arguments = ["keygate", "keys", "list", "--dynamodb-port", "7"];
        let Some(Command::Keys(keys)) = Cli::try_parse_from(arguments).unwrap().command else {
            panic!("another command")
        };
        assert_eq!(keys.place.dynamodb_port, Some(7));
    }
}
