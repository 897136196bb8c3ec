//! Setting how often what may be asked for, in a tenant or by one client of it.

use credo_admin::TenantScope;
use credo_auth_domain::rate_limit::{BOUNDS, RateClass};
use credo_auth_store::admin::{LimitOwner, SetLimit, TenantKey};
use credo_ids::ClientId;
use serde_json::json;
use tracing::instrument;

use super::{
    AdminRefusal, Change, EffectiveLimit,
    change::{is_felt, not_made},
    event::ChangeEvent,
    felt::read_again,
    find_rate_limits::{effective, require_owner},
    refusal::Violations,
};
use crate::{app::App, audit::compliance::RATE_LIMIT_SET};

/// A limit as it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct LimitDraft {
    /// One client; nothing for the tenant itself.
    pub client: Option<ClientId>,
    /// Of what.
    pub class: RateClass,
    /// Requests a minute; 0 if there is to be none of its own.
    pub per_minute: i32,
}

/// Sets or removes a limit.
///
/// # Errors
/// If it cannot be, there is no such tenant or client, or the change could not be made.
#[instrument(skip_all)]
pub async fn set_rate_limit(
    app: &App,
    change: &Change,
    scope: TenantScope,
    draft: LimitDraft,
) -> Result<EffectiveLimit, AdminRefusal> {
    let LimitDraft {
        client,
        class,
        per_minute,
    } = draft;
    let mut violations = Violations::default();
    let is_bounded = per_minute == 0 || BOUNDS.contains(&per_minute);
    violations.require(is_bounded, "requests_per_minute", "must be 0 to 1000000");
    let is_fit = client.is_none() || class.is_per_client();
    violations.require(
        is_fit,
        "rate_class",
        "an address has one limit with the tenant, and none with a client",
    );
    violations.into_result()?;
    require_owner(app, scope, client).await?;
    let event = match client {
        Some(client) => ChangeEvent::new(app, change, (&RATE_LIMIT_SET, scope.id()), client)?,
        None => ChangeEvent::new(app, change, (&RATE_LIMIT_SET, scope.id()), scope.id())?,
    };
    let wanted = Some(per_minute).filter(|limit| *limit != 0);
    let tell = |limit: Option<i32>| json!({ "rate_class": class.as_str(), "requests_per_minute": limit });
    let describe = |set: &[SetLimit]| {
        let own = |limit: &&SetLimit| limit.class == class && limit.of_client == client.is_some();
        event.changed(&tell(set.iter().find(own).map(|limit| limit.per_minute)), &tell(wanted))
    };
    let owner = LimitOwner {
        tenant: scope.id(),
        client,
    };
    let set = app
        .store
        .set_rate_limit(&change.mutation, owner, (class, wanted), describe)
        .await
        .map_err(|unmade| not_made(app, "tenant", unmade))?;
    if is_felt(set.effect) {
        forget(app, scope, client).await?;
    }
    Ok(effective(app, class, &set.thing))
}

/// What this replica has read of a tenant, or of a client with its tenant, is read again.
async fn forget(app: &App, scope: TenantScope, client: Option<ClientId>) -> Result<(), AdminRefusal> {
    let id = client.map_or_else(|| scope.id().as_uuid(), |client| client.as_uuid());
    read_again(app, scope.id(), id);
    if let Some(client) = client {
        app.directory.forget_client(client).await;
    } else if let Some(tenant) = app.store.find_tenant_record(&TenantKey::Id(scope.id()), None).await? {
        app.directory.forget_tenant(&tenant.slug).await;
        app.directory.forget_clients_of(scope.id());
    }
    Ok(())
}
