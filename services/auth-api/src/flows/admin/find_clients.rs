//! The clients of a tenant.

use credo_admin::TenantScope;
use credo_auth_store::admin::{ClientRecord, TenantKey};
use credo_ids::ClientId;
use tracing::instrument;

use super::{AdminRefusal, Page, PageRequest};
use crate::app::App;

/// A client.
///
/// # Errors
/// If the tenant has no such client.
#[instrument(skip_all)]
pub async fn get_client(app: &App, scope: TenantScope, client: ClientId) -> Result<ClientRecord, AdminRefusal> {
    let found = app.store.find_client_record(scope.id(), client).await?;
    found.ok_or(AdminRefusal::NotFound("client"))
}

/// A page of clients.
///
/// # Errors
/// If there is no such tenant.
#[instrument(skip_all)]
pub async fn list_clients(
    app: &App,
    scope: TenantScope,
    page: PageRequest<ClientId>,
) -> Result<Page<ClientRecord>, AdminRefusal> {
    let clients = app.store.list_client_records(scope.id(), page.query()).await?;
    if clients.is_empty()
        && app
            .store
            .find_tenant_record(&TenantKey::Id(scope.id()), None)
            .await?
            .is_none()
    {
        return Err(AdminRefusal::NotFound("tenant"));
    }
    Ok(Page::cut(clients, page.size))
}
