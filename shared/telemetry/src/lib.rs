//! What a process tells of itself: log lines on stderr, spans to a collector, and the numbers of both.
//!
//! Owns the only subscriber. stdout stays free for what a program prints on purpose. Panics become log lines too, so
//! that nothing on stderr has another form. Libraries are never logged below `info`, whatever is asked for, and never
//! traced: what they would tell is not ours to vouch for.

mod filter;
mod line;
mod metrics;
mod settings;
mod traces;

use std::{io, io::IsTerminal as _, panic};

use tracing_subscriber::{Layer as _, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

pub use self::{
    filter::{Directives, InvalidDirectives, LogControl, Override, log_control},
    metrics::register,
    settings::{Format, TelemetrySettings},
    traces::{Exporter, TraceContext, UNTRACED, on_wire},
};

/// The version of everything that is built here.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `telemetry.log` is not a list of directives.
    #[error("telemetry.log: {0}")]
    Directives(#[from] InvalidDirectives),
    /// `telemetry.trace_sample_ratio` is no share.
    #[error("telemetry.trace_sample_ratio must lie between 0 and 1")]
    Ratio,
    /// `telemetry.otlp_endpoint` cannot be used.
    #[error("telemetry.otlp_endpoint: {0}")]
    Endpoint(String),
    /// Another subscriber is there already.
    #[error("logging was started twice")]
    Twice,
}

/// Starts logs and, where there is an endpoint, traces of `service`. Call it once, inside the runtime, first thing after
/// the settings are read. What it returns must be run for spans to leave the process.
///
/// # Errors
/// When a setting cannot be used, or a subscriber is installed already.
pub fn init(service: &'static str, settings: &TelemetrySettings) -> Result<Option<Exporter>, TelemetryError> {
    let (spans, exporter) = traces::layer(service, settings)?.unzip();
    let control = log_control();
    control.configure(settings.log.parse::<Directives>()?);
    let registry = tracing_subscriber::registry().with(spans);
    let format = settings.format.unwrap_or_else(|| {
        if io::stderr().is_terminal() {
            Format::Pretty
        } else {
            Format::Json
        }
    });
    match format {
        Format::Json => registry
            .with(line::Lines::new(service, io::stderr).with_filter(control.filter()))
            .try_init(),
        Format::Pretty => registry
            .with(
                fmt::layer()
                    .with_writer(io::stderr)
                    .with_ansi(io::stderr().is_terminal())
                    .with_filter(control.filter()),
            )
            .try_init(),
    }
    .map_err(|_| TelemetryError::Twice)?;
    log_panics();
    Ok(exporter)
}

/// What telemetry does beside the work, until that is drained: spans leave the process, and a log filter that was set for a
/// time ends.
pub async fn run(exporter: Option<Exporter>, drained: impl Future<Output = ()>) {
    tokio::pin!(drained);
    let revert = log_control().revert_when_due(std::future::pending());
    let export = async {
        match exporter {
            Some(exporter) => exporter.run(&mut drained).await,
            None => drained.await,
        }
    };
    tokio::select! {
        () = export => {}
        () = revert => {}
    }
}

/// A panic's message may quote what it was about: its place alone is told.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        tracing::error!(at, "panicked");
    }));
}

/// Whether a target is of this code.
fn is_ours(target: &str) -> bool {
    const CRATES: [&str; 4] = ["auth_api", "outbox_relay", "audit_consumer", "credo"];
    CRATES.into_iter().any(|name| {
        target
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':') || rest.starts_with('_'))
    })
}
