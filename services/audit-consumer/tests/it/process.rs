//! The process around the work: start, refusals, health, metrics.

use credo_testkit::eventually;

use crate::{
    running::{Running, Stage},
    support::DEADLINE,
};

const METRICS: [&str; 21] = [
    "credo_audit_broken_total",
    "credo_audit_commit_to_store_seconds",
    "credo_audit_consumed_total",
    "credo_audit_damaged_duplicates_total",
    "credo_audit_duplicates_total",
    "credo_audit_fenced_total",
    "credo_audit_forks_total",
    "credo_audit_gaps_total",
    "credo_audit_quarantined_total",
    "credo_audit_repeats_total",
    "credo_audit_seq_lag",
    "credo_audit_slow_readers_total",
    "credo_audit_store_failures_total",
    "credo_audit_stored_total",
    "credo_audit_strays_total",
    "credo_audit_wanted_seq",
    "credo_build_info",
    "credo_log_filter_override",
    "credo_rpc_server_call_duration_seconds",
    "credo_rpc_server_calls_total",
    "credo_trace_spans_total",
];

#[tokio::test]
async fn every_metric_is_there_from_the_start() {
    let running = Stage::new().await.start().await;
    let text = running.get("/metrics").await.1;
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE credo_")?.split(' ').next());
    assert_eq!(names.map(|name| format!("credo_{name}")).collect::<Vec<_>>(), METRICS);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_role_that_owns_the_schema_is_refused() {
    let stage = Stage::new().await;
    for is_reader in [false, true] {
        let mut settings = stage.settings();
        let url = if is_reader {
            &mut settings.database.reader_url
        } else {
            &mut settings.database.url
        };
        *url = stage.database.owner_url().into();
        let refusal = Running::start(&settings).await.outcome().await.unwrap_err().to_string();
        assert!(refusal.contains("superuser"), "{refusal}");
    }
}

#[tokio::test]
async fn a_topic_that_is_not_there_yet_is_waited_for() {
    let stage = Stage::new().await;
    let mut settings = stage.settings();
    settings.kafka.topic = format!("{}-not-yet", settings.kafka.topic);
    let running = Running::start(&settings).await;
    let degraded = async || running.get("/readyz?verbose").await.1.contains("does not exist");
    eventually(DEADLINE, degraded).await;
    assert_eq!(running.get("/livez").await.0, 200);
    credo_kafka::Topic::connect(&settings.kafka, "test")
        .unwrap()
        .ensure()
        .await
        .ok();
    let up = async || {
        running
            .get("/readyz?verbose")
            .await
            .1
            .contains(r#""kafka":{"state":"up""#)
    };
    eventually(DEADLINE, up).await;
    running.stop().await.unwrap();
}
