//! What a shell and `man` are told of this program, made from its command line.

use std::io;

use clap::{Command, CommandFactory as _};
use keygate_console as console;

use crate::cli::{Cli, Completions, Man};

/// Why nothing is printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManualError {
    /// There is no such command.
    #[error("keygate has no command {0}: keygate --help lists them")]
    NoCommand(String),
    /// It cannot be printed.
    #[error("{0}")]
    Output(#[from] io::Error),
}

/// Prints the completions for a shell.
///
/// # Errors
/// When they cannot be printed.
pub(crate) fn completions(options: &Completions) -> Result<(), ManualError> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "keygate", &mut script);
    Ok(console::print(&String::from_utf8_lossy(&script))?)
}

/// Prints the manual page of a command, or of the program.
///
/// # Errors
/// When there is no such command, or it cannot be printed.
pub(crate) fn man(options: &Man) -> Result<(), ManualError> {
    let mut root = Cli::command();
    // Gives each command its whole name, and the flags that all have.
    root.build();
    let name = options.command.join(" ");
    let find = |command: &'_ Command, name: &String| command.find_subcommand(name).cloned();
    let mut named = options.command.iter();
    let command = named.try_fold(root, |command, name| find(&command, name));
    let command = command.ok_or(ManualError::NoCommand(name))?;
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(console::print(&String::from_utf8_lossy(&page))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_whole() {
        Cli::command().debug_assert();
    }
}
