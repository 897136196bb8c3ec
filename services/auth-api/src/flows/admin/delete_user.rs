//! Removing a user for good, and forgetting what failed sign-ins were counted against one.

use credo_admin::TenantScope;
use credo_auth_store::admin::UserRecord;
use credo_ids::UserId;
use serde_json::json;
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    accounts::accounts_of,
    admin_scopes::check_held,
    change::{is_felt, not_made},
    event::ChangeEvent,
    felt::user_ended,
};
use crate::{
    app::App,
    audit::compliance::{USER_DELETED, USER_UNLOCKED},
};

/// Removes a user, everything that tells of them and everything that was issued for them. The `sub` is drawn at random and
/// never again.
///
/// # Errors
/// If the tenant has no such user, or the change could not be made.
#[instrument(skip_all)]
pub async fn delete_user(app: &App, change: &Change, scope: TenantScope, user: UserId) -> Result<(), AdminRefusal> {
    // One that is gone may have gone by an earlier call of the same id.
    let accounts = match app.store.find_user_record(scope.id(), user).await? {
        Some(found) => accounts_of(app, &found).await?,
        None => Vec::new(),
    };
    let event = ChangeEvent::new(app, change, (&USER_DELETED, scope.id()), user)?;
    let describe = |user: &UserRecord| {
        let before = json!({
            "status": if user.active { "active" } else { "disabled" },
            "email_verified": user.email_verified,
            "admin_scope": user.admin_scope,
            "epoch": user.epoch,
            "version": user.version,
        });
        event.changed(&before, &json!({ "status": "deleted" }))
    };
    let deleted = app
        .store
        .delete_user(&change.mutation, (scope.id(), user), &accounts, describe)
        .await
        .map_err(|unmade| not_made(app, "user", unmade))?;
    if let (true, Some(epoch)) = (is_felt(deleted.effect), deleted.thing) {
        user_ended(app, (scope.id(), user), epoch).await;
    }
    Ok(())
}

/// Forgets a user's failed sign-ins.
///
/// # Errors
/// If the tenant has no such user, they may do what the caller may not, or the change could not be made.
#[instrument(skip_all)]
pub async fn unlock_user(
    app: &App,
    change: &Change,
    scope: TenantScope,
    user: UserId,
) -> Result<UserRecord, AdminRefusal> {
    let found = app.store.find_user_record(scope.id(), user).await?;
    let found = found.ok_or(AdminRefusal::NotFound("user"))?;
    // Else a guesser could have the wait taken away from a stronger account.
    check_held(&change.call.principal, &found.admin_scope.parse().unwrap_or_default())?;
    let accounts = accounts_of(app, &found).await?;
    let status = app.store.find_sign_in_status((scope.id(), user), &accounts[0]).await?;
    let event = ChangeEvent::new(app, change, (&USER_UNLOCKED, scope.id()), user)?;
    let describe = |_: &UserRecord| event.changed(&json!({ "failures": status.failures }), &json!({ "failures": 0 }));
    let unlocked = app
        .store
        .unlock_user(&change.mutation, (scope.id(), user), &accounts, describe)
        .await
        .map_err(|unmade| not_made(app, "user", unmade))?;
    Ok(unlocked.thing)
}
