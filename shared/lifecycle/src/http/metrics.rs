//! The numbers of a listener.

use prometheus::{IntCounterVec, IntGauge, Opts, Registry};

use super::{activity::Late, slots::Full};

/// A connection that could not be taken because the process had no descriptor for it.
pub(super) const NO_DESCRIPTOR: &str = "descriptors";

/// Connections of one listener.
#[derive(Debug, Clone)]
pub struct ConnectionMetrics {
    pub(super) open: IntGauge,
    refused: IntCounterVec,
    ended: IntCounterVec,
}

impl ConnectionMetrics {
    /// The metrics, all series at zero.
    ///
    /// # Errors
    /// If the registry has them already.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            open: IntGauge::new("credo_http_connections", "Connections that are open.")?,
            refused: IntCounterVec::new(
                Opts::new(
                    "credo_http_connections_refused_total",
                    "Connections that were not taken, by what was full.",
                ),
                &["reason"],
            )?,
            ended: IntCounterVec::new(
                Opts::new(
                    "credo_http_connections_ended_total",
                    "Connections that were ended, by what the client was slow at.",
                ),
                &["reason"],
            )?,
        };
        for reason in [Full::Total.name(), Full::Address.name(), NO_DESCRIPTOR] {
            metrics.refused.with_label_values(&[reason]);
        }
        for late in [Late::Head, Late::Idle, Late::Exchange, Late::Write] {
            metrics.ended.with_label_values(&[late.name()]);
        }
        registry.register(Box::new(metrics.open.clone()))?;
        registry.register(Box::new(metrics.refused.clone()))?;
        registry.register(Box::new(metrics.ended.clone()))?;
        Ok(metrics)
    }

    pub(super) fn refused(&self, reason: &str) {
        self.refused.with_label_values(&[reason]).inc();
    }

    pub(super) fn ended(&self, late: Late) {
        self.ended.with_label_values(&[late.name()]).inc();
    }
}
