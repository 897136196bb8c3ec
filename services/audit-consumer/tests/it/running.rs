//! The consumer as a process: the production wiring over a topic and a database of its own.

use std::{net::SocketAddr, time::Duration};

use audit_consumer::{App, SPEC, Settings};
use credo_kafka::{KafkaSettings, Mode, Topic, partition_of};
use credo_lifecycle::{Shutdown, TaskError};
use credo_testkit::{TestDatabase, eventually, kafka_brokers};
use rdkafka::{
    ClientContext,
    message::DeliveryResult,
    producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext},
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{DEADLINE, Sent};

const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

/// The context of a producer that does not lose in silence.
struct Loud;

impl ClientContext for Loud {}

impl ProducerContext for Loud {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        assert!(result.is_ok(), "{result:?}");
    }
}

/// A topic and a database.
pub struct Stage {
    pub database: TestDatabase,
    pub kafka: KafkaSettings,
    partitions: i32,
    producer: BaseProducer<Loud>,
}

impl Stage {
    pub async fn new() -> Self {
        let topic = format!("consumer-test-{}", Uuid::new_v4());
        let kafka = KafkaSettings {
            brokers: kafka_brokers(),
            topic,
            mode: Mode::Development,
        };
        let admin = Topic::connect(&kafka, "test").unwrap();
        let partitions = eventually(DEADLINE, async || admin.ensure().await.ok()).await;
        let config = credo_kafka::client::producer(&kafka, "test");
        Self {
            database: TestDatabase::audit().await,
            kafka,
            partitions,
            producer: config.create_with_context(Loud).unwrap(),
        }
    }

    /// Puts records into the topic and waits until they are there.
    pub fn send<'a>(&self, sent: impl IntoIterator<Item = &'a Sent>) {
        for sent in sent {
            let record = BaseRecord::to(&self.kafka.topic)
                .partition(partition_of(sent.headers.shard, self.partitions))
                .key(sent.headers.aggregate.as_bytes().as_slice())
                .payload(&sent.value)
                .headers(sent.headers.to_kafka());
            self.producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        self.producer.flush(FLUSH_TIMEOUT).unwrap();
    }

    /// Puts a record that no relay wrote into a partition.
    pub fn send_stray(&self, partition: i32) {
        let record = BaseRecord::<[u8], _>::to(&self.kafka.topic)
            .partition(partition)
            .payload("stray");
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
        self.producer.flush(FLUSH_TIMEOUT).unwrap();
    }

    pub fn settings(&self) -> Settings {
        let mut settings: Settings = credo_config::Inputs {
            set: vec![
                "public_base_url=http://credo.example".to_owned(),
                "grpc.listen=127.0.0.1:0".to_owned(),
                "management.listen=127.0.0.1:0".to_owned(),
                format!("database.url={}", self.database.url_as("credo_audit_consumer")),
                format!("database.reader_url={}", self.database.url_as("credo_audit_reader")),
                format!("kafka.brokers={}", self.kafka.brokers),
            ],
            ..credo_config::Inputs::default()
        }
        .decode(&SPEC)
        .unwrap();
        settings.kafka = self.kafka.clone();
        settings
    }

    pub async fn start(&self) -> Running {
        Running::start(&self.settings()).await
    }

    pub async fn count(&self) -> usize {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM event")
            .fetch_one(self.database.owner_pool())
            .await
            .unwrap();
        usize::try_from(count).unwrap()
    }

    pub async fn wait_for_count(&self, count: usize) {
        eventually(DEADLINE, async || self.count().await >= count).await;
    }
}

/// A running consumer.
pub struct Running {
    pub grpc: SocketAddr,
    management: SocketAddr,
    http: reqwest::Client,
    shutdown: Shutdown,
    run: JoinSet<Result<(), TaskError>>,
}

impl Running {
    pub async fn start(settings: &Settings) -> Self {
        let shutdown = Shutdown::new();
        let app = App::build(settings, shutdown.clone()).await.unwrap();
        let (grpc, management) = app.addresses().unwrap();
        let mut run = JoinSet::new();
        run.spawn(app.run());
        Self {
            grpc,
            management,
            http: reqwest::Client::new(),
            shutdown,
            run,
        }
    }

    pub async fn stop(mut self) -> Result<(), TaskError> {
        self.shutdown.request();
        self.run.join_next().await.unwrap().unwrap()
    }

    /// Waits until it ends by itself.
    pub async fn outcome(mut self) -> Result<(), TaskError> {
        self.run.join_next().await.unwrap().unwrap()
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

    pub async fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").await.1;
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.and_then(|line| line.split(' ').nth(1))
            .unwrap_or_else(|| panic!("no metric {name}"))
            .parse()
            .unwrap()
    }
}
