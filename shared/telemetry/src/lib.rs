//! Logs of a process: one line of JSON per event on stderr, or text for people.
//!
//! Owns the only subscriber. stdout stays free for what a program prints on purpose. Panics become log lines too, so
//! that nothing on stderr has another form.

use std::{io, panic};

use serde::Deserialize;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// How a process logs: the section `telemetry` of its settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// What is logged: directives such as `info,sqlx=warn`.
    pub log: String,
    /// How a line looks.
    pub format: Format,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            format: Format::Json,
        }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Pretty,
}

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `telemetry.log` is not a list of directives.
    #[error("telemetry.log: {0:?} is not a list of directives such as info,sqlx=warn")]
    Directives(String),
    /// Another subscriber is there already.
    #[error("logging was started twice")]
    Twice,
}

/// Starts logging. Call it once, first thing after the settings are read.
///
/// # Errors
/// When `log` cannot be parsed, or a subscriber is installed already.
pub fn init(settings: &TelemetrySettings) -> Result<(), TelemetryError> {
    let registry = tracing_subscriber::registry().with(filter(&settings.log)?);
    let lines = fmt::layer().with_writer(io::stderr);
    match settings.format {
        Format::Json => registry
            .with(lines.json().flatten_event(true).with_span_list(false))
            .try_init(),
        Format::Pretty => registry.with(lines.with_ansi(false)).try_init(),
    }
    .map_err(|_| TelemetryError::Twice)?;
    log_panics();
    Ok(())
}

fn filter(directives: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(directives)
        .map_err(|_| TelemetryError::Directives(directives.to_owned()))
}

fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(at, message, "panicked");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_directives_are_refused_by_name() {
        assert!(filter("info,sqlx=warn").is_ok());
        let refusal = filter("info,=,=").map(drop).map_err(|error| error.to_string());
        assert!(refusal.is_err_and(|text| text.starts_with("telemetry.log")));
    }

    #[test]
    fn json_at_info_is_the_default() {
        let settings = TelemetrySettings::default();
        assert_eq!(settings.format, Format::Json);
        assert_eq!(settings.log, "info");
    }
}
