//! The program: settings, logs, wiring, signals.

use std::{process::ExitCode, time::Duration};

use credo_lifecycle::{Shutdown, Tasks};
use outbox_relay::{App, SPEC, Settings};

/// The system's own costs a request more, and gives back less of what a burst took.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Logging may not have started: one line, whatever failed.
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("outbox-relay: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let settings: Settings = credo_config::load(&SPEC)?;
    let exporter = credo_telemetry::init("outbox-relay", &settings.telemetry)?;
    let shutdown = Shutdown::on_signals()?;
    let telemetry = Tasks::new(shutdown.clone());
    telemetry.spawn_companion("telemetry", |drained| credo_telemetry::run(exporter, drained));
    let app = App::build(&settings, shutdown).await?;
    let ended = app.run().await;
    telemetry.wait(Duration::from_secs(1)).await?;
    Ok(ended?)
}
