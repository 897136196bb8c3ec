//! The gRPC server: which services there are, and what stands between them and the guard.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use credo_admin::{
    AdminLayer, AdminServer, InvalidDescriptors, MAX_MESSAGE_BYTES, Permissions, ServeError as ServerError, Services,
    debug_service,
};
use credo_lifecycle::Shutdown;
use credo_proto::{
    DESCRIPTOR_SET,
    admin::v1::{
        cache_service_server::CacheServiceServer, client_service_server::ClientServiceServer,
        consent_service_server::ConsentServiceServer, rate_limit_service_server::RateLimitServiceServer,
        session_service_server::SessionServiceServer, signing_key_service_server::SigningKeyServiceServer,
        tenant_service_server::TenantServiceServer, user_service_server::UserServiceServer,
    },
};

use super::{
    caches::Caches, call::in_context, clients::Clients, consents::Consents, database_clock::DatabaseClock,
    keys::OwnKeys, rate_limits::RateLimits, sessions::Sessions, signing_keys::SigningKeys, standing::honoured,
    tenants::Tenants, users::Users,
};
use crate::app::App;

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A defect of the definitions.
    #[error(transparent)]
    Permissions(#[from] InvalidDescriptors),
    /// The server failed.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// Serves until shutdown is requested and every call is answered.
///
/// # Errors
/// If the definitions cannot be read, or the listener fails.
pub async fn serve(app: Arc<App>, server: AdminServer, shutdown: Shutdown) -> Result<(), ServeError> {
    let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET)?;
    let (keys, clock) = (OwnKeys(Arc::clone(&app)), DatabaseClock(Arc::clone(&app)));
    let guard = AdminLayer::new(Arc::new(keys), permissions, Arc::new(clock));
    let services = services(&app);
    let overloads = app.metrics.overloads.clone();
    let server = server.observed_by(&app.metrics.calls);
    Ok(server.serve(guard, services, move || overloads.inc(), shutdown).await?)
}

/// From the inside out: is the token still honoured; the call as its events see it.
fn services(app: &Arc<App>) -> Services {
    Services::new()
        .with(TenantServiceServer::new(Tenants::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .with(ClientServiceServer::new(Clients::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .with(UserServiceServer::new(Users::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .with(SessionServiceServer::new(Sessions::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .with(ConsentServiceServer::new(Consents::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .with(RateLimitServiceServer::new(RateLimits::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .with(CacheServiceServer::new(Caches::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .with(debug_service("auth-api", Arc::clone(&app.clock)))
        .with(SigningKeyServiceServer::new(SigningKeys::new(app)).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .behind(|routes| {
            let routes = routes.into_axum_router();
            routes
                .layer(from_fn_with_state(Arc::clone(app), honoured))
                .layer(from_fn_with_state(Arc::clone(app), in_context))
                .into()
        })
}
