//! Writers, a running relay, and what lies in the topic.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use credo_ids::{Shard, TenantId};
use credo_kafka::{KafkaSettings, Mode, Record, RecordHeaders};
use credo_lifecycle::{Shutdown, TaskError};
use credo_outbox::{FIRST_SEQ, RunningHash};
use credo_testkit::{TestDatabase, eventually};
use outbox_relay::{App, Settings};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};
use sqlx::PgPool;
use tokio::{runtime::Runtime, task::JoinHandle};
use uuid::Uuid;

pub const DEADLINE: Duration = Duration::from_mins(1);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

pub fn fresh_topic() -> String {
    format!("relay-test-{}", Uuid::new_v4())
}

pub fn settings(database: &TestDatabase, brokers: &str, topic: &str) -> Settings {
    let mut settings: Settings = credo_config::Inputs {
        set: vec![
            "public_base_url=http://127.0.0.1:1".to_owned(),
            "grpc.listen=127.0.0.1:0".to_owned(),
            "management.listen=127.0.0.1:0".to_owned(),
            format!("database.url={}", database.url_as("credo_outbox_relay")),
            format!("kafka.brokers={brokers}"),
        ],
        ..credo_config::Inputs::default()
    }
    .decode(&outbox_relay::SPEC)
    .unwrap();
    settings.kafka = KafkaSettings {
        brokers: brokers.to_owned(),
        topic: topic.to_owned(),
        mode: Mode::Development,
    };
    settings
}

/// A relay that ends when it is stopped or dropped.
pub struct Relay {
    pub grpc: SocketAddr,
    pub management: SocketAddr,
    http: reqwest::Client,
    shutdown: Shutdown,
    run: JoinHandle<Result<(), TaskError>>,
}

impl Relay {
    pub async fn start(settings: &Settings) -> Self {
        let shutdown = Shutdown::new();
        let app = App::build(settings, shutdown.clone()).await.unwrap();
        let (grpc, management) = app.addresses().unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(app.run());
        #[expect(clippy::disallowed_methods, reason = "a test waits for it itself")]
        let run = tokio::spawn(async move { tasks.join_next().await.unwrap().unwrap() });
        Self {
            grpc,
            management,
            http: reqwest::Client::new(),
            shutdown,
            run,
        }
    }

    pub async fn stop(self) -> Result<(), TaskError> {
        self.shutdown.request();
        self.run.await.unwrap()
    }

    /// Waits until it ends by itself.
    pub async fn outcome(self) -> Result<(), TaskError> {
        self.run.await.unwrap()
    }

    pub async fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").await.1;
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.and_then(|line| line.split(' ').nth(1))
            .unwrap_or_else(|| panic!("no metric {name}"))
            .parse()
            .unwrap()
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let response = self
            .http
            .get(format!("http://{}{path}", self.management))
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

/// A relay on a runtime of its own, which can be taken from under its feet.
pub struct Killable(Option<Runtime>);

impl Killable {
    pub fn start(settings: &Settings) -> Self {
        let runtime = Runtime::new().unwrap();
        let app = std::thread::scope(|scope| {
            let build = || runtime.block_on(App::build(settings, Shutdown::new())).unwrap();
            scope.spawn(build).join().unwrap()
        });
        runtime.spawn(app.run());
        Self(Some(runtime))
    }

    pub fn kill(mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The tenant with this number.
pub fn tenant(number: u64) -> TenantId {
    TenantId::from(Uuid::from_u128(u128::from(number) + 1))
}

/// Inserts an event whose core is the aggregate's running number, under the aggregate's row lock.
pub async fn write(transaction: &mut sqlx::PgConnection, tenant: TenantId, aggregate: Uuid) {
    sqlx::query(
        "WITH locked AS (UPDATE truth SET n = n + 1 WHERE aggregate = $1 RETURNING n)
         INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
         SELECT 0, $2, $3, $1, $4, 2, int8send(n), 'personal' FROM locked",
    )
    .bind(aggregate)
    .bind(tenant.as_uuid())
    .bind(Shard::of(tenant).as_i16())
    .bind(Uuid::now_v7())
    .execute(transaction)
    .await
    .unwrap();
}

/// An auth database with a table that says how many events each aggregate has.
pub async fn database_with_truth(aggregates: impl Iterator<Item = Uuid>) -> (TestDatabase, PgPool) {
    let database = TestDatabase::auth().await;
    for statement in [
        "CREATE TABLE truth (aggregate uuid PRIMARY KEY, n bigint NOT NULL)",
        "GRANT SELECT, INSERT, UPDATE ON truth TO credo_auth_api",
    ] {
        sqlx::query(statement).execute(database.owner_pool()).await.unwrap();
    }
    let writer = PgPool::connect_lazy(&database.url_as("credo_auth_api")).unwrap();
    for aggregate in aggregates {
        sqlx::query("INSERT INTO truth VALUES ($1, 0)")
            .bind(aggregate)
            .execute(&writer)
            .await
            .unwrap();
    }
    (database, writer)
}

pub async fn write_many(writer: &PgPool, tenant: TenantId, aggregate: Uuid, count: usize) {
    let mut transaction = writer.begin().await.unwrap();
    for _ in 0..count {
        write(&mut transaction, tenant, aggregate).await;
    }
    transaction.commit().await.unwrap();
}

pub async fn committed(database: &TestDatabase) -> usize {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox")
        .fetch_one(database.owner_pool())
        .await
        .unwrap();
    usize::try_from(count).unwrap()
}

/// Waits until progress says that everything committed is published.
pub async fn published(database: &TestDatabase) {
    let unpublished = async || {
        let published: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum(next_seq - 1), 0)::bigint FROM
             (SELECT DISTINCT ON (shard) next_seq FROM progress WHERE shard >= 0 ORDER BY shard, first_seq DESC) p",
        )
        .fetch_one(database.owner_pool())
        .await
        .unwrap();
        usize::try_from(published).unwrap() == committed(database).await
    };
    eventually(DEADLINE, unpublished).await;
}

/// Everything that lies in the topic, partition by partition.
pub async fn topic_content(brokers: &str, topic: &str) -> Vec<(RecordHeaders, Record)> {
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    tokio::task::spawn_blocking(move || read_topic(&brokers, &topic))
        .await
        .unwrap()
}

fn read_topic(brokers: &str, topic: &str) -> Vec<(RecordHeaders, Record)> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "nobody")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "10")
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), REQUEST_TIMEOUT).unwrap();
    let mut records = vec![];
    for partition in metadata.topics()[0].partitions() {
        let (low, high) = consumer
            .fetch_watermarks(topic, partition.id(), REQUEST_TIMEOUT)
            .unwrap();
        let mut assignment = TopicPartitionList::new();
        assignment
            .add_partition_offset(topic, partition.id(), Offset::Offset(low))
            .unwrap();
        consumer.assign(&assignment).unwrap();
        let mut next = low;
        while next < high {
            if let Some(Ok(message)) = consumer.poll(REQUEST_TIMEOUT) {
                let record = Record::from(&message);
                next = record.offset + 1;
                records.push((record.headers().unwrap(), record));
            }
        }
    }
    records
}

/// Checks the numbers, hashes, keys and partitions of a topic, and returns each event's first occurrence, in order per shard.
pub fn assert_sound(records: &[(RecordHeaders, Record)], partitions: i32) -> Vec<(RecordHeaders, Record)> {
    let mut heads = BTreeMap::<u8, (i64, RunningHash)>::new();
    let mut first = BTreeMap::<(u8, i64), usize>::new();
    for (place, (headers, record)) in records.iter().enumerate() {
        assert_eq!(record.partition, credo_kafka::partition_of(headers.shard, partitions));
        assert_eq!(record.key.as_deref(), Some(headers.aggregate.as_bytes().as_slice()));
        let (next, hash) = heads
            .entry(headers.shard.get())
            .or_insert((FIRST_SEQ, RunningHash::START));
        if headers.seq == *next {
            *hash = hash.after(&record.value);
            *next += 1;
            assert_eq!(headers.running_hash, *hash);
            first.insert((headers.shard.get(), headers.seq), place);
        } else {
            let earlier = first
                .get(&(headers.shard.get(), headers.seq))
                .expect("a hole in the numbers");
            assert_eq!(records[*earlier].0, *headers, "one number, two headers");
            assert_eq!(records[*earlier].1.value, record.value, "one number, two values");
        }
    }
    first.values().map(|place| records[*place].clone()).collect()
}

/// The running number that an event's core holds.
pub fn number_of(record: &Record) -> i64 {
    let parts = credo_kafka::split_value(&record.value).unwrap();
    assert_eq!(parts.personal, b"personal");
    i64::from_be_bytes(parts.core.try_into().unwrap())
}

/// The same of the events of one class alone.
pub fn assert_lock_order_of(records: &[(RecordHeaders, Record)], class: i16) {
    let of_class = records.iter().filter(|(headers, _)| headers.class.as_i16() == class);
    assert_lock_order(&of_class.cloned().collect::<Vec<_>>());
}

/// Checks that every aggregate's events are there without gap, in lock order.
pub fn assert_lock_order(records: &[(RecordHeaders, Record)]) {
    let mut next = BTreeMap::<Uuid, i64>::new();
    for (headers, record) in records {
        let next = next.entry(headers.aggregate).or_insert(1);
        assert_eq!(number_of(record), *next, "aggregate {}", headers.aggregate);
        *next += 1;
    }
}
