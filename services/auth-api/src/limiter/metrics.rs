//! The metrics of limits.

use credo_auth_domain::rate_limit::RateClass;
use prometheus::{Error, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// What a look at a limit came to.
const RESULTS: [&str; 2] = ["allowed", "limited"];

/// The metrics of limits, all there from the start.
#[derive(Clone, Debug)]
pub struct LimitMetrics {
    decisions: IntCounterVec,
    sync_failures: IntCounter,
    /// Whether this replica counts for itself.
    is_alone: IntGauge,
    counters: IntGauge,
}

impl LimitMetrics {
    /// Registered with `registry`.
    ///
    /// # Errors
    /// If a name stands twice.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        let metrics = Self {
            decisions: IntCounterVec::new(
                Opts::new(
                    "credo_rate_limit_decisions_total",
                    "Requests that a limit counted, by what it decided.",
                ),
                &["class", "result"],
            )?,
            sync_failures: IntCounter::new(
                "credo_rate_limit_sync_failures_total",
                "Times that replicas could not be told what was let through.",
            )?,
            is_alone: IntGauge::new(
                "credo_rate_limit_is_local",
                "1 while limits hold for this replica alone, because the database takes no counts.",
            )?,
            counters: IntGauge::new("credo_rate_limit_counters", "Windows that are kept in memory.")?,
        };
        for class in RateClass::ALL {
            for result in RESULTS {
                metrics.decisions.with_label_values(&[class.as_str(), result]);
            }
        }
        registry.register(Box::new(metrics.decisions.clone()))?;
        registry.register(Box::new(metrics.sync_failures.clone()))?;
        registry.register(Box::new(metrics.is_alone.clone()))?;
        registry.register(Box::new(metrics.counters.clone()))?;
        Ok(metrics)
    }

    /// Counts a decision.
    pub fn decided(&self, class: RateClass, is_let_through: bool) {
        let result = RESULTS[usize::from(!is_let_through)];
        self.decisions.with_label_values(&[class.as_str(), result]).inc();
    }

    /// Notes whether the database took the counts. Whether it took the last ones and does not take these.
    pub(super) fn told(&self, took: bool) -> bool {
        let was_alone = self.is_alone.get() == 1;
        self.is_alone.set(i64::from(!took));
        if !took {
            self.sync_failures.inc();
        }
        !took && !was_alone
    }

    pub(super) fn kept(&self, counters: usize) {
        self.counters.set(i64::try_from(counters).unwrap_or(i64::MAX));
    }
}
