//! What an administrator may not do and tried: a security event of the caller's own trail.

use credo_events::{EventDraft, Party};
use credo_ids::EventId;

use super::AdminCall;
use crate::{
    app::App,
    audit::{Bucket, security::ADMIN_ACCESS_DENIED},
    refusal::Refusal,
};

/// The caller named another tenant than its own, existing or not.
pub const OTHER_TENANT: &str = "other_tenant";

/// Records a denial and waits until it is committed or counted. It does not say what was named: that is either nothing or
/// another's.
///
/// # Errors
/// If it could not be recorded: the call must then get `UNAVAILABLE`.
pub async fn record_denial(app: &App, call: &AdminCall, reason: &'static str) -> Result<(), Refusal> {
    let (tenant, client) = (call.principal.tenant_id(), call.principal.client_id());
    let bucket = Bucket {
        tenant,
        target: client.as_bytes().to_vec(),
        address: call.context.address,
        reason,
    };
    let draft = EventDraft::new(&ADMIN_ACCESS_DENIED, EventId::now_v7(), tenant, app.feed.database_now())
        .parties(call.actor(), Party::from(tenant))
        .client(client)
        .request(call.context.origin())
        .reason(reason);
    let personal = call.context.personal()?;
    app.refusals.record(bucket, client.as_uuid(), draft, personal).await
}
