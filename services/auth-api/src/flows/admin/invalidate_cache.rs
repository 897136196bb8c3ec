//! Having replicas read again what they kept: for whoever changed a row by hand, or does not trust what is served.
//!
//! Every replica learns it from the feed, within a second; this one at once.

use credo_admin::TenantScope;
use credo_auth_domain::lifetime::REVOCATION_TTL;
use credo_auth_store::{FeedRow, RevokedKind, admin::ReadAgain};
use credo_ids::{ClientId, UserId};
use serde_json::json;
use tracing::instrument;
use uuid::Uuid;

use super::{
    AdminCall, AdminRefusal, Change,
    change::{is_felt, not_made},
    event::ChangeEvent,
    find_clients::get_client,
    find_users::get_user,
};
use crate::{app::App, audit::compliance::CACHE_INVALIDATED};

/// What is to be read again.
#[derive(Clone, Copy, Debug)]
pub enum Kept {
    /// Of a tenant: one client, one user, or everything if neither is named.
    Of(TenantScope, Option<ClientId>, Option<UserId>),
    /// Of all tenants.
    Everything,
}

/// Refuses whoever does not administer all tenants.
///
/// # Errors
/// If the caller does not.
pub fn require_system(call: &AdminCall) -> Result<(), AdminRefusal> {
    if call.principal.is_system() {
        Ok(())
    } else {
        Err(AdminRefusal::SystemOnly(
            "only a client of the tenant system sees and clears what is kept of all tenants",
        ))
    }
}

/// Has every replica read something again.
///
/// # Errors
/// If the caller may not, or it could not be told.
#[instrument(skip_all)]
pub async fn invalidate_cache(app: &App, change: &Change, kept: Kept) -> Result<(), AdminRefusal> {
    let (trail, tenant, ids) = match kept {
        Kept::Everything => {
            require_system(&change.call)?;
            (change.call.principal.tenant_id(), Uuid::nil(), vec![Uuid::nil()])
        }
        Kept::Of(scope, client, user) => {
            if let Some(client) = client {
                get_client(app, scope, client).await?;
            }
            if let Some(user) = user {
                get_user(app, scope, user).await?;
            }
            let named = client.map(|client| client.as_uuid()).into_iter();
            let mut ids: Vec<_> = named.chain(user.map(|user| user.as_uuid())).collect();
            if ids.is_empty() {
                ids.push(scope.id().as_uuid());
            }
            (scope.id(), scope.id().as_uuid(), ids)
        }
    };
    let event = ChangeEvent::new(app, change, (&CACHE_INVALIDATED, trail), trail)?;
    let event = event.made(&json!({ "everything": tenant.is_nil(), "ids": ids }));
    let what = ReadAgain { tenant, ids };
    let told = app
        .store
        .invalidate_caches(&change.mutation, &what, (trail, &event))
        .await
        .map_err(|unmade| not_made(app, "tenant", unmade))?;
    if is_felt(told.effect) {
        learn(app, &what);
        if let Kept::Of(scope, client, user) = kept {
            if let Some(client) = client {
                app.directory.forget_client(client).await;
            }
            if let Some(user) = user {
                app.directory.forget_user(scope.id(), user).await;
            }
        }
    }
    Ok(())
}

fn learn(app: &App, what: &ReadAgain) {
    let now = app.feed.database_now();
    for id in &what.ids {
        app.feed.learn(FeedRow {
            kind: RevokedKind::Read,
            tenant_id: what.tenant.into(),
            id: *id,
            epoch: i64::try_from(now.unix_timestamp_nanos() / 1_000).ok(),
            except_sid: None,
            expires_at: now + REVOCATION_TTL,
        });
    }
}
