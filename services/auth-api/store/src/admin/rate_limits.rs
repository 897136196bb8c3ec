//! How often what may be asked for, where it is not the default.

use credo_auth_domain::rate_limit::RateClass;
use credo_ids::{ClientId, TenantId};
use tracing::instrument;
use uuid::Uuid;

use crate::{Fault, Store};

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitOwner {
    /// The tenant.
    pub tenant: TenantId,
    /// One client of it; nothing for the tenant itself.
    pub client: Option<ClientId>,
}

/// A limit that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLimit {
    /// Of what.
    pub class: RateClass,
    /// Whether it is the client's own.
    pub of_client: bool,
    /// Requests a minute.
    pub per_minute: i32,
}

impl Store {
    /// What is set for a tenant, and for one client of it.
    ///
    /// # Errors
    /// If the database gives no answer, or a row that cannot be.
    #[instrument(skip_all)]
    pub async fn list_rate_limits(&self, owner: LimitOwner) -> Result<Vec<SetLimit>, Fault> {
        let rows = sqlx::query_file!(
            "sql/admin_rate_limit_list.sql",
            owner.tenant.as_uuid(),
            owner.client.map(|client| client.as_uuid()) as Option<Uuid>
        )
        .fetch_all(&self.cold)
        .await?;
        let limits = rows.into_iter().map(|row| {
            Ok(SetLimit {
                class: RateClass::of_number(row.class).ok_or(Fault::Impossible("rate_limit.class"))?,
                of_client: row.of_client,
                per_minute: row.per_minute,
            })
        });
        limits.collect()
    }
}
