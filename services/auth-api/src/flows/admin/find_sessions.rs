//! The sessions of a tenant.

use credo_admin::TenantScope;
use credo_auth_store::admin::{SessionFilter, SessionRecord};
use credo_ids::SessionId;
use tracing::instrument;

use super::{AdminRefusal, Page, PageRequest, find_tenants::require_tenant};
use crate::app::App;

/// A session.
///
/// # Errors
/// If the tenant has no such session.
#[instrument(skip_all)]
pub async fn get_session(app: &App, scope: TenantScope, session: SessionId) -> Result<SessionRecord, AdminRefusal> {
    let found = app.store.find_session_record(scope.id(), session).await?;
    found.ok_or(AdminRefusal::NotFound("session"))
}

/// A page of sessions.
///
/// # Errors
/// If there is no such tenant.
#[instrument(skip_all)]
pub async fn list_sessions(
    app: &App,
    scope: TenantScope,
    filter: SessionFilter,
    page: PageRequest<SessionId>,
) -> Result<Page<SessionRecord>, AdminRefusal> {
    let sessions = app.store.list_session_records(scope.id(), filter, page.query()).await?;
    if sessions.is_empty() {
        require_tenant(app, scope).await?;
    }
    Ok(Page::cut(sessions, page.size))
}
