//! What calls come to, by service: methods times codes would be a thousand series.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use tonic::Code;

/// Seconds, as OpenTelemetry recommends them.
const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Stands for what is no service of an admin API.
const OTHER: &str = "other";
/// The codes of gRPC.
const CODES: i32 = 17;

/// The metrics of a server.
#[derive(Debug, Clone)]
pub struct CallMetrics {
    calls: IntCounterVec,
    seconds: HistogramVec,
    services: Vec<&'static str>,
}

impl CallMetrics {
    /// All series, for these services, in `registry`.
    ///
    /// # Errors
    /// If a name is taken.
    pub fn new(registry: &Registry, services: &[&'static str]) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            calls: IntCounterVec::new(
                Opts::new("credo_rpc_server_calls_total", "Admin calls by service and code."),
                &["service", "code"],
            )?,
            seconds: HistogramVec::new(
                HistogramOpts::new(
                    "credo_rpc_server_call_duration_seconds",
                    "Time from an admin call to the beginning of its answer.",
                )
                .buckets(BUCKETS.to_vec()),
                &["service"],
            )?,
            services: services.to_vec(),
        };
        for service in services.iter().chain([&OTHER]) {
            metrics.seconds.with_label_values(&[service]);
            for code in (0..CODES).map(Code::from_i32) {
                metrics.calls.with_label_values(&[*service, &format!("{code:?}")]);
            }
        }
        registry.register(Box::new(metrics.calls.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        Ok(metrics)
    }

    pub(super) fn answered(&self, method: &str, code: Code, took: Duration) {
        // "/credo.admin.v1.TenantService/GetTenant"
        let service = method.split(['/', '.']).rev().nth(1).unwrap_or_default();
        let known = self.services.iter().find(|known| **known == service);
        let service = known.copied().unwrap_or(OTHER);
        self.calls.with_label_values(&[service, &format!("{code:?}")]).inc();
        self.seconds.with_label_values(&[service]).observe(took.as_secs_f64());
    }
}
