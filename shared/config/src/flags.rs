//! The command-line flags that every process takes.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser};

/// Where settings come from beside the environment. Flatten it into a program's own command line.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// TOML file with settings; the environment goes before it.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting, such as http.listen=127.0.0.1:8080; goes before everything else. May be repeated.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// The whole command line of a service.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    flags: Flags,
}

impl CommandLine {
    pub(crate) fn parse_for(service: &'static str) -> Flags {
        let command = Self::command().name(service);
        let matches = command.get_matches();
        Self::from_arg_matches(&matches).map_or_else(|error| error.exit(), |line| line.flags)
    }
}
