//! Tenants that an administrator may see: all of them, or the caller's own.

use credo_admin::{AdminPrincipal, TenantScope};
use credo_auth_store::admin::{TenantKey, TenantRecord};
use credo_ids::TenantId;
use tracing::instrument;

use super::{AdminCall, AdminRefusal, OTHER_TENANT, Page, PageRequest, record_denial};
use crate::app::App;

/// The tenant of that id or slug.
///
/// # Errors
/// If there is none that the caller may see.
#[instrument(skip_all)]
pub async fn get_tenant(app: &App, call: &AdminCall, key: &TenantKey) -> Result<TenantRecord, AdminRefusal> {
    let found = app.store.find_tenant_record(key, only(&call.principal)).await?;
    if found.is_none() && !call.principal.is_system() {
        // Whatever it named, it was not its own.
        record_denial(app, call, OTHER_TENANT).await?;
    }
    found.ok_or(AdminRefusal::NotFound("tenant"))
}

/// A page of the tenants that the caller may see.
///
/// # Errors
/// If the database gives no answer.
#[instrument(skip_all)]
pub async fn list_tenants(
    app: &App,
    call: &AdminCall,
    page: PageRequest<TenantId>,
) -> Result<Page<TenantRecord>, AdminRefusal> {
    let tenants = app
        .store
        .list_tenant_records(page.query(), only(&call.principal))
        .await?;
    Ok(Page::cut(tenants, page.size))
}

/// Refuses for a tenant that does not exist: a list of nothing is not the list of nobody.
pub(super) async fn require_tenant(app: &App, scope: TenantScope) -> Result<(), AdminRefusal> {
    let found = app.store.find_tenant_record(&TenantKey::Id(scope.id()), None).await?;
    found.map(drop).ok_or(AdminRefusal::NotFound("tenant"))
}

/// The one tenant that the caller may see; nothing if it may see all.
fn only(principal: &AdminPrincipal) -> Option<TenantId> {
    (!principal.is_system()).then(|| principal.tenant_id())
}
