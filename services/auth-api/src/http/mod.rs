//! Public HTTP: parse, call one flow, shape the answer.

mod answer;
mod authorize;
mod bearer;
mod bounded;
mod browser;
mod client_credentials;
mod context;
mod cors;
mod form;
mod introspect;
mod metadata;
mod openapi;
mod proxies;
mod quota;
mod revoke;
mod router;
mod sessions;
mod token;
mod userinfo;

pub use proxies::TrustedProxies;
pub use router::{ROUTES, router};

use std::sync::Arc;

use credo_lifecycle::{HttpLimits, HttpServer};
use tokio::net::TcpListener;

use crate::app::App;

/// The server of public HTTP.
#[must_use]
pub fn server(app: &Arc<App>, listener: TcpListener, limits: HttpLimits) -> HttpServer {
    let proxies = app.settings.trusted_proxies.clone();
    HttpServer::new(listener, limits)
        .sharing(move |peer| proxies.contains(peer))
        .observed_by(&app.metrics.connections)
}
