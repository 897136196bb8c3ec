//! Disabling and enabling clients.

use credo_ids::{ClientId, TenantId};
use sqlx::PgConnection;
use tracing::instrument;

use super::{ClientRecord, ComplianceEvent, Status, attempt::attempt};
use crate::{Fault, Store, outbox::shard};

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
    /// Disables or enables a client; one that is as wanted is left alone, without an event. Nothing if the tenant has no
    /// such client.
    ///
    /// `describe` makes the event of the change from the client as it was.
    ///
    /// # Errors
    /// If the database gives no answer, or the lock is not to be had.
    #[instrument(skip_all, fields(%client, ?wanted))]
    pub async fn set_client_status(
        &self,
        (tenant, client): (TenantId, ClientId),
        wanted: Status,
        describe: impl Fn(&ClientRecord) -> ComplianceEvent,
    ) -> Result<Option<ClientRecord>, Fault> {
        let change = || async {
            let mut transaction = self.cold.begin().await?;
            let locked = sqlx::query_file_as!(
                ClientRecord,
                "sql/admin_client_lock.sql",
                tenant.as_uuid(),
                client.as_uuid()
            )
            .fetch_optional(&mut *transaction)
            .await?;
            let before = match locked {
                Some(before) if before.active != (wanted == Status::Active) => before,
                unchanged => return Ok(unchanged),
            };
            let after = self
                .change_client_status(&mut transaction, &before, wanted, &describe(&before))
                .await?;
            transaction.commit().await?;
            Ok(Some(after))
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
