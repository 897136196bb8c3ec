//! The gRPC server: which services there are, and the layers that every call comes through.

use std::{sync::Arc, time::Duration};

use axum::{Router, middleware::from_fn_with_state};
use credo_admin::{AdminLayer, InvalidDescriptors, Permissions};
use credo_lifecycle::Shutdown;
use credo_proto::{
    DESCRIPTOR_SET,
    admin::v1::{
        client_service_server::ClientServiceServer, consent_service_server::ConsentServiceServer,
        rate_limit_service_server::RateLimitServiceServer, session_service_server::SessionServiceServer,
        tenant_service_server::TenantServiceServer, user_service_server::UserServiceServer,
    },
};
use tokio::{net::TcpListener, time::sleep};
use tonic::{
    server::NamedService,
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use tonic_health::{
    ServingStatus,
    pb::health_server::HealthServer,
    server::{HealthReporter, HealthService},
};

use super::{
    clients::Clients,
    consents::Consents,
    database_clock::DatabaseClock,
    envelope::{DEADLINE, Envelope, surround},
    keys::OwnKeys,
    rate_limits::RateLimits,
    sessions::Sessions,
    standing::honoured,
    tenants::Tenants,
    users::Users,
};
use crate::app::App;

/// Longest message that is read, in bytes.
const MAX_MESSAGE_BYTES: usize = 256 * 1_024;
/// Longest metadata of a call, in bytes.
const MAX_METADATA_BYTES: u32 = 16 * 1_024;
/// Calls at one time on one connection.
const MAX_STREAMS: u32 = 64;
/// How often a silent connection is asked whether it lives.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// What every service is, to those who watch the health of the whole server.
const WHOLE_SERVER: &str = "";

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A defect of the definitions.
    #[error(transparent)]
    Permissions(#[from] InvalidDescriptors),
    /// A defect of the definitions.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The listener failed.
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
}

/// Serves until shutdown is requested and every call is answered.
///
/// # Errors
/// If the definitions cannot be read, or the listener fails.
pub async fn serve(app: Arc<App>, listener: TcpListener, shutdown: Shutdown) -> Result<(), ServeError> {
    let health = HealthReporter::new();
    set_health(&health, ServingStatus::Serving).await;
    let routes = layered(&app, routes(&app, &health)?)?;
    let stopped = shutdown.clone();
    let serving = Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .http2_max_header_list_size(MAX_METADATA_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .add_routes(routes.into())
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), async move {
            stopped.requested().await;
            set_health(&health, ServingStatus::NotServing).await;
        });
    tokio::select! {
        result = serving => Ok(result?),
        // Calls have their deadline; what is left then are streams that somebody watches, and those never end.
        () = past_deadline(&shutdown) => Ok(()),
    }
}

async fn past_deadline(shutdown: &Shutdown) {
    shutdown.requested().await;
    sleep(DEADLINE).await;
}

fn routes(app: &Arc<App>, health: &HealthReporter) -> Result<Router, ServeError> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name(TenantServiceServer::<Tenants>::NAME)
        .with_service_name(ClientServiceServer::<Clients>::NAME)
        .with_service_name(UserServiceServer::<Users>::NAME)
        .with_service_name(SessionServiceServer::<Sessions>::NAME)
        .with_service_name(ConsentServiceServer::<Consents>::NAME)
        .with_service_name(RateLimitServiceServer::<RateLimits>::NAME)
        .with_service_name(HealthServer::<HealthService>::NAME)
        .build_v1()?;
    let health = HealthService::from_health_reporter(health.clone());
    let routes = Routes::new(HealthServer::new(health))
        .add_service(reflection)
        .add_service(TenantServiceServer::new(Tenants::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add_service(ClientServiceServer::new(Clients::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add_service(UserServiceServer::new(Users::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add_service(SessionServiceServer::new(Sessions::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add_service(ConsentServiceServer::new(Consents::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add_service(RateLimitServiceServer::new(RateLimits::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES));
    Ok(routes.into_axum_router())
}

/// From the inside out: is the token still honoured; who calls and may they; bounds, id and log line.
fn layered(app: &Arc<App>, routes: Router) -> Result<Router, ServeError> {
    let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET)?;
    let keys = Arc::new(OwnKeys(Arc::clone(app)));
    let clock = Arc::new(DatabaseClock(Arc::clone(app)));
    Ok(routes
        .layer(from_fn_with_state(Arc::clone(app), honoured))
        .layer(AdminLayer::new(keys, permissions, clock))
        .layer(from_fn_with_state(Envelope::new(app), surround)))
}

async fn set_health(health: &HealthReporter, status: ServingStatus) {
    for service in [
        WHOLE_SERVER,
        TenantServiceServer::<Tenants>::NAME,
        ClientServiceServer::<Clients>::NAME,
        UserServiceServer::<Users>::NAME,
        SessionServiceServer::<Sessions>::NAME,
        ConsentServiceServer::<Consents>::NAME,
        RateLimitServiceServer::<RateLimits>::NAME,
    ] {
        health.set_service_status(service, status).await;
    }
}
