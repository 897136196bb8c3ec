//! What people allowed clients, as they see it and take it back.

use credo_auth_domain::{connected_app::ConnectedApp, session::EndReason};
use credo_ids::{ClientId, EventId, SessionId, TenantId, UserId};
use sqlx::PgConnection;
use tracing::instrument;
use uuid::Uuid;

use crate::{EventRow, Fault, Store, attempt::attempt, outbox::shard};

/// A consent that is to be changed by the person who gave it.
#[derive(Clone, Debug)]
pub struct ConsentChange {
    /// In which tenant.
    pub tenant_id: TenantId,
    /// Whose.
    pub user_id: UserId,
    /// To whom.
    pub client_id: ClientId,
    /// The id of the event.
    pub event_id: EventId,
    /// The event's parts.
    pub event: EventRow,
}

impl Store {
    /// What a person allowed, what holds first; at most 1000.
    ///
    /// # Errors
    /// If the database gives no answer, or a row that cannot be.
    #[instrument(skip_all, fields(%user))]
    pub async fn list_connected_apps(&self, tenant: TenantId, user: UserId) -> Result<Vec<ConnectedApp>, Fault> {
        let rows = sqlx::query_file!("sql/consent_list.sql", tenant.as_uuid(), user.as_uuid())
            .fetch_all(&self.cold)
            .await?;
        let apps = rows.into_iter().map(|row| {
            Ok(ConnectedApp {
                client_id: row.client_id.into(),
                client_name: row.client_name,
                scope: row.scope.parse().map_err(|_| Fault::Impossible("consent.scope"))?,
                granted_at: row.granted_at,
                revoked_at: row.revoked_at,
            })
        });
        apps.collect()
    }

    /// Takes a consent back and ends what the client has of the person. Gives the sessions that ended; nothing if there
    /// is no such consent that holds.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn revoke_consent(&self, item: &ConsentChange) -> Result<Option<Vec<SessionId>>, Fault> {
        let ended = attempt(|| async {
            let mut transaction = self.cold.begin().await?;
            let ended = revoke(&mut transaction, item, self.slot()).await?;
            transaction.commit().await?;
            Ok(ended)
        });
        Ok(ended.await?.map(|ended| ended.into_iter().map(Into::into).collect()))
    }

    /// Forgets a consent that was taken back. Whether there was one.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn delete_consent(&self, item: &ConsentChange) -> Result<bool, Fault> {
        let deleted = sqlx::query_file_scalar!(
            "sql/consent_delete.sql",
            item.tenant_id.as_uuid(),
            item.user_id.as_uuid(),
            item.client_id.as_uuid(),
            self.slot(),
            shard(item.tenant_id),
            item.event_id.as_uuid(),
            item.event.core,
            item.event.personal.as_bytes()
        );
        Ok(deleted.fetch_optional(&self.cold).await?.is_some())
    }
}

async fn revoke(
    connection: &mut PgConnection,
    item: &ConsentChange,
    slot: i16,
) -> Result<Option<Vec<Uuid>>, sqlx::Error> {
    let (tenant, user) = (item.tenant_id.as_uuid(), item.user_id.as_uuid());
    let client = item.client_id.as_uuid();
    let revoked = sqlx::query_file_scalar!(
        "sql/consent_revoke.sql",
        tenant,
        user,
        client,
        slot,
        shard(item.tenant_id),
        item.event_id.as_uuid(),
        item.event.core,
        item.event.personal.as_bytes()
    );
    if revoked.fetch_optional(&mut *connection).await?.is_none() {
        return Ok(None);
    }
    let ended = sqlx::query_file_scalar!(
        "sql/client_grants_revoke.sql",
        tenant,
        user,
        client,
        item.event_id.as_uuid(),
        EndReason::Person as i16
    );
    Ok(Some(ended.fetch_all(connection).await?))
}
