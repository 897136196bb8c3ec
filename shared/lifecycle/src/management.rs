//! The management port: probes and metrics. Refuses everything else; it is not for the public.
//!
//! `/livez` never looks at dependencies: restarting a process does not mend its database.

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use prometheus::{Registry, TextEncoder, process_collector::ProcessCollector};
use tokio::net::TcpListener;

use crate::{Health, HttpLimits, HttpServer, Shutdown};

/// Serves until the work of the process is drained; says "draining" from the moment when shutdown is requested.
/// Metrics of the process itself are added to `registry`. Run it in [`crate::Tasks`].
pub async fn serve(listener: TcpListener, health: Health, registry: Registry, shutdown: Shutdown) {
    let companion = shutdown.companion();
    // Already there when two servers share a registry, as in tests.
    let _ = registry.register(Box::new(ProcessCollector::for_self()));
    let app = router(health.clone(), registry);
    let serving = HttpServer::new(listener, HttpLimits::MANAGEMENT).serve(app, std::future::pending());
    tokio::pin!(serving);
    tokio::select! {
        () = &mut serving => return,
        () = shutdown.requested() => health.draining(),
    }
    tokio::select! {
        () = &mut serving => {}
        () = companion.drained() => {}
    }
}

#[derive(Clone)]
struct Management {
    health: Health,
    registry: Registry,
}

fn router(health: Health, registry: Registry) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/startupz", get(startupz))
        .route("/metrics", get(metrics))
        .with_state(Management { health, registry })
}

async fn readyz(State(management): State<Management>, RawQuery(query): RawQuery) -> Response {
    let status = status_of(management.health.is_ready());
    let is_verbose = query
        .as_deref()
        .is_some_and(|query| query.split('&').any(|field| field.split('=').next() == Some("verbose")));
    if is_verbose {
        return (status, Json(management.health.report())).into_response();
    }
    let text = if status.is_success() { "ok\n" } else { "not ready\n" };
    (status, text).into_response()
}

async fn startupz(State(management): State<Management>) -> Response {
    let is_started = management.health.is_started();
    let text = if is_started { "ok\n" } else { "starting\n" };
    (status_of(is_started), text).into_response()
}

async fn metrics(State(management): State<Management>) -> Response {
    match TextEncoder::new().encode_to_string(&management.registry.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be encoded");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn status_of(good: bool) -> StatusCode {
    if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
