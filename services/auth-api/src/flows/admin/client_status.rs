//! Disabling and enabling a client. Disabling ends everything that it was issued; enabling revives nothing.

use credo_admin::TenantScope;
use credo_auth_domain::lifetime::REVOCATION_TTL;
use credo_auth_store::{
    FeedRow, RevokedKind,
    admin::{ClientRecord, Status},
};
use credo_ids::ClientId;
use serde_json::json;
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    change::{is_felt, not_made},
    event::ChangeEvent,
};
use crate::{
    app::App,
    audit::compliance::{CLIENT_DISABLED, CLIENT_ENABLED},
};

/// Disables a client; a disabled one is left as it is.
///
/// # Errors
/// If the tenant has no such client, or the change could not be made.
#[instrument(skip_all)]
pub async fn disable_client(
    app: &App,
    change: &Change,
    scope: TenantScope,
    client: ClientId,
) -> Result<ClientRecord, AdminRefusal> {
    let event = ChangeEvent::new(app, change, (&CLIENT_DISABLED, scope.id()), client)?;
    let describe = |client: &ClientRecord| {
        event.changed(
            &json!({ "status": "active", "epoch": client.epoch, "version": client.version }),
            &json!({ "status": "disabled", "epoch": client.epoch + 1, "version": client.version + 1 }),
        )
    };
    let disabled = app
        .store
        .set_client_status(&change.mutation, (scope.id(), client), Status::Disabled, describe)
        .await
        .map_err(|unmade| not_made(app, "client", unmade))?;
    let record = disabled.thing;
    if !is_felt(disabled.effect) {
        return Ok(record);
    }
    // This replica need not wait for its next look at the feed. True of one that was disabled before, too.
    app.feed.learn(FeedRow {
        kind: RevokedKind::Client,
        tenant_id: record.tenant_id,
        id: record.id.as_uuid(),
        epoch: Some(record.epoch),
        except_sid: None,
        expires_at: app.feed.database_now() + REVOCATION_TTL,
    });
    app.directory.forget_client(record.id).await;
    Ok(record)
}

/// Enables a client; an enabled one is left as it is.
///
/// # Errors
/// If the tenant has no such client, or the change could not be made.
#[instrument(skip_all)]
pub async fn enable_client(
    app: &App,
    change: &Change,
    scope: TenantScope,
    client: ClientId,
) -> Result<ClientRecord, AdminRefusal> {
    let event = ChangeEvent::new(app, change, (&CLIENT_ENABLED, scope.id()), client)?;
    let describe = |client: &ClientRecord| {
        event.changed(
            &json!({ "status": "disabled", "epoch": client.epoch, "version": client.version }),
            &json!({ "status": "active", "epoch": client.epoch, "version": client.version + 1 }),
        )
    };
    let enabled = app
        .store
        .set_client_status(&change.mutation, (scope.id(), client), Status::Active, describe)
        .await
        .map_err(|unmade| not_made(app, "client", unmade))?;
    Ok(enabled.thing)
}
