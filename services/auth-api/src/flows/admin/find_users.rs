//! The people of a tenant.

use credo_admin::TenantScope;
use credo_auth_domain::email_address::EmailAddress;
use credo_auth_store::admin::{SignInStatus, UserFilter, UserRecord};
use credo_ids::UserId;
use tracing::instrument;

use super::{AdminRefusal, Page, PageRequest, find_tenants::require_tenant};
use crate::{app::App, flows::proof::account_hash, refusal::Refusal};

/// A user, and how their sign-in stands.
///
/// # Errors
/// If the tenant has no such user.
#[instrument(skip_all)]
pub async fn get_user(app: &App, scope: TenantScope, user: UserId) -> Result<(UserRecord, SignInStatus), AdminRefusal> {
    let found = app.store.find_user_record(scope.id(), user).await?;
    let user = found.ok_or(AdminRefusal::NotFound("user"))?;
    let account = account_hash(app, scope.id(), (&address_of(&user)?, None));
    let sign_in = app.store.find_sign_in_status((scope.id(), user.id), &account).await?;
    Ok((user, sign_in))
}

/// A page of users.
///
/// # Errors
/// If there is no such tenant.
#[instrument(skip_all)]
pub async fn list_users(
    app: &App,
    scope: TenantScope,
    filter: &UserFilter,
    page: PageRequest<UserId>,
) -> Result<Page<UserRecord>, AdminRefusal> {
    let users = app.store.list_user_records(scope.id(), filter, page.query()).await?;
    if users.is_empty() {
        require_tenant(app, scope).await?;
    }
    Ok(Page::cut(users, page.size))
}

/// The address of a user that is stored.
pub(super) fn address_of(user: &UserRecord) -> Result<EmailAddress, Refusal> {
    EmailAddress::parse(&user.email).map_err(|_| Refusal::internal("an account without an address"))
}

/// The user of that e-mail address.
///
/// # Errors
/// If the text is no address, or the tenant has no user of it.
#[instrument(skip_all)]
pub async fn look_up_user(app: &App, scope: TenantScope, email: &str) -> Result<UserRecord, AdminRefusal> {
    let email = EmailAddress::parse(email).map_err(|error| AdminRefusal::invalid("email", error.to_string()))?;
    let found = app.store.look_up_user_record(scope.id(), &email).await?;
    found.ok_or(AdminRefusal::NotFound("user"))
}
