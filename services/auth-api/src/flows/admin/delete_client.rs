//! Deleting a client: it is from then on as unknown as if it had never been, and so is what it was issued.

use credo_admin::TenantScope;
use credo_auth_domain::lifetime::REVOCATION_TTL;
use credo_auth_store::{FeedRow, RevokedKind, admin::ClientRecord};
use credo_ids::ClientId;
use serde_json::json;
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    change::{is_felt, not_made},
    event::ChangeEvent,
};
use crate::{app::App, audit::compliance::CLIENT_DELETED};

/// Deletes a client, its secrets and what people allowed it.
///
/// # Errors
/// If the tenant has no such client, or the change could not be made.
#[instrument(skip_all)]
pub async fn delete_client(
    app: &App,
    change: &Change,
    scope: TenantScope,
    client: ClientId,
) -> Result<(), AdminRefusal> {
    let event = ChangeEvent::new(app, change, (&CLIENT_DELETED, scope.id()), client)?;
    let describe = |client: &ClientRecord| {
        let status = if client.active { "active" } else { "disabled" };
        event.changed(
            &json!({ "display_name": client.display_name, "status": status, "epoch": client.epoch, "version": client.version }),
            &json!({ "status": "deleted", "epoch": client.epoch + 1, "version": client.version + 1, "secrets": 0 }),
        )
    };
    let deleted = app
        .store
        .delete_client(&change.mutation, (scope.id(), client), describe)
        .await
        .map_err(|unmade| not_made(app, "client", unmade))?;
    if let Some(epoch) = deleted.thing.filter(|_| is_felt(deleted.effect)) {
        app.feed.learn(FeedRow {
            kind: RevokedKind::Client,
            tenant_id: scope.id(),
            id: client.as_uuid(),
            epoch: Some(epoch),
            except_sid: None,
            expires_at: app.feed.database_now() + REVOCATION_TTL,
        });
        app.directory.forget_client(client).await;
    }
    Ok(())
}
