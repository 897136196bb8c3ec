//! The process around the work: start, refusals, health, metrics, access.

use credo_kafka::Mode;
use credo_proto::admin::v1::{GetOutboxStatusRequest, outbox_service_client::OutboxServiceClient};
use credo_testkit::{TestDatabase, eventually, kafka_brokers};
use tonic::Code;

use crate::support::{DEADLINE, Relay, fresh_topic, settings};

const METRICS: [&str; 13] = [
    "credo_build_info",
    "credo_log_filter_override",
    "credo_outbox_commit_to_ack_seconds",
    "credo_outbox_fence_held_total",
    "credo_outbox_leader",
    "credo_outbox_oldest_pending_seconds",
    "credo_outbox_paused",
    "credo_outbox_pending_total",
    "credo_outbox_published_total",
    "credo_outbox_restarts_total",
    "credo_rpc_server_call_duration_seconds",
    "credo_rpc_server_calls_total",
    "credo_trace_spans_total",
];

#[tokio::test]
async fn every_metric_is_there_from_the_start() {
    let database = TestDatabase::auth().await;
    let relay = Relay::start(&settings(&database, &kafka_brokers(), &fresh_topic())).await;
    let text = relay.get("/metrics").await.1;
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE credo_")?.split(' ').next());
    assert_eq!(names.map(|name| format!("credo_{name}")).collect::<Vec<_>>(), METRICS);
    relay.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_reads_the_status_without_a_token() {
    let database = TestDatabase::auth().await;
    let relay = Relay::start(&settings(&database, &kafka_brokers(), &fresh_topic())).await;
    let mut client = OutboxServiceClient::connect(format!("http://{}", relay.grpc))
        .await
        .unwrap();
    let refusal = client.get_outbox_status(GetOutboxStatusRequest {}).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated);
    relay.stop().await.unwrap();
}

#[tokio::test]
async fn production_refuses_a_topic_that_can_lose_records() {
    let (database, brokers, topic) = (TestDatabase::auth().await, kafka_brokers(), fresh_topic());
    let mut settings = settings(&database, &brokers, &topic);
    let development = Relay::start(&settings).await;
    eventually(DEADLINE, async || development.get("/readyz").await.0 == 200).await;
    development.stop().await.unwrap();
    settings.kafka.mode = Mode::Production;
    let refusal = Relay::start(&settings).await.outcome().await.unwrap_err().to_string();
    assert!(refusal.contains("has 1 replicas, not 3"), "{refusal}");
}

#[tokio::test]
async fn a_role_that_owns_the_schema_is_refused() {
    let (database, brokers) = (TestDatabase::auth().await, kafka_brokers());
    let mut settings = settings(&database, &brokers, &fresh_topic());
    settings.database.url = database.owner_url().into();
    let refusal = Relay::start(&settings).await.outcome().await.unwrap_err().to_string();
    assert!(refusal.contains("superuser"), "{refusal}");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_waited_for() {
    let (database, brokers) = (TestDatabase::auth().await, kafka_brokers());
    let mut settings = settings(&database, &brokers, &fresh_topic());
    settings.database.url = "postgres://credo_outbox_relay@127.0.0.1:1/nothing".to_owned().into();
    let relay = Relay::start(&settings).await;
    let degraded = async || {
        relay
            .get("/readyz?verbose")
            .await
            .1
            .contains(r#""postgres":{"state":"degraded""#)
    };
    eventually(DEADLINE, degraded).await;
    assert_eq!(relay.get("/livez").await.0, 200);
    relay.stop().await.unwrap();
}
