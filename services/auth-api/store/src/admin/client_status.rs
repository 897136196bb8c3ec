//! Disabling and enabling clients.

use std::convert::Infallible;

use credo_ids::{ClientId, TenantId};
use sqlx::PgConnection;
use tracing::instrument;

use super::{
    ClientRecord, ComplianceEvent, Mutated, Mutation, Status, Unmade,
    mutation::{Opened, attempt},
};
use crate::{Store, outbox::shard};

macro_rules! change {
    ($file:tt, $store:expr, $client:expr, $event:expr) => {
        sqlx::query_file_as!(
            ClientRecord,
            $file,
            $client.tenant_id.as_uuid(),
            $client.id.as_uuid(),
            $store.slot(),
            shard($client.tenant_id),
            $event.encoded.event_id.as_uuid(),
            $event.encoded.core,
            $event.personal.as_bytes()
        )
    };
}

impl Store {
    /// Disables or enables a client; one that is as wanted is left alone, without an event.
    ///
    /// `describe` makes the event of the change from the client as it was.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(%client, ?wanted))]
    pub async fn set_client_status(
        &self,
        mutation: &Mutation,
        (tenant, client): (TenantId, ClientId),
        wanted: Status,
        describe: impl Fn(&ClientRecord) -> ComplianceEvent,
    ) -> Result<Mutated<ClientRecord>, Unmade<Infallible>> {
        let change = || async {
            let mut open = match self.open(mutation, client.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => {
                    let thing = self.find_client_record(tenant, client).await?;
                    let thing = thing.ok_or(Unmade::NotFound)?;
                    return Ok(Mutated { thing, effect });
                }
            };
            let before = sqlx::query_file_as!(
                ClientRecord,
                "sql/admin_client_lock.sql",
                tenant.as_uuid(),
                client.as_uuid()
            )
            .fetch_optional(&mut *open.transaction)
            .await?
            .ok_or(Unmade::NotFound)?;
            open.check(before.version)?;
            if before.active == (wanted == Status::Active) {
                return open.close(before).await;
            }
            let after = self
                .change_client_status(&mut open.transaction, &before, wanted, &describe(&before))
                .await?;
            open.close(after).await
        };
        attempt(|| Box::pin(change())).await
    }

    async fn change_client_status(
        &self,
        transaction: &mut PgConnection,
        client: &ClientRecord,
        wanted: Status,
        event: &ComplianceEvent,
    ) -> Result<ClientRecord, sqlx::Error> {
        match wanted {
            Status::Active => {
                change!("sql/admin_client_enable.sql", self, client, event)
                    .fetch_one(transaction)
                    .await
            }
            Status::Disabled => {
                change!("sql/admin_client_disable.sql", self, client, event)
                    .fetch_one(transaction)
                    .await
            }
        }
    }
}
