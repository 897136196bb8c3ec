//! What people allowed clients.

use credo_admin::TenantScope;
use credo_auth_store::admin::ConsentRecord;
use credo_ids::{ClientId, UserId};
use tracing::instrument;

use super::{AdminRefusal, Page, PageRequest};
use crate::app::App;

/// A page of what a person allowed; with `revoked`, also what was taken back.
///
/// # Errors
/// If the tenant has no such user.
#[instrument(skip_all)]
pub async fn list_consents(
    app: &App,
    scope: TenantScope,
    (user, revoked): (UserId, bool),
    page: PageRequest<ClientId>,
) -> Result<Page<ConsentRecord>, AdminRefusal> {
    let consents = app
        .store
        .list_consent_records((scope.id(), user), revoked, page.query())
        .await?;
    if consents.is_empty() && app.store.find_user_record(scope.id(), user).await?.is_none() {
        return Err(AdminRefusal::NotFound("user"));
    }
    Ok(Page::cut(consents, page.size))
}
