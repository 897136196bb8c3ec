//! The people of a tenant.

use credo_admin::TenantScope;
use credo_auth_domain::email_address::EmailAddress;
use credo_auth_store::admin::UserRecord;
use credo_ids::UserId;
use tracing::instrument;

use super::AdminRefusal;
use crate::app::App;

/// A user.
///
/// # Errors
/// If the tenant has no such user.
#[instrument(skip_all)]
pub async fn get_user(app: &App, scope: TenantScope, user: UserId) -> Result<UserRecord, AdminRefusal> {
    let found = app.store.find_user_record(scope.id(), user).await?;
    found.ok_or(AdminRefusal::NotFound("user"))
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
