//! The gRPC server of an admin API: the same listener, limits and layers around whatever services a process has.
//!
//! Refuses: a connection without TLS where TLS is configured, calls beyond the bounds below, calls that the guard refuses.
//! From the outside in: TLS, bounds of the connection, bounds and id of the call ([`Envelope`]), who calls and may they
//! ([`AdminLayer`]), the service. Health and reflection are always there.

mod envelope;
mod metrics;
mod services;
mod tls;

use std::{sync::Arc, time::Duration};

use credo_lifecycle::Shutdown;
use tokio::{net::TcpListener, time::sleep};
use tonic::transport::{Server, server::TcpIncoming};
use tonic_health::{ServingStatus, server::HealthReporter};

use self::{envelope::Envelope, services::WHOLE_SERVER};
pub use self::{
    envelope::{CallContext, MAX_DEADLINE},
    metrics::CallMetrics,
    services::Services,
    tls::{GrpcTls, TlsError},
};
use crate::AdminLayer;

/// Longest message that is read, in bytes: `max_decoding_message_size` of every service.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1_024;
/// Longest metadata of a call, in bytes.
const MAX_METADATA_BYTES: u32 = 16 * 1_024;
/// Calls at one time on one connection.
const MAX_STREAMS: u32 = 64;
/// How often a silent connection is asked whether it lives, and how long it has to answer.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection this old is asked to go, so that clients find new replicas; its calls may end, and streams end with their
/// token before the grace does.
const MAX_CONNECTION_AGE: Duration = Duration::from_mins(30);
const MAX_CONNECTION_GRACE: Duration = Duration::from_mins(10);
/// How long calls may go on after shutdown was requested. What is left then are streams that somebody only watches.
const DRAIN_DEADLINE: Duration = Duration::from_secs(5);

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A defect of the definitions.
    #[error("gRPC reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The listener failed.
    #[error("gRPC server: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// A server that listens and does not serve yet.
#[derive(Debug)]
pub struct AdminServer {
    listener: TcpListener,
    transport: Server,
    metrics: Option<CallMetrics>,
}

impl AdminServer {
    /// A server on `listener`. Reads the files that `tls` names: a change of theirs is seen at the next start.
    ///
    /// # Errors
    /// When the files cannot be read, or do not belong together; names the setting.
    pub fn new(listener: TcpListener, tls: &GrpcTls) -> Result<Self, TlsError> {
        let transport = Server::builder()
            .max_concurrent_streams(MAX_STREAMS)
            .http2_max_header_list_size(MAX_METADATA_BYTES)
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .max_connection_age(MAX_CONNECTION_AGE)
            .max_connection_age_grace(MAX_CONNECTION_GRACE);
        Ok(Self {
            listener,
            transport: tls.apply(transport)?,
            metrics: None,
        })
    }

    /// Counts and times its calls there.
    #[must_use]
    pub fn observed_by(self, metrics: &CallMetrics) -> Self {
        Self {
            metrics: Some(metrics.clone()),
            ..self
        }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn local_addr(&self) -> std::io::Result<std::net::SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until shutdown is requested and the calls that run are answered, or their time is over.
    /// `overloaded` is told of each call that was refused or cut off because there was too much to do.
    ///
    /// # Errors
    /// When the definitions cannot be read, or the listener fails.
    pub async fn serve(
        self,
        guard: AdminLayer,
        services: Services,
        overloaded: impl Fn() + Send + Sync + 'static,
        shutdown: Shutdown,
    ) -> Result<(), ServeError> {
        let health = HealthReporter::new();
        let (routes, names) = services.finish(&health)?;
        set_health(&health, &names, ServingStatus::Serving).await;
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        let stopped = shutdown.clone();
        let serving = self
            .transport
            .layer(Envelope::new(Arc::new(overloaded), self.metrics))
            .layer(guard)
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, async move {
                stopped.requested().await;
                set_health(&health, &names, ServingStatus::NotServing).await;
            });
        tokio::select! {
            result = serving => Ok(result?),
            () = past_deadline(&shutdown) => Ok(()),
        }
    }
}

async fn past_deadline(shutdown: &Shutdown) {
    shutdown.requested().await;
    sleep(DRAIN_DEADLINE).await;
}

async fn set_health(health: &HealthReporter, names: &[&'static str], status: ServingStatus) {
    for service in names.iter().chain([&WHOLE_SERVER]) {
        health.set_service_status(*service, status).await;
    }
}
