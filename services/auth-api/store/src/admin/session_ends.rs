//! Ending sessions on behalf of administrators: one, or by an epoch everything of a user, a client or a tenant.

use std::convert::Infallible;

use credo_auth_domain::{profile::Profile, session::Standing};
use credo_ids::{ClientId, SessionId, TenantId, UserId};
use sqlx::{PgConnection, types::Json};
use tracing::instrument;

use super::{
    ClientRecord, ComplianceEvent, Mutated, Mutation, SessionRecord, Unmade, UserRecord,
    mutation::{Opened, attempt},
};
use crate::{Store, outbox::shard};

/// What a tenant's epoch and version are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantEpoch {
    /// Rises when everything issued in it must die.
    pub epoch: i64,
    /// Rises at every change.
    pub version: i64,
}

impl Store {
    /// Ends a session; one that is worth nothing any more because of a revocation is left alone, without an event.
    ///
    /// `describe` makes the event of the change from the session as it was.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(%session))]
    pub async fn end_session(
        &self,
        mutation: &Mutation,
        (tenant, session): (TenantId, SessionId),
        describe: impl Fn(&SessionRecord) -> ComplianceEvent,
    ) -> Result<Mutated<SessionRecord>, Unmade<Infallible>> {
        let change = || async {
            let mut open = match self.open(mutation, session.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => {
                    let found = self.find_session_record(tenant, session).await?;
                    let thing = found.ok_or(Unmade::NotFound)?;
                    return Ok(Mutated { thing, effect });
                }
            };
            let before = lock_session(&mut open.transaction, tenant, session)
                .await?
                .ok_or(Unmade::NotFound)?;
            if before.standing() == Standing::Revoked {
                return open.close(before).await;
            }
            let event = describe(&before);
            sqlx::query_file!(
                "sql/admin_session_revoke.sql",
                session.as_uuid(),
                tenant.as_uuid(),
                self.slot(),
                shard(tenant),
                event.encoded.event_id.as_uuid(),
                event.encoded.core,
                event.personal.as_bytes()
            )
            .execute(&mut *open.transaction)
            .await?;
            let after = lock_session(&mut open.transaction, tenant, session)
                .await?
                .ok_or(Unmade::NotFound)?;
            open.close(after).await
        };
        attempt(|| Box::pin(change())).await
    }

    /// Ends every session and every browser's sign-in of a user.
    ///
    /// `describe` makes the event of the change from the user as it was.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(%user))]
    pub async fn end_user_sessions(
        &self,
        mutation: &Mutation,
        (tenant, user): (TenantId, UserId),
        describe: impl Fn(&UserRecord) -> ComplianceEvent,
    ) -> Result<Mutated<UserRecord>, Unmade<Infallible>> {
        let change = || async {
            let mut open = match self.open(mutation, user.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => {
                    let thing = self.find_user_record(tenant, user).await?.ok_or(Unmade::NotFound)?;
                    return Ok(Mutated { thing, effect });
                }
            };
            let locked = sqlx::query_file_as!(UserRecord, "sql/admin_user_lock.sql", tenant.as_uuid(), user.as_uuid());
            let before = locked
                .fetch_optional(&mut *open.transaction)
                .await?
                .ok_or(Unmade::NotFound)?;
            let event = describe(&before);
            let after = sqlx::query_file_as!(
                UserRecord,
                "sql/admin_user_sessions_revoke.sql",
                tenant.as_uuid(),
                user.as_uuid(),
                self.slot(),
                shard(tenant),
                event.encoded.event_id.as_uuid(),
                event.encoded.core,
                event.personal.as_bytes()
            )
            .fetch_one(&mut *open.transaction)
            .await?;
            open.close(after).await
        };
        attempt(|| Box::pin(change())).await
    }

    /// Ends everything that a client was issued. Gives its epoch.
    ///
    /// `describe` makes the event of the change from the client as it was.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(%client))]
    pub async fn end_client_sessions(
        &self,
        mutation: &Mutation,
        (tenant, client): (TenantId, ClientId),
        describe: impl Fn(&ClientRecord) -> ComplianceEvent,
    ) -> Result<Mutated<i64>, Unmade<Infallible>> {
        let change = || async {
            let mut open = match self.open(mutation, client.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => {
                    let found = self.find_client_record(tenant, client).await?;
                    let thing = found.ok_or(Unmade::NotFound)?.epoch;
                    return Ok(Mutated { thing, effect });
                }
            };
            let ids = (tenant.as_uuid(), client.as_uuid());
            let locked = sqlx::query_file_as!(ClientRecord, "sql/admin_client_lock.sql", ids.0, ids.1);
            let before = locked
                .fetch_optional(&mut *open.transaction)
                .await?
                .ok_or(Unmade::NotFound)?;
            let event = describe(&before);
            let epoch = sqlx::query_file_scalar!(
                "sql/admin_client_sessions_revoke.sql",
                ids.0,
                ids.1,
                self.slot(),
                shard(tenant),
                event.encoded.event_id.as_uuid(),
                event.encoded.core,
                event.personal.as_bytes()
            )
            .fetch_one(&mut *open.transaction)
            .await?;
            open.close(epoch).await
        };
        attempt(|| Box::pin(change())).await
    }

    /// Ends everything that was issued in a tenant. Gives its epoch; nothing if an earlier run or call did it.
    ///
    /// `describe` makes the event of the change from what was.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(%tenant))]
    pub async fn end_tenant_sessions(
        &self,
        mutation: &Mutation,
        tenant: TenantId,
        describe: impl Fn(TenantEpoch) -> ComplianceEvent,
    ) -> Result<Mutated<Option<i64>>, Unmade<Infallible>> {
        let change = || async {
            let mut open = match self.open(mutation, tenant.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => return Ok(Mutated { thing: None, effect }),
            };
            let locked = sqlx::query_file_as!(TenantEpoch, "sql/admin_tenant_epoch_lock.sql", tenant.as_uuid());
            let before = locked
                .fetch_optional(&mut *open.transaction)
                .await?
                .ok_or(Unmade::NotFound)?;
            let event = describe(before);
            let epoch = sqlx::query_file_scalar!(
                "sql/admin_tenant_sessions_revoke.sql",
                tenant.as_uuid(),
                self.slot(),
                shard(tenant),
                event.encoded.event_id.as_uuid(),
                event.encoded.core,
                event.personal.as_bytes()
            )
            .fetch_one(&mut *open.transaction)
            .await?;
            open.close(Some(epoch)).await
        };
        attempt(|| Box::pin(change())).await
    }
}

async fn lock_session(
    connection: &mut PgConnection,
    tenant: TenantId,
    session: SessionId,
) -> Result<Option<SessionRecord>, sqlx::Error> {
    let (session, tenant) = (session.as_uuid(), tenant.as_uuid());
    sqlx::query_file_as!(SessionRecord, "sql/admin_session_lock.sql", session, tenant)
        .fetch_optional(connection)
        .await
}
