//! What replicas kept and are to read again.

use std::convert::Infallible;

use credo_ids::TenantId;
use tracing::instrument;
use uuid::Uuid;

use super::{
    ComplianceEvent, Mutated, Mutation, Unmade,
    mutation::{Opened, attempt},
};
use crate::{Store, outbox::shard};

/// What is to be read again.
#[derive(Clone, Debug)]
pub struct ReadAgain {
    /// In which tenant; nil: in all.
    pub tenant: Uuid,
    /// Tenants, clients and users; nil: everything.
    pub ids: Vec<Uuid>,
}

impl Store {
    /// Tells every replica that what it read before now is old; `event` stands in the trail of `tenant`.
    ///
    /// # Errors
    /// If it was not told.
    #[instrument(skip_all)]
    pub async fn invalidate_caches(
        &self,
        mutation: &Mutation,
        what: &ReadAgain,
        (tenant, event): (TenantId, &ComplianceEvent),
    ) -> Result<Mutated<()>, Unmade<Infallible>> {
        let object = what.ids.first().copied().unwrap_or_default();
        let change = || async {
            let mut open = match self.open(mutation, object).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => return Ok(Mutated { thing: (), effect }),
            };
            sqlx::query_file!(
                "sql/admin_cache_invalidate.sql",
                what.tenant,
                &what.ids,
                self.slot(),
                tenant.as_uuid(),
                shard(tenant),
                object,
                event.encoded.event_id.as_uuid(),
                event.encoded.core,
                event.personal.as_bytes()
            )
            .execute(&mut *open.transaction)
            .await?;
            open.close(()).await
        };
        attempt(|| Box::pin(change())).await
    }
}
