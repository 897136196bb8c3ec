//! The metrics of auth-api: all declared here, all present from the start at zero, labels are closed lists.

use std::sync::Arc;

use credo_admin::CallMetrics;
use credo_auth_domain::Denial;
use credo_auth_store::StatementMetrics;
use credo_lifecycle::ConnectionMetrics;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use crate::{
    cache_metrics::CacheMetrics, feed::Feed, keys::UpkeepMetrics, limiter::LimitMetrics, purge, refusal::Refusal,
};

/// Seconds, as OpenTelemetry recommends them for HTTP.
const REQUEST_BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// The admin APIs.
const ADMIN_SERVICES: [&str; 9] = [
    "TenantService",
    "ClientService",
    "UserService",
    "SessionService",
    "SigningKeyService",
    "ConsentService",
    "RateLimitService",
    "CacheService",
    "DebugService",
];
/// Classes of status codes.
const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// How attempts to sign in end.
const SIGN_IN_OUTCOMES: [&str; 4] = ["succeeded", "refused", "limited", "failed"];

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
    /// The upkeep of signing keys.
    pub key_upkeep: UpkeepMetrics,
    /// Connections of public HTTP.
    pub connections: ConnectionMetrics,
    /// Rows that were removed because they are over, by table.
    pub purged: IntCounterVec,
    /// Requests that are being served.
    pub in_flight: IntGauge,
    /// Seconds of an Argon2 computation.
    pub password_hash_seconds: Histogram,
    /// Seconds until a computation has its thread.
    pub password_wait_seconds: Histogram,
    /// Computations that wait for a thread.
    pub password_queue: IntGauge,
    /// Attempts to sign in, by outcome.
    sign_ins: IntCounterVec,
    /// An upper bound of the events not yet published.
    pub pending: IntGauge,
    /// Of limits.
    pub limits: LimitMetrics,
    /// Of what is kept.
    pub caches: CacheMetrics,
    /// Of admin calls.
    pub calls: CallMetrics,
    /// Of the store.
    pub statements: StatementMetrics,
}

impl Metrics {
    /// All metrics, for the routes of `routes`.
    ///
    /// # Errors
    /// If a name stands twice.
    pub fn new(routes: &[&str]) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let seconds = |name: &str, help: &str| {
            Histogram::with_opts(HistogramOpts::new(name, help).buckets(REQUEST_BUCKETS.to_vec()))
        };
        let metrics = Self {
            limits: LimitMetrics::new(&registry)?,
            caches: CacheMetrics::new(&registry)?,
            calls: CallMetrics::new(&registry, &ADMIN_SERVICES)?,
            statements: StatementMetrics::new(&registry)?,
            connections: ConnectionMetrics::new(&registry)?,
            registry,
            requests: IntCounterVec::new(
                Opts::new("credo_http_requests_total", "Requests by route and class of status."),
                &["route", "status"],
            )?,
            request_seconds: HistogramVec::new(
                HistogramOpts::new(
                    "credo_http_server_request_duration_seconds",
                    "Time from a request to its answer.",
                )
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
            key_upkeep: UpkeepMetrics::new()?,
            purged: purge::counter()?,
            in_flight: IntGauge::new("credo_http_requests_in_flight", "Requests that are being served.")?,
            password_hash_seconds: seconds("credo_password_hash_seconds", "Time of an Argon2 computation.")?,
            password_wait_seconds: seconds(
                "credo_password_queue_wait_seconds",
                "Wait of an Argon2 computation for its thread.",
            )?,
            password_queue: IntGauge::new(
                "credo_password_queue_depth",
                "Argon2 computations that wait for a thread.",
            )?,
            sign_ins: IntCounterVec::new(
                Opts::new("credo_sign_in_attempts_total", "Attempts to sign in, by outcome."),
                &["outcome"],
            )?,
            pending: IntGauge::new(
                "credo_outbox_pending_total",
                "Upper bound of the events not yet published (a gauge).",
            )?,
        };
        metrics.register()?;
        metrics.begin(routes);
        Ok(metrics)
    }

    /// Every series, at zero.
    fn begin(&self, routes: &[&str]) {
        for route in routes.iter().chain([&OTHER_ROUTES]) {
            self.request_seconds.with_label_values(&[route]);
            for status in STATUS_CLASSES {
                self.requests.with_label_values(&[route, &status]);
            }
        }
        for denial in Denial::ALL {
            self.denials.with_label_values(&[denial.reason()]);
        }
        for outcome in SIGN_IN_OUTCOMES {
            self.sign_ins.with_label_values(&[outcome]);
        }
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        let collectors: [Box<dyn Collector>; 15] = [
            Box::new(self.requests.clone()),
            Box::new(self.request_seconds.clone()),
            Box::new(self.denials.clone()),
            Box::new(self.foreign_tokens.clone()),
            Box::new(self.overloads.clone()),
            Box::new(self.compliance_persist_failures.clone()),
            Box::new(self.key_upkeep.under_other_master_keys.clone()),
            Box::new(self.key_upkeep.failures.clone()),
            Box::new(self.purged.clone()),
            Box::new(self.in_flight.clone()),
            Box::new(self.password_hash_seconds.clone()),
            Box::new(self.password_wait_seconds.clone()),
            Box::new(self.password_queue.clone()),
            Box::new(self.sign_ins.clone()),
            Box::new(self.pending.clone()),
        ];
        for collector in collectors {
            self.registry.register(collector)?;
        }
        credo_telemetry::register("auth-api", &self.registry)?;
        self.registry
            .register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))
    }

    /// Shows the age of `feed`, as it is when somebody looks.
    ///
    /// # Errors
    /// If it is shown already.
    pub fn show_feed(&self, feed: &Arc<Feed>) -> Result<(), prometheus::Error> {
        self.registry.register(Box::new(FeedAge {
            feed: Arc::clone(feed),
            gauge: Gauge::new(
                "credo_revocation_feed_age_seconds",
                "Since the last successful look at what was revoked began; +Inf before the first.",
            )?,
        }))
    }

    /// Counts an attempt to sign in.
    pub fn tried_to_sign_in<T>(&self, result: &Result<T, Refusal>) {
        let outcome = match result {
            Ok(_) => "succeeded",
            Err(Refusal::Denied(Denial::TooManyAttempts { .. })) => "limited",
            Err(Refusal::Denied(_)) => "refused",
            Err(_) => "failed",
        };
        self.sign_ins.with_label_values(&[outcome]).inc();
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

/// A gauge that is read off the feed.
struct FeedAge {
    feed: Arc<Feed>,
    gauge: Gauge,
}

impl Collector for FeedAge {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let age = self.feed.age();
        self.gauge.set(age.map_or(f64::INFINITY, |age| age.as_secs_f64()));
        self.gauge.collect()
    }
}

#[cfg(test)]
mod tests {
    use credo_clock::SystemClock;

    use super::*;

    #[test]
    fn every_metric_is_documented() {
        let metrics = Metrics::new(&crate::http::ROUTES).unwrap();
        metrics.show_feed(&Feed::new(SystemClock::new())).unwrap();
        credo_testkit::assert_documented("auth-api", &metrics.registry);
    }
}
