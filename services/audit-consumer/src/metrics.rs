//! Every metric of audit-consumer, all present from the start.

use credo_admin::CallMetrics;
use credo_ids::Shard;
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntGauge, IntGaugeVec, Opts, Registry, core::Collector,
    process_collector::ProcessCollector,
};

/// The metrics and their registry.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Where they are registered.
    pub registry: Registry,
    /// Of admin calls.
    pub calls: CallMetrics,
    /// Records that came.
    pub consumed: IntCounter,
    /// Events that were stored.
    pub stored: IntCounter,
    /// Records that were stored before.
    pub duplicates: IntCounter,
    /// Of these, copies whose content was not the stored one.
    pub damaged: IntCounter,
    /// Numbers consumed for events that are stored under another number.
    pub repeats: IntCounter,
    /// Lanes that stopped because a record contradicts what is stored.
    pub forks: IntCounter,
    /// Lanes that stopped because records are missing.
    pub gaps: IntCounter,
    /// Lanes that stopped because a record is not what the relay sent.
    pub broken: IntCounter,
    /// Events stored raw because they cannot be read.
    pub quarantined: IntCounter,
    /// Records stored apart because they have no place in the trail.
    pub strays: IntCounter,
    /// Batches that another consumer had stored.
    pub fenced: IntCounter,
    /// Tails whose reader did not keep up.
    pub slow_readers: IntCounter,
    /// Batches that could not be stored.
    pub store_failures: IntCounter,
    /// Events known from Kafka and not stored, of stopped lanes.
    pub lag: IntGauge,
    /// The number that a stopped lane waits for, by shard; 0 while it goes on.
    pub wanted: IntGaugeVec,
    /// From an event's id to its commit in the store.
    pub commit_to_store_seconds: Histogram,
}

impl Metrics {
    /// All of them, zero.
    ///
    /// # Errors
    /// When two have one name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        credo_telemetry::register("audit-consumer", &registry)?;
        registry.register(Box::new(ProcessCollector::for_self()))?;
        let calls = CallMetrics::new(&registry, &["AuditService", "DebugService"])?;
        let counter = |name, help| registered(&registry, IntCounter::new(name, help)?);
        let latency = HistogramOpts::new(
            "credo_audit_commit_to_store_seconds",
            "From the time in an event's id to its commit in the audit store",
        )
        .buckets(vec![
            0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 30.0, 300.0, 3_600.0,
        ]);
        let wanted = Opts::new(
            "credo_audit_wanted_seq",
            "Number that a stopped shard waits for; 0 while it goes on",
        );
        let metrics = Self {
            consumed: counter("credo_audit_consumed_total", "Records that came from Kafka")?,
            stored: counter("credo_audit_stored_total", "Events stored")?,
            duplicates: counter("credo_audit_duplicates_total", "Records that were stored before")?,
            damaged: counter(
                "credo_audit_damaged_duplicates_total",
                "Copies of stored events with another content than the proved one",
            )?,
            repeats: counter(
                "credo_audit_repeats_total",
                "Numbers consumed for events stored under another number",
            )?,
            forks: counter(
                "credo_audit_forks_total",
                "Shards stopped: a record contradicts what is stored",
            )?,
            gaps: counter("credo_audit_gaps_total", "Shards stopped: records are missing")?,
            broken: counter(
                "credo_audit_broken_total",
                "Shards stopped: a record is not what the relay sent",
            )?,
            quarantined: counter(
                "credo_audit_quarantined_total",
                "Events stored raw: they cannot be read",
            )?,
            strays: counter(
                "credo_audit_strays_total",
                "Records stored apart: they have no place in the trail",
            )?,
            fenced: counter("credo_audit_fenced_total", "Batches that another consumer had stored")?,
            slow_readers: counter(
                "credo_audit_slow_readers_total",
                "Tails cut off: the reader did not keep up",
            )?,
            store_failures: counter(
                "credo_audit_store_failures_total",
                "Batches that could not be stored; they are tried again until they are",
            )?,
            lag: registered(
                &registry,
                IntGauge::new("credo_audit_seq_lag", "Events of stopped shards seen and not stored")?,
            )?,
            wanted: registered(&registry, IntGaugeVec::new(wanted, &["shard"])?)?,
            commit_to_store_seconds: registered(&registry, Histogram::with_opts(latency)?)?,
            calls,
            registry,
        };
        for shard in 0..Shard::COUNT {
            metrics.wanted.with_label_values(&[shard.to_string()]).set(0);
        }
        Ok(metrics)
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
        credo_testkit::assert_documented("audit-consumer", &Metrics::new().unwrap().registry);
    }
}
