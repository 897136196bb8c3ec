//! The section `telemetry` of a service's settings.

use serde::Deserialize;

/// How a process logs and traces.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// What is logged: directives such as `info,auth_api=debug`.
    pub log: String,
    /// How a line looks; text on a terminal and JSON elsewhere, where it is not set.
    pub format: Option<Format>,
    /// A collector that takes OTLP over gRPC, such as `http://localhost:4317`; without it nothing is traced.
    pub otlp_endpoint: Option<String>,
    /// The share of requests that are traced, where no caller who is trusted has decided. A tenth is enough to see where
    /// time goes, and a sampled event is 57 bytes longer for good.
    pub trace_sample_ratio: f64,
    /// Whether a `traceparent` of public HTTP is the parent of our span. Only behind a proxy that sets it: whoever sends
    /// one decides what is sampled.
    pub trust_incoming_traceparent: bool,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            format: None,
            otlp_endpoint: None,
            trace_sample_ratio: 0.1,
            trust_incoming_traceparent: false,
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
