//! An administrator sets or removes a user's password: what was issued for the user ends, and their counted sign-ins with it.

use credo_admin::TenantScope;
use credo_auth_domain::password::{Names, Password};
use credo_auth_store::admin::{NewPassword, TenantKey, UserRecord};
use credo_ids::UserId;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    accounts::accounts_of,
    admin_scopes::check_held,
    change::{is_felt, not_made},
    create_user::hash,
    event::ChangeEvent,
    felt::user_ended,
    find_users::address_of,
};
use crate::{app::App, audit::compliance::USER_PASSWORD_SET};

/// Sets the password of a user; an empty one removes it.
///
/// # Errors
/// If the policy refuses the password, the tenant has no such user, or the change could not be made.
#[instrument(skip_all)]
pub async fn set_user_password(
    app: &App,
    change: &Change,
    scope: TenantScope,
    (user, password): (UserId, SecretString),
) -> Result<UserRecord, AdminRefusal> {
    let found = app.store.find_user_record(scope.id(), user).await?;
    let found = found.ok_or(AdminRefusal::NotFound("user"))?;
    // Told again under the lock; here, so that nothing is hashed for who may not.
    check_held(&change.call.principal, &found.admin_scope.parse().unwrap_or_default())?;
    let new = NewPassword {
        hash: match check(app, &found, &password).await? {
            Some(password) => Some(hash(app, password).await?),
            None => None,
        },
        accounts: accounts_of(app, &found).await?,
    };
    let event = ChangeEvent::new(app, change, (&USER_PASSWORD_SET, scope.id()), user)?;
    let describe = |user: &UserRecord| {
        // Whoever knows the password holds what the user does.
        check_held(&change.call.principal, &user.admin_scope.parse().unwrap_or_default())?;
        Ok::<_, AdminRefusal>(event.changed(
            &json!({ "epoch": user.epoch, "version": user.version }),
            &json!({ "has_password": new.hash.is_some(), "epoch": user.epoch + 1, "version": user.version + 1 }),
        ))
    };
    let set = app
        .store
        .set_password(&change.mutation, (scope.id(), user), &new, describe)
        .await
        .map_err(|unmade| not_made(app, "user", unmade))?;
    if is_felt(set.effect) {
        user_ended(app, (scope.id(), user), set.thing.epoch).await;
    }
    Ok(set.thing)
}

/// The password, if there is to be one and the policy lets the user have it.
async fn check(app: &App, user: &UserRecord, password: &SecretString) -> Result<Option<Password>, AdminRefusal> {
    let text = password.expose_secret();
    if text.is_empty() {
        return Ok(None);
    }
    let tenant = app
        .store
        .find_tenant_record(&TenantKey::Id(user.tenant_id), None)
        .await?;
    let tenant = tenant.ok_or(AdminRefusal::NotFound("tenant"))?;
    let names = Names {
        email: &address_of(user)?,
        display_name: user.display_name.as_deref(),
        tenant: &[&tenant.slug, &tenant.display_name],
    };
    match Password::chosen(text, &names) {
        Ok(chosen) => Ok(Some(chosen)),
        Err(error) => Err(AdminRefusal::invalid("password", error.to_string())),
    }
}
