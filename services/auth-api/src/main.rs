//! Starts auth-api: settings, keys, parts, listeners; then serves until it is told to stop, and drains.

use std::{io::Write as _, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use auth_api::{
    app::App,
    grpc, http,
    keys::MasterKeys,
    settings::{SPEC, Settings},
};
use credo_admin::AdminServer;
use credo_clock::SystemClock;
use credo_lifecycle::{Health, Shutdown, Tasks, bind, management, raise_descriptor_limit};

/// Longest time that requests have to finish after the process was told to stop.
const DRAIN_DEADLINE: Duration = Duration::from_secs(20);

/// The system's own costs a request more, and gives back less of what a burst took.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Settings may be what is wrong, and logging with them: the last word needs neither.
            let _ = writeln!(std::io::stderr(), "auth-api: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let settings: Settings = credo_config::load(&SPEC)?;
    settings.validate()?;
    let limits = settings.http_limits(raise_descriptor_limit().context("raising the limit of descriptors")?)?;
    let exporter = credo_telemetry::init("auth-api", &settings.telemetry)?;
    let masters = MasterKeys::read(&settings.master_keys_path).context("CREDO_MASTER_KEYS_FILE")?;
    let shutdown = Shutdown::on_signals()?;
    let (tasks, health) = (Tasks::new(shutdown.clone()), Health::new());
    tasks.spawn_companion("telemetry", |drained| credo_telemetry::run(exporter, drained));
    let public = bind("http.listen", settings.http.listen).await?;
    let admin = AdminServer::new(bind("grpc.listen", settings.grpc.listen).await?, &settings.grpc.tls)?;
    let management = bind("management.listen", settings.management.listen).await?;
    let app = App::build(settings, masters, SystemClock::new(), (&tasks, &shutdown, &health))?;

    let registry = app.metrics.registry.clone();
    tasks.spawn(
        "management",
        management::serve(management, health.clone(), registry, shutdown.clone()),
    );
    if !app.become_fit(&shutdown).await? {
        return Ok(()); // told to stop before the database answered
    }
    let server = http::server(&app, public, limits);
    let stopped = shutdown.clone();
    let router = http::router(Arc::clone(&app));
    tasks.spawn("http", server.serve(router, async move { stopped.requested().await }));
    tasks.spawn("grpc", grpc::serve(Arc::clone(&app), admin, shutdown.clone()));
    health.started();
    tracing::info!(public_base_url = app.settings.public_base_url, "auth-api serves");

    shutdown.requested().await;
    health.draining();
    tasks.wait(DRAIN_DEADLINE).await?;
    app.drain().await;
    Ok(())
}
