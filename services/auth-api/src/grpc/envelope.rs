//! What surrounds a call: its bounds, its id, its caller's address and a log line.
//!
//! Every call has a deadline, and there are only so many at one time (DESIGN section 2.10).

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::header::USER_AGENT,
    middleware::Next,
    response::Response,
};
use tokio::{sync::Semaphore, time::timeout};
use tonic::{Status, transport::server::TcpConnectInfo};
use tracing::Instrument as _;

use super::status;
use crate::{app::App, audit::RequestContext};

/// Longest time from a call's head to its answer.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);
/// Calls at one time; more get `UNAVAILABLE` at once. A few for each connection that serves administration.
const MAX_CONCURRENT_CALLS: usize = 64;

/// What all calls share.
#[derive(Clone)]
pub(super) struct Envelope {
    app: Arc<App>,
    permits: Arc<Semaphore>,
}

impl Envelope {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self {
            app: Arc::clone(app),
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT_CALLS)),
        }
    }
}

/// Surrounds a call.
pub(super) async fn surround(State(envelope): State<Envelope>, mut request: Request, next: Next) -> Response {
    let context = context_of(&envelope.app, &request);
    let span = tracing::info_span!("admin call", id = %context.id, method = request.uri().path());
    request.extensions_mut().insert(context);
    let serve = async {
        let Ok(_permit) = envelope.permits.try_acquire() else {
            envelope.app.metrics.overloads.inc();
            return status::unavailable("too many calls at one time, try again").into_http();
        };
        let Ok(response) = timeout(DEADLINE, next.run(request)).await else {
            envelope.app.metrics.overloads.inc();
            tracing::error!("an admin call was not answered before its deadline");
            return Status::deadline_exceeded("the call was not answered in time").into_http();
        };
        response
    };
    serve.instrument(span).await
}

fn context_of(app: &App, request: &Request) -> RequestContext {
    let peer = request
        .extensions()
        .get::<TcpConnectInfo>()
        .and_then(TcpConnectInfo::remote_addr);
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    let address = peer.map(|peer| {
        app.settings
            .trusted_proxies
            .client_address(peer.ip(), request.headers())
    });
    RequestContext::new(address, user_agent.map(ToOwned::to_owned))
}
