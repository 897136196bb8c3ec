//! Completion for shells.

use std::process::ExitCode;

use clap::{ArgMatches, Command, ValueEnum};
use clap_complete::{Shell, generate};

use super::Session;
use crate::{cli, console, failure::Result};

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Wanted {
    Bash,
    Zsh,
}

#[derive(Debug, clap::Args)]
struct Arguments {
    /// Which shell.
    #[arg(value_enum)]
    shell: Wanted,
}

/// The command.
pub fn command() -> Command {
    cli::command::<Arguments>(
        "completion",
        "What a shell needs to complete commands and options",
        &["completion bash", "completion zsh"],
    )
}

/// Prints the script.
///
/// # Errors
/// If stdout refuses.
#[expect(clippy::unused_async, reason = "every command is run alike")]
pub async fn run(_session: Session, matches: &ArgMatches) -> Result<ExitCode> {
    let arguments: Arguments = cli::arguments(matches)?;
    let shell = match arguments.shell {
        Wanted::Bash => Shell::Bash,
        Wanted::Zsh => Shell::Zsh,
    };
    let mut script = Vec::new();
    generate(shell, &mut cli::tree(), "credoctl", &mut script);
    console::data(String::from_utf8_lossy(&script).trim_end())?;
    Ok(ExitCode::SUCCESS)
}
