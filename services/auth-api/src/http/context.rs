//! What surrounds a request: its id, its caller's address, a log line, a metric, and the headers of every answer.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::Response,
};
use credo_auth_store::Work;
use credo_ids::RequestId;
use credo_telemetry::TraceContext;
use tracing::{Instrument as _, Span, field::Empty};

use super::{quota, router::ROUTES};
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
    let context = RequestContext::new(address(&app, &request), user_agent(&request));
    let id = context.id;
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = ROUTES
        .into_iter()
        .find(|route| Some(*route) == path)
        .unwrap_or(OTHER_ROUTES);
    let method = known(request.method());
    let span = tracing::info_span!(
        "request",
        request_id = %id,
        trace_id = Empty,
        method,
        route,
        otel.name = Empty,
        otel.kind = "server",
        otel.status_code = Empty,
        http.response.status_code = Empty,
    );
    let is_traced = trace(&app, &span, request.headers(), (method, route));
    request.extensions_mut().insert(Context(context.clone()));
    let started = app.clock.monotonic();
    app.metrics.in_flight.inc();
    let in_flight = InFlight(&app);
    let work = Arc::new(Work::default());
    let serve = Work::scope(Some(Arc::clone(&work)), next.run(request));
    let mut response = serve.instrument(span.clone()).await;
    drop(in_flight);
    let seconds = (app.clock.monotonic().saturating_sub(started)).as_secs_f64();
    let status = response.status().as_u16();
    app.metrics.answered(route, status, seconds);
    if is_traced {
        span.record("http.response.status_code", status);
        if status >= 500 {
            span.record("otel.status_code", "ERROR");
        }
    }
    span.in_scope(|| {
        tracing::info!(
            status,
            seconds,
            tenant = work.tenant().map(tracing::field::display),
            client_id = work.client().map(tracing::field::display),
            statements = work.statements(),
            database_seconds = work.database_time().as_secs_f64(),
            "answered"
        );
    });
    finish(&mut response, id);
    if let Some(quota) = context.quota().filter(|_| !response.status().is_redirection()) {
        quota::tell(&mut response, quota);
    }
    response
}

/// Whoever sends a `traceparent` would decide what is sampled and what it hangs on; so it is believed only where the
/// operator says that a proxy sets it. Else it is noted, and the trace is our own.
fn trace(app: &App, span: &Span, headers: &HeaderMap, (method, route): (&str, &str)) -> bool {
    // Before anything starts the span: its name cannot be changed then.
    span.record("otel.name", tracing::field::display(format_args!("{method} {route}")));
    let told = headers.get(credo_telemetry::on_wire());
    let told = told.and_then(|value| value.to_str().ok()).and_then(TraceContext::parse);
    match told {
        Some(parent) if app.settings.telemetry.trust_incoming_traceparent => parent.adopt(span),
        Some(other) => other.link(span),
        None => {}
    }
    let trace = TraceContext::of(span);
    if let Some(trace) = &trace {
        span.record("trace_id", trace.trace_id());
    }
    trace.is_some()
}

/// A method is any word that a caller likes; logs and traces tell the known ones.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "_OTHER",
    }
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
