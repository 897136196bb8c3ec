//! Every metric of outbox-relay, all present from the start.

use credo_admin::CallMetrics;
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntGauge, Registry, core::Collector, process_collector::ProcessCollector,
};

/// The metrics and their registry.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    pub(crate) registry: Registry,
    /// Of admin calls.
    pub(crate) calls: CallMetrics,
    /// An upper bound of the events not yet published.
    pub(crate) pending: IntGauge,
    /// The age of the oldest event not yet published.
    pub(crate) oldest_pending_seconds: IntGauge,
    /// Whether publishing is paused.
    pub(crate) paused: IntGauge,
    /// Whether this relay holds the lease.
    pub(crate) leader: IntGauge,
    /// Events that Kafka acknowledged and that are recorded as published.
    pub(crate) published: IntCounter,
    /// Steps that somebody else had recorded already.
    pub(crate) fence_held: IntCounter,
    /// Times that publishing began anew from recorded progress because of an error.
    pub(crate) restarts: IntCounter,
    /// From an event's id to its acknowledgement.
    pub(crate) commit_to_ack_seconds: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        credo_telemetry::register("outbox-relay", &registry)?;
        registry.register(Box::new(ProcessCollector::for_self()))?;
        let calls = CallMetrics::new(&registry, &["OutboxService", "DebugService"])?;
        let latency = HistogramOpts::new(
            "credo_outbox_commit_to_ack_seconds",
            "From the time in an event's id to Kafka's acknowledgement",
        )
        .buckets(vec![
            0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 30.0, 300.0,
        ]);
        Ok(Self {
            pending: registered(
                &registry,
                IntGauge::new(
                    "credo_outbox_pending_total",
                    "Upper bound of the events not yet published (a gauge)",
                )?,
            )?,
            oldest_pending_seconds: registered(
                &registry,
                IntGauge::new(
                    "credo_outbox_oldest_pending_seconds",
                    "Age of the oldest event not yet published; 0 if there is none",
                )?,
            )?,
            paused: registered(
                &registry,
                IntGauge::new("credo_outbox_paused", "1 while an operator has paused publishing")?,
            )?,
            leader: registered(
                &registry,
                IntGauge::new("credo_outbox_leader", "1 while this relay holds the lease")?,
            )?,
            published: registered(
                &registry,
                IntCounter::new(
                    "credo_outbox_published_total",
                    "Events published: acknowledged by Kafka and recorded",
                )?,
            )?,
            fence_held: registered(
                &registry,
                IntCounter::new(
                    "credo_outbox_fence_held_total",
                    "Steps that another relay had recorded already",
                )?,
            )?,
            restarts: registered(
                &registry,
                IntCounter::new(
                    "credo_outbox_restarts_total",
                    "Times that publishing began anew from recorded progress because of an error",
                )?,
            )?,
            commit_to_ack_seconds: registered(&registry, Histogram::with_opts(latency)?)?,
            calls,
            registry,
        })
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, metric: C) -> Result<C, prometheus::Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_documented() {
        credo_testkit::assert_documented("outbox-relay", &Metrics::new().unwrap().registry);
    }
}
