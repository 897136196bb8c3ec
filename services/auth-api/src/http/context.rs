//! What surrounds a request: its id, its caller's address, a log line, a metric, and the headers of every answer.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State},
    http::{HeaderValue, header, request::Parts},
    middleware::Next,
    response::Response,
};
use credo_ids::RequestId;
use tracing::Instrument as _;

use super::router::ROUTES;
use crate::{app::App, audit::RequestContext, metrics::OTHER_ROUTES};

/// Longest name of a caller that is kept, in bytes.
const MAX_USER_AGENT_BYTES: usize = 256;
/// Names the request in the answer and in logs.
const REQUEST_ID: &str = "x-request-id";

/// The context of the request that is being served, put there by [`with_context`].
#[derive(Clone)]
pub(super) struct Context(pub RequestContext);

impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = super::answer::Internal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or(super::answer::Internal)
    }
}

/// Surrounds a request.
pub(super) async fn with_context(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let context = RequestContext {
        id: RequestId::now_v7(),
        address: address(&app, &request),
        user_agent: user_agent(&request),
    };
    let id = context.id;
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = ROUTES
        .into_iter()
        .find(|route| Some(*route) == path)
        .unwrap_or(OTHER_ROUTES);
    let span = tracing::info_span!("request", %id, method = %request.method(), route);
    request.extensions_mut().insert(Context(context));
    let started = app.clock.monotonic();
    app.metrics.in_flight.inc();
    let in_flight = InFlight(&app);
    let mut response = next.run(request).instrument(span.clone()).await;
    drop(in_flight);
    let seconds = (app.clock.monotonic().saturating_sub(started)).as_secs_f64();
    let status = response.status().as_u16();
    app.metrics.answered(route, status, seconds);
    span.in_scope(|| tracing::info!(status, seconds, "answered"));
    finish(&mut response, id);
    response
}

struct InFlight<'a>(&'a App);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.metrics.in_flight.dec();
    }
}

/// What every answer carries.
fn finish(response: &mut Response, id: RequestId) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(header::REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("no-referrer"));
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

fn address(app: &App, request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?.0.ip();
    Some(app.settings.trusted_proxies.client_address(peer, request.headers()))
}

fn user_agent(request: &Request) -> Option<String> {
    let text = request.headers().get(header::USER_AGENT)?.to_str().ok()?;
    Some(text[..text.len().min(MAX_USER_AGENT_BYTES)].to_owned())
}
