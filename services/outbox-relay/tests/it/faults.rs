//! Brokers that fail in ways that a real one cannot be made to.

use std::time::Duration;

use credo_testkit::{TestDatabase, eventually};
use outbox_relay::Settings;
use rdkafka::{
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{
    DEADLINE, Relay, assert_lock_order, assert_sound, committed, database_with_truth, fresh_topic, published, settings,
    tenant, topic_content, write_many,
};

const PARTITIONS: i32 = 4;

struct Fixture {
    cluster: MockCluster<'static, DefaultProducerContext>,
    topic: String,
    database: TestDatabase,
    writer: PgPool,
    settings: Settings,
}

impl Fixture {
    async fn new() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        let topic = fresh_topic();
        cluster.create_topic(&topic, PARTITIONS, 1).unwrap();
        let (database, writer) = database_with_truth((0..4).map(Uuid::from_u128)).await;
        let settings = settings(&database, &cluster.bootstrap_servers(), &topic);
        Self {
            cluster,
            topic,
            database,
            writer,
            settings,
        }
    }

    async fn write(&self, count: usize) {
        for number in 0..4 {
            write_many(&self.writer, tenant(number), Uuid::from_u128(u128::from(number)), count).await;
        }
    }

    async fn assert_published_soundly(&self) {
        let content = topic_content(&self.cluster.bootstrap_servers(), &self.topic).await;
        let events = assert_sound(&content, PARTITIONS);
        assert_eq!(events.len(), committed(&self.database).await);
        assert_lock_order(&events);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn errors_that_pass_lose_and_reorder_nothing() {
    let fixture = Fixture::new().await;
    let relay = Relay::start(&fixture.settings).await;
    fixture.write(5).await;
    published(&fixture.database).await;
    fixture.cluster.request_errors(
        RDKafkaApiKey::Produce,
        &[
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
        ],
    );
    for _ in 0..5 {
        fixture.write(5).await;
    }
    published(&fixture.database).await;
    assert_eq!(relay.metric("credo_outbox_restarts_total").await, 0);
    relay.stop().await.unwrap();
    fixture.assert_published_soundly().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_record_refused_for_good_is_sent_again_and_nothing_overtakes_it() {
    let fixture = Fixture::new().await;
    let relay = Relay::start(&fixture.settings).await;
    fixture.write(1).await;
    published(&fixture.database).await;
    fixture.cluster.request_errors(
        RDKafkaApiKey::Produce,
        &[
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        ],
    );
    fixture.write(20).await;
    published(&fixture.database).await;
    assert!(
        relay.metric("credo_outbox_restarts_total").await >= 1,
        "the test is void without a refusal"
    );
    relay.stop().await.unwrap();
    fixture.assert_published_soundly().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broker_that_is_away_is_waited_for() {
    let fixture = Fixture::new().await;
    let relay = Relay::start(&fixture.settings).await;
    fixture.write(1).await;
    published(&fixture.database).await;
    fixture.cluster.broker_down(1).unwrap();
    fixture.write(10).await;
    let degraded = async || relay.get("/readyz?verbose").await.1.contains("degraded");
    eventually(DEADLINE, degraded).await;
    assert_eq!(relay.get("/readyz").await.0, 200, "degraded is ready");
    assert!(relay.metric("credo_outbox_pending_total").await > 0);
    fixture.cluster.broker_up(1).unwrap();
    published(&fixture.database).await;
    let up = async || !relay.get("/readyz?verbose").await.1.contains("degraded");
    eventually(DEADLINE, up).await;
    relay.stop().await.unwrap();
    fixture.assert_published_soundly().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_while_the_broker_is_away_ends_in_time_and_loses_nothing() {
    let fixture = Fixture::new().await;
    let relay = Relay::start(&fixture.settings).await;
    fixture.write(1).await;
    published(&fixture.database).await;
    fixture.cluster.broker_down(1).unwrap();
    fixture.write(10).await;
    tokio::time::timeout(Duration::from_secs(10), relay.stop())
        .await
        .unwrap()
        .unwrap();
    fixture.cluster.broker_up(1).unwrap();
    let next = Relay::start(&fixture.settings).await;
    published(&fixture.database).await;
    next.stop().await.unwrap();
    fixture.assert_published_soundly().await;
}
