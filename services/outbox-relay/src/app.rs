//! The wiring, the same in production and in tests.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use credo_admin::{
    AdminLayer, AdminServer, MAX_MESSAGE_BYTES, Permissions, RemoteJwks, RemoteJwksSpec, Services, debug_service,
};
use credo_clock::{SharedClock, SystemClock};
use credo_kafka::Topic;
use credo_lifecycle::{Health, Shutdown, TaskError, Tasks, bind, management};
use credo_outbox::CONNECTION_SETTINGS;
use credo_postgres::{PoolSpec, connect_lazy};
use credo_proto::{DESCRIPTOR_SET, admin::v1::outbox_service_server::OutboxServiceServer};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    grpc::Outbox,
    kafka_probe,
    leadership::Leadership,
    metrics::Metrics,
    pending::Watch,
    relay::{Relay, Unfit},
    settings::Settings,
    status::Status,
};

const CLIENT_ID: &str = "credo-outbox-relay-admin";
const MAX_CONNECTIONS: u32 = 6;
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(4);
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
const DRAIN_DEADLINE: Duration = Duration::from_secs(8);

/// Why the process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] credo_lifecycle::BindError),
    /// `database.url` cannot be read.
    #[error("database.url: {0}")]
    DatabaseUrl(#[from] credo_postgres::InvalidUrl),
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
    relay: Relay,
    watch: Watch,
    leadership: Leadership,
    outbox: Outbox,
    guard: AdminLayer,
    grpc: AdminServer,
    management: TcpListener,
    health: Health,
    metrics: Metrics,
    shutdown: Shutdown,
}

impl App {
    /// Assembles the process and binds its ports. Neither the database nor Kafka need answer.
    ///
    /// # Errors
    /// When a setting is wrong or a port is taken.
    pub async fn build(settings: &Settings, shutdown: Shutdown) -> Result<Self, AppError> {
        let clock = SystemClock::new();
        let metrics = Metrics::new()?;
        let health = Health::new();
        let status = Status::new(clock.clone(), metrics.clone());
        let pool = connect_lazy(&PoolSpec {
            url: &settings.database.url,
            application_name: "outbox-relay",
            max_connections: MAX_CONNECTIONS,
            statement_timeout: STATEMENT_TIMEOUT,
            lock_timeout: LOCK_TIMEOUT,
            settings: &CONNECTION_SETTINGS,
        })?;
        let (postgres, publishing) = (health.component("postgres"), health.component("publishing"));
        publishing.up();
        Ok(Self {
            relay: Relay {
                pool: pool.clone(),
                topic: Topic::connect(&settings.kafka, CLIENT_ID)?,
                kafka: settings.kafka.clone(),
                kafka_health: health.component("kafka"),
                postgres_health: postgres.clone(),
                status: status.clone(),
                metrics: metrics.clone(),
                shutdown: shutdown.clone(),
            },
            watch: Watch {
                pool: pool.clone(),
                metrics: metrics.clone(),
                status: status.clone(),
                publishing,
                shutdown: shutdown.clone(),
            },
            leadership: Leadership {
                pool: pool.clone(),
                postgres,
                status: status.clone(),
            },
            outbox: Outbox { pool, status },
            guard: guard(settings, clock)?,
            grpc: AdminServer::new(bind("grpc.listen", settings.grpc.listen).await?, &settings.grpc.tls)?,
            management: bind("management.listen", settings.management.listen).await?,
            health,
            metrics,
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
        let registry = self.metrics.registry.clone();
        let (topic, kafka, status) = (
            self.relay.topic.clone(),
            self.relay.kafka_health.clone(),
            self.relay.status.clone(),
        );
        tasks.spawn(
            "management",
            management::serve(self.management, self.health.clone(), registry, self.shutdown.clone()),
        );
        let calls = self.metrics.calls.clone();
        let services = Services::new()
            .with(OutboxServiceServer::new(self.outbox).max_decoding_message_size(MAX_MESSAGE_BYTES))
            .with(debug_service("outbox-relay", SystemClock::new()));
        tasks.spawn(
            "grpc",
            self.grpc
                .observed_by(&calls)
                .serve(self.guard, services, || {}, self.shutdown.clone()),
        );
        tasks.spawn("pending", self.watch.run());
        tasks.spawn(
            "kafka-probe",
            kafka_probe::run(topic, kafka, status, self.shutdown.clone()),
        );
        tasks.spawn("relay", lead_and_publish(self.leadership, self.relay));
        self.health.started();
        tasks.wait(DRAIN_DEADLINE).await
    }
}

/// The lease is given back when the last record is acknowledged or given up, not before.
async fn lead_and_publish(leadership: Leadership, relay: Relay) -> Result<(), Unfit> {
    let (leads, is_leading) = watch::channel(false);
    let (stop, is_stopped) = watch::channel(false);
    let publishing = async {
        let result = relay.run(is_leading).await;
        let _ = stop.send(true);
        result
    };
    let (result, ()) = tokio::join!(publishing, leadership.run(leads, is_stopped));
    result
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
