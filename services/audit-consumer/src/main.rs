//! The program: settings, logs, wiring, signals.

use std::process::ExitCode;

use audit_consumer::{App, SPEC, Settings};
use credo_lifecycle::Shutdown;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Logging may not have started: one line, whatever failed.
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("audit-consumer: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let settings: Settings = credo_config::load(&SPEC)?;
    credo_telemetry::init(&settings.telemetry)?;
    let shutdown = Shutdown::on_signals()?;
    let app = App::build(&settings, shutdown).await?;
    app.run().await?;
    Ok(())
}
