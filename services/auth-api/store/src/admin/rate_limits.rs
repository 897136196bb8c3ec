//! How often what may be asked for, where it is not the default.

use std::convert::Infallible;

use credo_auth_domain::rate_limit::RateClass;
use credo_ids::{ClientId, TenantId};
use sqlx::PgExecutor;
use tracing::instrument;
use uuid::Uuid;

use super::{
    ComplianceEvent, Mutated, Mutation, Unmade,
    mutation::{Opened, attempt},
};
use crate::{Fault, Store, outbox::shard};

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
        list(&self.cold, owner).await
    }

    /// Sets the limit of a class, or removes it; one that is as wanted is left alone, without an event. Gives what is set
    /// for the owner afterwards.
    ///
    /// `describe` makes the event of the change from what was set.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all)]
    pub async fn set_rate_limit(
        &self,
        mutation: &Mutation,
        owner: LimitOwner,
        (class, per_minute): (RateClass, Option<i32>),
        describe: impl Fn(&[SetLimit]) -> ComplianceEvent,
    ) -> Result<Mutated<Vec<SetLimit>>, Unmade<Infallible>> {
        let client = owner.client.map(|client| client.as_uuid());
        let change = || async {
            let object = client.unwrap_or(owner.tenant.as_uuid());
            let mut open = match self.open(mutation, object).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => {
                    let thing = list(&self.cold, owner).await?;
                    return Ok(Mutated { thing, effect });
                }
            };
            let locked = sqlx::query_file!("sql/admin_tenant_epoch_lock.sql", owner.tenant.as_uuid());
            locked
                .fetch_optional(&mut *open.transaction)
                .await?
                .ok_or(Unmade::NotFound)?;
            let before = list(&mut *open.transaction, owner).await?;
            let own = |limit: &&SetLimit| limit.class == class && limit.of_client == client.is_some();
            if before.iter().find(own).map(|limit| limit.per_minute) == per_minute {
                return open.close(before).await;
            }
            let event = describe(&before);
            sqlx::query_file!(
                "sql/admin_rate_limit_put.sql",
                owner.tenant.as_uuid(),
                client as Option<Uuid>,
                class as i16,
                per_minute as Option<i32>,
                self.slot(),
                shard(owner.tenant),
                event.encoded.event_id.as_uuid(),
                event.encoded.core,
                event.personal.as_bytes()
            )
            .execute(&mut *open.transaction)
            .await?;
            let after = list(&mut *open.transaction, owner).await?;
            open.close(after).await
        };
        attempt(|| Box::pin(change())).await
    }
}

async fn list(executor: impl PgExecutor<'_>, owner: LimitOwner) -> Result<Vec<SetLimit>, Fault> {
    let rows = sqlx::query_file!(
        "sql/admin_rate_limit_list.sql",
        owner.tenant.as_uuid(),
        owner.client.map(|client| client.as_uuid()) as Option<Uuid>
    )
    .fetch_all(executor)
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
