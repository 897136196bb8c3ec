//! The gRPC server: access, limits, health and reflection around the service.

use std::time::Duration;

use credo_admin::AdminLayer;
use credo_lifecycle::Shutdown;
use credo_proto::{DESCRIPTOR_SET, admin::v1::audit_service_server::AuditServiceServer};
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

use super::Audit;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_CONCURRENT_PER_CONNECTION: usize = 16;
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// Why the gRPC server cannot run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error("gRPC server: {0}")]
    Transport(#[from] tonic::transport::Error),
    #[error("gRPC reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves until shutdown is requested and the calls that run are answered.
pub(crate) async fn serve(
    listener: TcpListener,
    guard: AdminLayer,
    service: Audit,
    shutdown: Shutdown,
) -> Result<(), ServeError> {
    let (health_reporter, health) = tonic_health::server::health_reporter();
    health_reporter.set_serving::<AuditServiceServer<Audit>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    Server::builder()
        .timeout(REQUEST_TIMEOUT)
        .concurrency_limit_per_connection(MAX_CONCURRENT_PER_CONNECTION)
        .layer(guard)
        .add_service(health)
        .add_service(reflection)
        .add_service(AuditServiceServer::new(service).max_decoding_message_size(MAX_REQUEST_BYTES))
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            shutdown.requested(),
        )
        .await?;
    Ok(())
}
