//! A call on its way to a flow: who calls, and what must be finished although the caller goes away.

use std::sync::Arc;

use axum::{extract::State, middleware::Next, response::Response};
use credo_admin::{AdminPrincipal, CallContext};
use credo_auth_store::Work;
use tonic::{Request, Status};

use super::status;
use crate::{
    app::App,
    audit::RequestContext,
    flows::admin::{AdminCall, AdminRefusal},
    refusal::Refusal,
};

/// Puts the call as its events see it beside the request.
pub(super) async fn in_context(
    State(app): State<Arc<App>>,
    mut request: axum::extract::Request,
    next: Next,
) -> Response {
    let call = request.extensions().get::<CallContext>().cloned();
    if let Some(call) = &call {
        let address = call.peer.map(|peer| {
            let proxies = &app.settings.trusted_proxies;
            proxies.client_address(peer.ip(), request.headers())
        });
        let context = RequestContext::new(address, call.user_agent.clone()).known_as(call.id);
        request.extensions_mut().insert(context);
    }
    let work = Arc::new(Work::default());
    let response = Work::scope(Some(Arc::clone(&work)), next.run(request)).await;
    if let Some(call) = call {
        call.cost(work.statements(), work.database_time());
    }
    response
}

/// The caller and the message of a request that came through the layers.
pub(super) fn admitted<T>(request: Request<T>) -> Result<(AdminCall, T), Status> {
    let principal = AdminPrincipal::of(&request)?.clone();
    let context = request.extensions().get::<RequestContext>().cloned();
    let context = context.ok_or_else(|| status::failed(&Refusal::internal("an admin call has no context")))?;
    Ok((AdminCall { principal, context }, request.into_inner()))
}

/// Runs a change to its end, even if its caller goes away in the middle: what is committed is learnt by this replica.
pub(super) async fn finish<T: Send + 'static>(
    app: &Arc<App>,
    change: impl Future<Output = Result<T, AdminRefusal>> + Send + 'static,
) -> Result<T, Status> {
    let finished = app.finish(async { Ok(change.await) }).await;
    finished
        .map_err(|fault| status::failed(&fault))?
        .map_err(status::refused)
}
