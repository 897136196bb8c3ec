//! The wiring, the same in production and in tests.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use credo_admin::{
    AdminLayer, AdminServer, MAX_MESSAGE_BYTES, Permissions, RemoteJwks, RemoteJwksSpec, Services, debug_service,
};
use credo_clock::{SharedClock, SystemClock};
use credo_kafka::Topic;
use credo_lifecycle::{Health, Shutdown, TaskError, Tasks, bind, management};
use credo_postgres::{InvalidUrl, PoolSpec, connect_lazy};
use credo_proto::{DESCRIPTOR_SET, admin::v1::audit_service_server::AuditServiceServer};
use secrecy::SecretString;
use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::{
    Metrics,
    consumer::Consumer,
    grpc::{Audit, Places, Reader, Standing, Tails},
    kafka_probe, months,
    partition::Store,
    progress::Progress,
    settings::Settings,
    sink::{self, Sink},
};

const CLIENT_ID: &str = "credo-audit-consumer-admin";
const MAX_CONNECTIONS: u32 = 6;
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(4);
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
const DRAIN_DEADLINE: Duration = Duration::from_secs(8);

/// Why the process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] credo_lifecycle::BindError),
    /// A database URL cannot be read.
    #[error("{0}: {1}")]
    DatabaseUrl(&'static str, InvalidUrl),
    /// The Kafka client refuses the settings.
    #[error("kafka: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// The certificates of the admin port.
    #[error(transparent)]
    Tls(#[from] credo_admin::TlsError),
    /// Admin tokens cannot be checked.
    #[error("admin: {0}")]
    Jwks(#[from] credo_admin::RemoteJwksError),
    /// The API definition is broken.
    #[error(transparent)]
    Descriptors(#[from] credo_admin::InvalidDescriptors),
    /// Two metrics have one name.
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
}

/// The assembled process.
pub struct App {
    consumer: Consumer,
    audit: Audit,
    guard: AdminLayer,
    grpc: AdminServer,
    management: TcpListener,
    health: Health,
    shutdown: Shutdown,
}

impl App {
    /// Assembles the process and binds its ports. Neither the database nor Kafka need answer.
    ///
    /// # Errors
    /// When a setting is wrong or a port is taken.
    pub async fn build(settings: &Settings, shutdown: Shutdown) -> Result<Self, AppError> {
        let clock = SystemClock::new();
        let health = Health::new();
        let writing = pool(&settings.database.url, "audit-consumer", &sink::CONNECTION_SETTINGS)
            .map_err(|error| AppError::DatabaseUrl("database.url", error))?;
        let reading = pool(
            &settings.database.reader_url,
            "audit-reader",
            &Reader::CONNECTION_SETTINGS,
        )
        .map_err(|error| AppError::DatabaseUrl("database.reader_url", error))?;
        let store = Store {
            sink: Sink::new(writing.clone(), settings.kafka.topic.clone()),
            metrics: Metrics::new()?,
            clock: clock.clone(),
        };
        let (topic, progress) = (
            Topic::connect(&settings.kafka, CLIENT_ID)?,
            Progress::new(clock.clone()),
        );
        let audit = Audit {
            reader: Reader { pool: reading.clone() },
            tails: Tails {
                reader: Reader { pool: reading.clone() },
                clock: clock.clone(),
                shutdown: shutdown.clone(),
                places: Arc::<Places>::default(),
                slow_readers: store.metrics.slow_readers.clone(),
            },
            standing: Standing {
                progress: progress.clone(),
                topic: topic.clone(),
                sink: store.sink.clone(),
            },
        };
        Ok(Self {
            consumer: Consumer {
                store,
                progress,
                kafka: settings.kafka.clone(),
                topic,
                pools: [writing, reading],
                kafka_health: health.component("kafka"),
                postgres_health: health.component("postgres"),
                trail_health: health.component("trail"),
                shutdown: shutdown.clone(),
            },
            audit,
            guard: guard(settings, clock)?,
            grpc: AdminServer::new(bind("grpc.listen", settings.grpc.listen).await?, &settings.grpc.tls)?,
            management: bind("management.listen", settings.management.listen).await?,
            health,
            shutdown,
        })
    }

    /// Where gRPC and the management port listen.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.grpc.local_addr()?, self.management.local_addr()?))
    }

    /// Runs until shutdown is requested and the work is drained.
    ///
    /// # Errors
    /// When a part fails.
    pub async fn run(self) -> Result<(), TaskError> {
        let tasks = Tasks::new(self.shutdown.clone());
        let registry = self.consumer.store.metrics.registry.clone();
        let sink = self.consumer.store.sink.clone();
        let (topic, kafka) = (self.consumer.topic.clone(), self.consumer.kafka_health.clone());
        tasks.spawn(
            "management",
            management::serve(self.management, self.health.clone(), registry, self.shutdown.clone()),
        );
        let calls = self.consumer.store.metrics.calls.clone();
        let services = Services::new()
            .with(AuditServiceServer::new(self.audit).max_decoding_message_size(MAX_MESSAGE_BYTES))
            .with(debug_service("audit-consumer", SystemClock::new()));
        tasks.spawn(
            "grpc",
            self.grpc
                .observed_by(&calls)
                .serve(self.guard, services, || {}, self.shutdown.clone()),
        );
        tasks.spawn("months", months::run(sink, self.shutdown.clone()));
        tasks.spawn("kafka-probe", kafka_probe::run(topic, kafka, self.shutdown.clone()));
        tasks.spawn("consumer", self.consumer.run());
        self.health.started();
        tasks.wait(DRAIN_DEADLINE).await
    }
}

fn pool(url: &SecretString, application_name: &str, settings: &[(&str, &str)]) -> Result<PgPool, InvalidUrl> {
    connect_lazy(&PoolSpec {
        url,
        application_name,
        max_connections: MAX_CONNECTIONS,
        statement_timeout: STATEMENT_TIMEOUT,
        lock_timeout: LOCK_TIMEOUT,
        settings,
    })
}

fn guard(settings: &Settings, clock: SharedClock) -> Result<AdminLayer, AppError> {
    let spec = RemoteJwksSpec {
        public_base_url: settings.public_base_url.clone(),
        auth_api_url: settings.admin.auth_api_url.clone(),
        cache_dir: settings.admin.jwks_cache_dir.clone(),
    };
    let keys = RemoteJwks::new(spec, clock.clone())?;
    Ok(AdminLayer::new(
        Arc::new(keys),
        Permissions::from_descriptor_set(DESCRIPTOR_SET)?,
        clock,
    ))
}
