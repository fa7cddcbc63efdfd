//! `authorizer explain [--source ADDRESS]`: what `keygate explain` runs, with the environment of the
//! deployment that is asked about. The credential comes on standard input, because an argument can be
//! read in the list of processes and stays in a shell's history.

use std::io::Read as _;
use std::net::IpAddr;
use std::process::ExitCode;

use crate::Prepared;

/// The exit code of a wrong command line: `EX_USAGE` of BSD's sysexits(3).
const USAGE: u8 = 64;
/// The most of standard input that is read, in bytes: more than any credential that is looked at.
const MAX_INPUT: u64 = 64 * 1024;

/// Runs the command line. It ends with 0 for a credential that is accepted, and 1 for one that is
/// not.
pub(crate) async fn run(prepared: Prepared) -> ExitCode {
    let source = match arguments(std::env::args().skip(1)) {
        Ok(source) => source,
        Err(usage) => {
            eprintln!("authorizer: {usage}");
            return ExitCode::from(USAGE);
        }
    };
    let mut credential = String::new();
    if let Err(error) = std::io::stdin()
        .take(MAX_INPUT)
        .read_to_string(&mut credential)
    {
        eprintln!("authorizer: the credential on standard input cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    let authorizer = prepared.authorizer().await;
    let report = authorizer.explain(&credential, source).await;
    print!("{report}");
    match report.reason() {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    }
}

fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<Option<IpAddr>, String> {
    let usage = "the only command is: explain [--source ADDRESS], the credential on standard input";
    match (arguments.next().as_deref(), arguments.next().as_deref()) {
        (Some("explain"), None) => Ok(None),
        (Some("explain"), Some("--source")) => {
            let address = arguments.next().unwrap_or_default();
            let parsed = address.parse::<IpAddr>();
            let parsed = parsed.map_err(|_| format!("--source: {address:?} is no IP address"))?;
            match arguments.next() {
                None => Ok(Some(parsed.to_canonical())),
                Some(_) => Err(usage.to_owned()),
            }
        }
        _ => Err(usage.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_explain_and_perhaps_a_source() {
        let read = |line: &str| arguments(line.split_whitespace().map(str::to_owned));
        assert_eq!(read("explain"), Ok(None));
        let source = "192.0.2.7".parse().ok();
        assert_eq!(read("explain --source ::ffff:192.0.2.7"), Ok(source));
        for line in [
            "",
            "serve",
            "explain token",
            "explain --source",
            "explain --source here",
            "explain --source ::1 token",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
