//! A call on its way to a flow: who calls, and what must be finished although the caller goes away.

use std::sync::Arc;

use credo_admin::AdminPrincipal;
use tonic::{Request, Status};

use super::status;
use crate::{
    app::App,
    audit::RequestContext,
    flows::admin::{AdminCall, AdminRefusal},
    refusal::Refusal,
};

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
