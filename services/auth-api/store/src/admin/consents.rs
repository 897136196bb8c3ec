//! What people allowed, as administrators see it and take it back.

use std::convert::Infallible;

use credo_auth_domain::session::EndReason;
use credo_ids::{ClientId, SessionId, TenantId, UserId};
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use super::{
    ComplianceEvent, Mutated, Mutation, PageQuery, Unmade,
    mutation::{Opened, attempt},
};
use crate::{Fault, Store, outbox::shard};

/// A consent.
#[derive(Clone, Debug)]
pub struct ConsentRecord {
    /// In which tenant.
    pub tenant_id: TenantId,
    /// Whose.
    pub user_id: UserId,
    /// To whom.
    pub client_id: ClientId,
    /// Space-delimited: all that was allowed.
    pub scope: String,
    /// When it was first given.
    pub granted_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
    /// When it was taken back.
    pub revoked_at: Option<OffsetDateTime>,
}

impl Store {
    /// A page of what a person allowed, in order of the clients' creation; with `revoked`, also what was taken back.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%user))]
    pub async fn list_consent_records(
        &self,
        (tenant, user): (TenantId, UserId),
        revoked: bool,
        page: PageQuery<ClientId>,
    ) -> Result<Vec<ConsentRecord>, Fault> {
        let records = sqlx::query_file_as!(
            ConsentRecord,
            "sql/admin_consent_list.sql",
            tenant.as_uuid(),
            user.as_uuid(),
            page.after.map(|client| client.as_uuid()) as Option<Uuid>,
            revoked,
            page.limit
        )
        .fetch_all(&self.cold)
        .await?;
        Ok(records)
    }

    /// A consent, whether it holds or not.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%user, %client))]
    pub async fn find_consent_record(
        &self,
        (tenant, user): (TenantId, UserId),
        client: ClientId,
    ) -> Result<Option<ConsentRecord>, Fault> {
        let record = sqlx::query_file_as!(
            ConsentRecord,
            "sql/admin_consent_find.sql",
            tenant.as_uuid(),
            user.as_uuid(),
            client.as_uuid()
        )
        .fetch_optional(&self.cold)
        .await?;
        Ok(record)
    }

    /// Takes a consent back and ends what the client was issued for the person; one that was taken back is left alone,
    /// without an event. Gives the sessions that ended now, too.
    ///
    /// `describe` makes the event of the change from the consent as it was.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(%user, %client))]
    pub async fn take_consent_back(
        &self,
        mutation: &Mutation,
        (tenant, user): (TenantId, UserId),
        client: ClientId,
        describe: impl Fn(&ConsentRecord) -> ComplianceEvent,
    ) -> Result<Mutated<(ConsentRecord, Vec<SessionId>)>, Unmade<Infallible>> {
        let ids = (tenant.as_uuid(), user.as_uuid(), client.as_uuid());
        let change = || async {
            let mut open = match self.open(mutation, client.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => {
                    let found = self.find_consent_record((tenant, user), client).await?;
                    let thing = (found.ok_or(Unmade::NotFound)?, Vec::new());
                    return Ok(Mutated { thing, effect });
                }
            };
            let locked = sqlx::query_file_as!(ConsentRecord, "sql/admin_consent_lock.sql", ids.0, ids.1, ids.2);
            let before = locked
                .fetch_optional(&mut *open.transaction)
                .await?
                .ok_or(Unmade::NotFound)?;
            if before.revoked_at.is_some() {
                return open.close((before, Vec::new())).await;
            }
            let event = describe(&before);
            let event_id = event.encoded.event_id.as_uuid();
            sqlx::query_file_scalar!(
                "sql/consent_revoke.sql",
                ids.0,
                ids.1,
                ids.2,
                self.slot(),
                shard(tenant),
                event_id,
                event.encoded.core,
                event.personal.as_bytes()
            )
            .fetch_one(&mut *open.transaction)
            .await?;
            let reason = EndReason::Administrator as i16;
            let ended = sqlx::query_file_scalar!("sql/client_grants_revoke.sql", ids.0, ids.1, ids.2, event_id, reason);
            let ended = ended.fetch_all(&mut *open.transaction).await?;
            let found = sqlx::query_file_as!(ConsentRecord, "sql/admin_consent_find.sql", ids.0, ids.1, ids.2);
            let after = found.fetch_one(&mut *open.transaction).await?;
            open.close((after, ended.into_iter().map(Into::into).collect())).await
        };
        attempt(|| Box::pin(change())).await
    }
}
