//! The metrics of auth-api: all declared here, all present from the start at zero, labels are closed lists.

use credo_auth_domain::Denial;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// Seconds, for requests.
const REQUEST_BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Classes of status codes.
const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Stands for requests that no route takes.
pub const OTHER_ROUTES: &str = "other";

/// The metrics, and the registry that shows them.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// For the management port.
    pub registry: Registry,
    /// Requests by route and class of status.
    requests: IntCounterVec,
    /// Seconds by route.
    request_seconds: HistogramVec,
    /// Refusals by reason.
    denials: IntCounterVec,
    /// Tokens that this server never issued.
    pub foreign_tokens: IntCounter,
    /// Requests that were refused because there is too much to do.
    pub overloads: IntCounter,
    /// Compliance events that could not be written: their request failed too.
    pub compliance_persist_failures: IntCounter,
    /// Requests that are being served.
    pub in_flight: IntGauge,
    /// Seconds of an Argon2 computation, its wait included.
    pub password_hash_seconds: Histogram,
}

impl Metrics {
    /// All metrics, for the routes of `routes`.
    ///
    /// # Errors
    /// If a name stands twice.
    pub fn new(routes: &[&str]) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            registry: Registry::new(),
            requests: IntCounterVec::new(
                Opts::new("credo_http_requests_total", "Requests by route and class of status."),
                &["route", "status"],
            )?,
            request_seconds: HistogramVec::new(
                HistogramOpts::new("credo_http_request_seconds", "Time from a request to its answer.")
                    .buckets(REQUEST_BUCKETS.to_vec()),
                &["route"],
            )?,
            denials: IntCounterVec::new(
                Opts::new("credo_denials_total", "Requests that the rules refused, by reason."),
                &["reason"],
            )?,
            foreign_tokens: IntCounter::new("credo_foreign_tokens_total", "Tokens that this server never issued.")?,
            overloads: IntCounter::new(
                "credo_overloads_total",
                "Requests refused because there was too much to do.",
            )?,
            compliance_persist_failures: IntCounter::new(
                "credo_audit_compliance_persist_failures_total",
                "Compliance events that could not be written; their request failed too.",
            )?,
            in_flight: IntGauge::new("credo_http_requests_in_flight", "Requests that are being served.")?,
            password_hash_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "credo_password_hash_seconds",
                    "Time of an Argon2 computation, its wait included.",
                )
                .buckets(REQUEST_BUCKETS.to_vec()),
            )?,
        };
        metrics.register()?;
        for route in routes.iter().chain([&OTHER_ROUTES]) {
            metrics.request_seconds.with_label_values(&[route]);
            for status in STATUS_CLASSES {
                metrics.requests.with_label_values(&[route, &status]);
            }
        }
        for denial in Denial::ALL {
            metrics.denials.with_label_values(&[denial.reason()]);
        }
        Ok(metrics)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        self.registry.register(Box::new(self.requests.clone()))?;
        self.registry.register(Box::new(self.request_seconds.clone()))?;
        self.registry.register(Box::new(self.denials.clone()))?;
        self.registry.register(Box::new(self.foreign_tokens.clone()))?;
        self.registry.register(Box::new(self.overloads.clone()))?;
        self.registry
            .register(Box::new(self.compliance_persist_failures.clone()))?;
        self.registry.register(Box::new(self.in_flight.clone()))?;
        self.registry.register(Box::new(self.password_hash_seconds.clone()))?;
        self.registry
            .register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))
    }

    /// Counts an answer. `route` is one of those given to [`Self::new`].
    pub fn answered(&self, route: &str, status: u16, seconds: f64) {
        let class = STATUS_CLASSES[usize::from(status / 100).clamp(1, 5) - 1];
        self.requests.with_label_values(&[route, class]).inc();
        self.request_seconds.with_label_values(&[route]).observe(seconds);
    }

    /// Counts a refusal.
    pub fn denied(&self, denial: Denial) {
        self.denials.with_label_values(&[denial.reason()]).inc();
    }
}
