//! The limits that hold for a tenant or a client: its own, else the tenant's, else the default.

use credo_admin::TenantScope;
use credo_auth_domain::rate_limit::RateClass;
use credo_auth_store::admin::{LimitOwner, SetLimit};
use credo_ids::ClientId;
use tracing::instrument;

use super::{AdminRefusal, find_tenants::require_tenant};
use crate::app::App;

/// Whose limit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitSource {
    /// Nobody set one.
    Default,
    /// The tenant's.
    Tenant,
    /// The client's own.
    Client,
}

/// A limit that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectiveLimit {
    /// Of what.
    pub class: RateClass,
    /// Requests a minute.
    pub per_minute: i32,
    /// Whose it is.
    pub source: LimitSource,
    /// What it were if nobody had set one.
    pub default_per_minute: i32,
}

/// Every class with the limit that holds.
///
/// # Errors
/// If there is no such tenant, or it has no such client.
#[instrument(skip_all)]
pub async fn get_rate_limits(
    app: &App,
    scope: TenantScope,
    client: Option<ClientId>,
) -> Result<Vec<EffectiveLimit>, AdminRefusal> {
    require_owner(app, scope, client).await?;
    let owner = LimitOwner {
        tenant: scope.id(),
        client,
    };
    let set = app.store.list_rate_limits(owner).await?;
    Ok(RateClass::ALL.map(|class| effective(app, class, &set)).into())
}

/// Refuses for a tenant or a client that does not exist.
pub(super) async fn require_owner(app: &App, scope: TenantScope, client: Option<ClientId>) -> Result<(), AdminRefusal> {
    let Some(client) = client else {
        return require_tenant(app, scope).await;
    };
    let found = app.store.find_client_record(scope.id(), client).await?;
    found.map(drop).ok_or(AdminRefusal::NotFound("client"))
}

/// The limit of a class that holds where `set` is what was set.
pub(super) fn effective(app: &App, class: RateClass, set: &[SetLimit]) -> EffectiveLimit {
    let address = app.settings.password.attempts_per_address_per_minute;
    let default_per_minute = class
        .default_per_minute()
        .unwrap_or_else(|| i32::try_from(address).unwrap_or(i32::MAX));
    let find = |of_client| {
        set.iter()
            .find(|limit| limit.class == class && limit.of_client == of_client)
    };
    let (per_minute, source) = match (find(true), find(false)) {
        (Some(own), _) => (own.per_minute, LimitSource::Client),
        (None, Some(tenants)) => (tenants.per_minute, LimitSource::Tenant),
        (None, None) => (default_per_minute, LimitSource::Default),
    };
    EffectiveLimit {
        class,
        per_minute,
        source,
        default_per_minute,
    }
}
