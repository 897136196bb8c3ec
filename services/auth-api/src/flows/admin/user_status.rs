//! Disabling and enabling a user. Disabling ends everything that was issued for them; enabling revives nothing.

use credo_admin::TenantScope;
use credo_auth_domain::lifetime::REVOCATION_TTL;
use credo_auth_store::{
    FeedRow, RevokedKind,
    admin::{Status, UserRecord},
};
use credo_ids::UserId;
use serde_json::json;
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    admin_scopes::check_held,
    change::{is_felt, not_made},
    event::ChangeEvent,
};
use crate::{
    app::App,
    audit::compliance::{USER_DISABLED, USER_ENABLED},
};

/// Disables a user; a disabled one is left as they are.
///
/// # Errors
/// If the tenant has no such user, or the change could not be made.
#[instrument(skip_all)]
pub async fn disable_user(
    app: &App,
    change: &Change,
    scope: TenantScope,
    user: UserId,
) -> Result<UserRecord, AdminRefusal> {
    let event = ChangeEvent::new(app, change, (&USER_DISABLED, scope.id()), user)?;
    let describe = |user: &UserRecord| {
        event.changed(
            &json!({ "status": "active", "epoch": user.epoch, "version": user.version }),
            &json!({ "status": "disabled", "epoch": user.epoch + 1, "version": user.version + 1 }),
        )
    };
    let disabled = app
        .store
        .set_user_status(&change.mutation, (scope.id(), user), Status::Disabled, describe)
        .await
        .map_err(|unmade| not_made(app, "user", unmade))?;
    let record = disabled.thing;
    if !is_felt(disabled.effect) {
        return Ok(record);
    }
    // This replica need not wait for its next look at the feed. True of one who was disabled before, too.
    app.feed.learn(FeedRow {
        kind: RevokedKind::User,
        tenant_id: record.tenant_id,
        id: record.id.as_uuid(),
        epoch: Some(record.epoch),
        except_sid: None,
        expires_at: app.feed.database_now() + REVOCATION_TTL,
    });
    Ok(record)
}

/// Enables a user; an enabled one is left as they are.
///
/// # Errors
/// If the tenant has no such user, they may do what the caller may not, or the change could not be made.
#[instrument(skip_all)]
pub async fn enable_user(
    app: &App,
    change: &Change,
    scope: TenantScope,
    user: UserId,
) -> Result<UserRecord, AdminRefusal> {
    let found = app.store.find_user_record(scope.id(), user).await?;
    let found = found.ok_or(AdminRefusal::NotFound("user"))?;
    // Whoever disabled a stronger administrator meant it.
    check_held(&change.call.principal, &found.admin_scope.parse().unwrap_or_default())?;
    let event = ChangeEvent::new(app, change, (&USER_ENABLED, scope.id()), user)?;
    let describe = |user: &UserRecord| {
        event.changed(
            &json!({ "status": "disabled", "epoch": user.epoch, "version": user.version }),
            &json!({ "status": "active", "epoch": user.epoch, "version": user.version + 1 }),
        )
    };
    let enabled = app
        .store
        .set_user_status(&change.mutation, (scope.id(), user), Status::Active, describe)
        .await
        .map_err(|unmade| not_made(app, "user", unmade))?;
    Ok(enabled.thing)
}
