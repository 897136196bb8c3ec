//! Suspending, resuming and deleting a tenant: only administrators of all tenants do.
//!
//! A suspended tenant answers as an unknown one, a deleted one is one. Neither brings anything back: what was issued before
//! has an epoch that has passed, and a slug is never used again (case TN-07). The tenant `system` always stays.

use credo_admin::{SYSTEM_SLUG, TenantScope};
use credo_auth_domain::lifetime::REVOCATION_TTL;
use credo_auth_store::{
    FeedRow, RevokedKind,
    admin::{TenantChange, TenantRecord},
};
use credo_events::{Compliance, EventType};
use serde_json::json;
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    change::{is_felt, not_made},
    event::ChangeEvent,
};
use crate::{
    app::App,
    audit::compliance::{TENANT_DELETED, TENANT_RESUMED, TENANT_SUSPENDED},
};

/// Suspends a tenant; a suspended one is left as it is.
///
/// # Errors
/// If the caller administers one tenant alone, there is no such tenant, or it is `system`.
#[instrument(skip_all)]
pub async fn suspend_tenant(app: &App, change: &Change, scope: TenantScope) -> Result<TenantRecord, AdminRefusal> {
    let suspended = end(app, change, scope, (&TENANT_SUSPENDED, TenantChange::Suspend)).await?;
    suspended.ok_or(AdminRefusal::NotFound("tenant"))
}

/// Serves a tenant again; a served one is left as it is.
///
/// # Errors
/// As [`suspend_tenant`].
#[instrument(skip_all)]
pub async fn resume_tenant(app: &App, change: &Change, scope: TenantScope) -> Result<TenantRecord, AdminRefusal> {
    let resumed = end(app, change, scope, (&TENANT_RESUMED, TenantChange::Resume)).await?;
    resumed.ok_or(AdminRefusal::NotFound("tenant"))
}

/// Deletes a tenant.
///
/// # Errors
/// As [`suspend_tenant`].
#[instrument(skip_all)]
pub async fn delete_tenant(app: &App, change: &Change, scope: TenantScope) -> Result<(), AdminRefusal> {
    end(app, change, scope, (&TENANT_DELETED, TenantChange::Delete)).await?;
    Ok(())
}

async fn end(
    app: &App,
    change: &Change,
    scope: TenantScope,
    (event, wanted): (&EventType<Compliance>, TenantChange),
) -> Result<Option<TenantRecord>, AdminRefusal> {
    if !change.call.principal.is_system() {
        return Err(AdminRefusal::SystemOnly(
            "only a client of the tenant system suspends, resumes and deletes tenants",
        ));
    }
    let event = ChangeEvent::new(app, change, (event, scope.id()), scope.id())?;
    let decide = |tenant: &TenantRecord| {
        if tenant.slug == SYSTEM_SLUG {
            return Err(AdminRefusal::FailedPrecondition("the tenant system always stays"));
        }
        let (status, epoch) = match wanted {
            TenantChange::Suspend if tenant.active => ("suspended", tenant.epoch + 1),
            TenantChange::Resume if !tenant.active => ("active", tenant.epoch),
            TenantChange::Delete => ("deleted", tenant.epoch + 1),
            _ => return Ok(None),
        };
        let was = if tenant.active { "active" } else { "suspended" };
        let event = event.changed(
            &json!({ "slug": tenant.slug, "status": was, "epoch": tenant.epoch, "version": tenant.version }),
            &json!({ "slug": tenant.slug, "status": status, "epoch": epoch, "version": tenant.version + 1 }),
        );
        Ok(Some((wanted.clone(), event)))
    };
    let changed = app
        .store
        .change_tenant(&change.mutation, scope.id(), decide)
        .await
        .map_err(|unmade| not_made(app, "tenant", unmade))?;
    if let Some(tenant) = changed.thing.as_ref().filter(|_| is_felt(changed.effect)) {
        // This replica need not wait for its next look at the feed.
        app.feed.learn(FeedRow {
            kind: RevokedKind::Tenant,
            tenant_id: tenant.id,
            id: tenant.id.as_uuid(),
            epoch: Some(tenant.epoch),
            except_sid: None,
            expires_at: app.feed.database_now() + REVOCATION_TTL,
        });
        app.directory.forget_tenant(&tenant.slug).await;
    }
    Ok(changed.thing)
}
