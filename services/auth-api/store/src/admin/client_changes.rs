//! Changing and deleting clients, and their secrets.

use std::convert::Infallible;

use credo_ids::{ClientId, ClientSecretId, TenantId};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use tracing::instrument;
use uuid::Uuid;

use super::{
    ClientRecord, ComplianceEvent, Mutated, Mutation, NewClient, NewClientSecret, Unmade,
    mutation::{Open, Opened, attempt},
};
use crate::{Fault, Store, outbox::shard};

/// A secret of a client, without the secret.
#[derive(Clone, Copy, Debug)]
pub struct ClientSecretRecord {
    /// Whose it is.
    pub client_id: ClientId,
    /// Its id.
    pub id: ClientSecretId,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it ends; nothing for the newest.
    pub expires_at: Option<OffsetDateTime>,
}

impl Store {
    /// Changes a client to what `decide` makes of it as it was; nothing, if that is what it was.
    ///
    /// # Errors
    /// If it was not changed, also because `decide` refuses.
    #[instrument(skip_all, fields(%client))]
    pub async fn update_client<R>(
        &self,
        mutation: &Mutation,
        (tenant, client): (TenantId, ClientId),
        decide: impl Fn(&ClientRecord) -> Result<Option<(NewClient, ComplianceEvent)>, R>,
    ) -> Result<Mutated<ClientRecord>, Unmade<R>> {
        let change = || async {
            let mut open = match self.open(mutation, client.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => return self.client_as_it_is((tenant, client), effect).await,
            };
            let before = lock(&mut open, (tenant, client)).await?;
            let Some((wanted, event)) = decide(&before).map_err(Unmade::Refused)? else {
                return open.close(before).await;
            };
            let after = self
                .write_client(&mut open.transaction, (tenant, client), &wanted, &event)
                .await?;
            open.close(after).await
        };
        attempt(|| Box::pin(change())).await
    }

    async fn write_client(
        &self,
        transaction: &mut PgConnection,
        (tenant, client): (TenantId, ClientId),
        wanted: &NewClient,
        event: &ComplianceEvent,
    ) -> Result<ClientRecord, sqlx::Error> {
        sqlx::query_file_as!(
            ClientRecord,
            "sql/admin_client_update.sql",
            tenant.as_uuid(),
            client.as_uuid(),
            self.slot(),
            shard(tenant),
            event.encoded.event_id.as_uuid(),
            event.encoded.core,
            event.personal.as_bytes(),
            wanted.display_name,
            wanted.first_party,
            &wanted.grant_types,
            &wanted.redirect_uris,
            &wanted.post_logout_redirect_uris,
            wanted.scope,
            &wanted.allowed_origins,
            wanted.require_pkce,
            wanted.refresh_grace_seconds,
            wanted.id_token_signed_response_alg
        )
        .fetch_one(transaction)
        .await
    }

    /// Deletes a client, its secrets and what people allowed it. Gives the epoch below which everything of it is refused;
    /// nothing if an earlier call did it.
    ///
    /// # Errors
    /// If it was not deleted.
    #[instrument(skip_all, fields(%client))]
    pub async fn delete_client(
        &self,
        mutation: &Mutation,
        (tenant, client): (TenantId, ClientId),
        describe: impl Fn(&ClientRecord) -> ComplianceEvent,
    ) -> Result<Mutated<Option<i64>>, Unmade<Infallible>> {
        let change = || async {
            let mut open = match self.open(mutation, client.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => return Ok(Mutated { thing: None, effect }),
            };
            let event = describe(&lock(&mut open, (tenant, client)).await?);
            let deleted = sqlx::query_file!(
                "sql/admin_client_delete.sql",
                tenant.as_uuid(),
                client.as_uuid(),
                self.slot(),
                shard(tenant),
                event.encoded.event_id.as_uuid(),
                event.encoded.core,
                event.personal.as_bytes()
            )
            .fetch_one(&mut *open.transaction)
            .await?;
            open.close(Some(deleted.epoch)).await
        };
        attempt(|| Box::pin(change())).await
    }

    /// Gives a client a new secret; the newest one before stays good for `overlap`, older ones end.
    ///
    /// # Errors
    /// If it was not given, also because `describe` refuses.
    #[instrument(skip_all, fields(%client))]
    pub async fn rotate_client_secret<R>(
        &self,
        mutation: &Mutation,
        (tenant, client): (TenantId, ClientId),
        (new, overlap): (&NewClientSecret, Duration),
        describe: impl Fn(&ClientRecord) -> Result<ComplianceEvent, R>,
    ) -> Result<Mutated<ClientRecord>, Unmade<R>> {
        let change = || async {
            let mut open = match self.open(mutation, client.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => return self.client_as_it_is((tenant, client), effect).await,
            };
            let before = lock(&mut open, (tenant, client)).await?;
            let event = describe(&before).map_err(Unmade::Refused)?;
            let after = sqlx::query_file_as!(
                ClientRecord,
                "sql/admin_client_secret_rotate.sql",
                tenant.as_uuid(),
                client.as_uuid(),
                self.slot(),
                shard(tenant),
                event.encoded.event_id.as_uuid(),
                event.encoded.core,
                event.personal.as_bytes(),
                new.id.as_uuid(),
                &new.hash[..],
                overlap.as_seconds_f64()
            )
            .fetch_one(&mut *open.transaction)
            .await?;
            open.close(after).await
        };
        attempt(|| Box::pin(change())).await
    }

    /// The secrets of some clients of a tenant that are good now, oldest first.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn list_client_secrets(
        &self,
        tenant: TenantId,
        clients: &[ClientId],
    ) -> Result<Vec<ClientSecretRecord>, Fault> {
        let clients: Vec<Uuid> = clients.iter().map(ClientId::as_uuid).collect();
        let records = sqlx::query_file_as!(
            ClientSecretRecord,
            "sql/admin_client_secrets.sql",
            tenant.as_uuid(),
            &clients
        )
        .fetch_all(&self.cold)
        .await?;
        Ok(records)
    }

    async fn client_as_it_is<R>(
        &self,
        (tenant, client): (TenantId, ClientId),
        effect: super::Effect,
    ) -> Result<Mutated<ClientRecord>, Unmade<R>> {
        let thing = self.find_client_record(tenant, client).await?;
        let thing = thing.ok_or(Unmade::NotFound)?;
        Ok(Mutated { thing, effect })
    }
}

/// The client, locked, in the version that the caller saw.
async fn lock<R>(open: &mut Open, (tenant, client): (TenantId, ClientId)) -> Result<ClientRecord, Unmade<R>> {
    let locked = sqlx::query_file_as!(
        ClientRecord,
        "sql/admin_client_lock.sql",
        tenant.as_uuid(),
        client.as_uuid()
    )
    .fetch_optional(&mut *open.transaction)
    .await?
    .ok_or(Unmade::NotFound)?;
    open.check(locked.version)?;
    Ok(locked)
}
