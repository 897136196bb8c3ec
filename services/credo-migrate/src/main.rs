//! Prepares Credo's databases: roles, migrations, and the first administrator.
//!
//! Runs as the databases' owner, before the services and never beside a request. Refuses to touch what it cannot prove
//! to be its own: an applied migration that differs from the one it knows stops everything.

mod bootstrap;
mod cli;
mod connect;
mod settings;
mod status;
mod up;

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;

use crate::{
    bootstrap::BootstrapError,
    cli::{Cli, Command},
    settings::{SPEC, Settings},
};

/// The exit code of a bootstrap that was done before.
const ALREADY_BOOTSTRAPPED: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "credo-migrate: {}", one_line(&error));
            let was_done = matches!(error.downcast_ref(), Some(BootstrapError::AlreadyDone));
            if was_done {
                ExitCode::from(ALREADY_BOOTSTRAPPED)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let settings: Settings = credo_config::load_with(&SPEC, &cli.flags)?;
    credo_telemetry::init("credo-migrate", &settings.telemetry)?;
    // A second provider in the tree would make the choice ambiguous; whoever was first is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Up { target } => up::run(&settings, target).await?,
            Command::Status => status::run(&settings).await?,
            Command::Bootstrap { replace } => bootstrap::run(&settings, replace).await?,
        }
        Ok(())
    })
}

/// The error and its causes, without those that the text before them already repeats.
fn one_line(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .fold(String::new(), |line, cause| match line.as_str() {
            "" => cause,
            _ if line.contains(&cause) => line,
            _ => format!("{line}: {cause}"),
        })
}
