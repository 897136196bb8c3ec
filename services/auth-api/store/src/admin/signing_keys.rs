//! Signing keys as administrators change and see them.
//!
//! Refuses a step that clients could not follow, but for a key that leaked: what it signed is worth nothing then.

use credo_auth_domain::signing_key::{KeySchedule, KeyState};
use credo_ids::{SigningKeyId, TenantId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use super::{
    ComplianceEvent, Mutated, Mutation, PageQuery, Unmade,
    mutation::{Opened, attempt},
};
use crate::{
    Fault, KeyChange, NewKeyEvent, NewSigningKey, SigningKeyRecord, Store,
    signing_keys::{LockedKeys, Row, insert_key},
};

/// Why a step of a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRefusal {
    /// There is a pending one of that algorithm.
    PendingExists,
    /// Only a pending key can be activated.
    NotPending,
    /// Clients may not have it yet.
    NotLongEnoughPublished,
    /// It signs.
    Active,
    /// What it signed may live.
    TokensLive,
    /// It was retired or revoked.
    Gone,
}

/// What an administrator does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStep {
    /// It signs from now on.
    Activate,
    /// It leaves the JWKS.
    Retire,
}

/// A key that leaked, and the one that signs from now on.
#[derive(Clone, Debug)]
pub struct RevokedKey {
    /// The key.
    pub key: SigningKeyRecord,
    /// The active key of its algorithm.
    pub successor: Option<SigningKeyRecord>,
}

/// The events of an emergency.
pub struct EmergencyEvents<'a> {
    /// Of the key that leaked.
    pub revoked: NewKeyEvent<'a>,
    /// Of a pending key that takes over.
    pub activated: NewKeyEvent<'a>,
    /// Of the spare key, if that one takes over.
    pub made: &'a ComplianceEvent,
}

impl Store {
    /// A tenant's key, whatever became of it.
    ///
    /// # Errors
    /// If the database gives no answer.
    pub async fn find_signing_key_record(
        &self,
        tenant: TenantId,
        key: SigningKeyId,
    ) -> Result<Option<SigningKeyRecord>, Fault> {
        let row = sqlx::query_file_as!(Row, "sql/signing_key_find.sql", tenant.as_uuid(), key.as_uuid())
            .fetch_optional(&self.cold)
            .await?;
        Ok(row.map(TryInto::try_into).transpose()?)
    }

    /// A tenant's keys, newest first.
    ///
    /// # Errors
    /// If the database gives no answer.
    pub async fn list_signing_key_records(
        &self,
        tenant: TenantId,
        with_gone: bool,
        page: PageQuery<SigningKeyId>,
    ) -> Result<Vec<SigningKeyRecord>, Fault> {
        let rows = sqlx::query_file_as!(
            Row,
            "sql/signing_key_page.sql",
            tenant.as_uuid(),
            with_gone,
            page.after.map(|id| id.as_uuid()) as Option<Uuid>,
            page.limit
        )
        .fetch_all(&self.cold)
        .await?;
        let keys = rows.into_iter().map(TryInto::try_into);
        Ok(keys.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Stores a pending key.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all)]
    pub async fn create_signing_key(
        &self,
        mutation: &Mutation,
        tenant: TenantId,
        key: &NewSigningKey,
        event: &ComplianceEvent,
    ) -> Result<Mutated<SigningKeyRecord>, Unmade<KeyRefusal>> {
        let change = || async {
            let mut open = match self.open(mutation, key.id.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { object, effect } => return self.as_it_is(tenant, object.into(), effect).await,
            };
            let locked = LockedKeys::lock(&mut open.transaction, tenant, key.algorithm, None).await?;
            if locked.in_state(KeyState::Pending).is_some() {
                return Err(Unmade::Refused(KeyRefusal::PendingExists));
            }
            let made = insert_key(&mut open.transaction, tenant, key, KeyState::Pending).await?;
            self.insert_event(&mut open.transaction, (tenant, key.id.as_uuid()), event)
                .await?;
            open.close(made).await
        };
        attempt(|| Box::pin(change())).await
    }

    /// Takes a step of a key, if the schedule's least spans allow it.
    ///
    /// # Errors
    /// If it was not taken.
    #[instrument(skip_all)]
    pub async fn step_signing_key(
        &self,
        mutation: &Mutation,
        (tenant, key): (TenantId, SigningKeyId),
        (step, schedule): (KeyStep, &KeySchedule),
        event: NewKeyEvent<'_>,
    ) -> Result<Mutated<SigningKeyRecord>, Unmade<KeyRefusal>> {
        let change = || async {
            let mut open = match self.open(mutation, key.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => return self.as_it_is(tenant, key, effect).await,
            };
            let (locked, at) = lock_with(&mut open.transaction, tenant, key).await?;
            let before = locked.find(key).ok_or(Unmade::NotFound)?;
            let after = match step {
                KeyStep::Activate => {
                    may_activate(schedule, before, at).map_err(Unmade::Refused)?;
                    self.take_over(&mut open.transaction, &locked, before, event).await?
                }
                KeyStep::Retire => {
                    may_retire(schedule, before, at).map_err(Unmade::Refused)?;
                    let change = KeyChange {
                        before,
                        state: KeyState::Retired,
                        replaces: None,
                    };
                    self.step(&mut open.transaction, &change, event).await?
                }
            };
            open.close(after).await
        };
        attempt(|| Box::pin(change())).await
    }

    /// Revokes a key that leaked. If it signed, the pending key takes over at once, or `spare` where there is none.
    ///
    /// # Errors
    /// If it was not revoked.
    #[instrument(skip_all)]
    pub async fn revoke_signing_key(
        &self,
        mutation: &Mutation,
        (tenant, key): (TenantId, SigningKeyId),
        spare: &NewSigningKey,
        events: &EmergencyEvents<'_>,
    ) -> Result<Mutated<RevokedKey>, Unmade<KeyRefusal>> {
        let change = || async {
            let mut open = match self.open(mutation, key.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => {
                    let key = self.as_it_is(tenant, key, effect).await?.thing;
                    let mut connection = self.cold.begin().await?;
                    let locked = LockedKeys::lock(&mut connection, tenant, &key.algorithm, None).await?;
                    let successor = locked.in_state(KeyState::Active).cloned();
                    let thing = RevokedKey { key, successor };
                    return Ok(Mutated { thing, effect });
                }
            };
            let (locked, _) = lock_with(&mut open.transaction, tenant, key).await?;
            let before = locked.find(key).ok_or(Unmade::NotFound)?;
            let mut successor = locked.in_state(KeyState::Active).cloned();
            if before.stage.state == KeyState::Revoked {
                let key = before.clone();
                return open.close(RevokedKey { key, successor }).await;
            }
            let change = KeyChange {
                before,
                state: KeyState::Revoked,
                replaces: None,
            };
            let revoked = self.step(&mut open.transaction, &change, events.revoked).await?;
            sqlx::query_file!("sql/signing_key_revocation_insert.sql", tenant.as_uuid(), key.as_uuid())
                .execute(&mut *open.transaction)
                .await?;
            if before.stage.state == KeyState::Active {
                let next = self.succeed(&mut open.transaction, &locked, before, (spare, events));
                successor = Some(next.await?);
            }
            let key = revoked;
            open.close(RevokedKey { key, successor }).await
        };
        attempt(|| Box::pin(change())).await
    }

    /// Lets another key sign instead of a revoked one, at once: what the JWKS of clients says may be older, and that is
    /// better than tokens that nobody may trust. A pending key was published for a while already.
    async fn succeed(
        &self,
        connection: &mut PgConnection,
        locked: &LockedKeys,
        revoked: &SigningKeyRecord,
        (spare, events): (&NewSigningKey, &EmergencyEvents<'_>),
    ) -> Result<SigningKeyRecord, sqlx::Error> {
        if let Some(pending) = locked.in_state(KeyState::Pending) {
            let change = KeyChange {
                before: pending,
                state: KeyState::Active,
                replaces: Some(revoked.id),
            };
            return self.step(connection, &change, events.activated).await;
        }
        let made = insert_key(connection, revoked.tenant_id, spare, KeyState::Active).await?;
        self.insert_event(connection, (made.tenant_id, made.id.as_uuid()), events.made)
            .await?;
        Ok(made)
    }

    async fn as_it_is(
        &self,
        tenant: TenantId,
        key: SigningKeyId,
        effect: super::Effect,
    ) -> Result<Mutated<SigningKeyRecord>, Unmade<KeyRefusal>> {
        let thing = self.find_signing_key_record(tenant, key).await?;
        let thing = thing.ok_or(Unmade::NotFound)?;
        Ok(Mutated { thing, effect })
    }
}

/// Locks a key and those of its algorithm. The clock is not later than the locks.
async fn lock_with(
    connection: &mut PgConnection,
    tenant: TenantId,
    key: SigningKeyId,
) -> Result<(LockedKeys, OffsetDateTime), Unmade<KeyRefusal>> {
    let row = sqlx::query_file_as!(Row, "sql/signing_key_find.sql", tenant.as_uuid(), key.as_uuid());
    let found = row.fetch_optional(&mut *connection).await?.ok_or(Unmade::NotFound)?;
    let locked = LockedKeys::lock(connection, tenant, &found.algorithm, Some(key)).await?;
    let at = locked.at.ok_or(Unmade::NotFound)?;
    Ok((locked, at))
}

fn may_activate(schedule: &KeySchedule, key: &SigningKeyRecord, at: OffsetDateTime) -> Result<(), KeyRefusal> {
    match key.stage.state {
        KeyState::Pending if schedule.may_sign_at(key.stage.since) <= at => Ok(()),
        KeyState::Pending => Err(KeyRefusal::NotLongEnoughPublished),
        _ => Err(KeyRefusal::NotPending),
    }
}

/// A pending key signed nothing.
fn may_retire(schedule: &KeySchedule, key: &SigningKeyRecord, at: OffsetDateTime) -> Result<(), KeyRefusal> {
    match key.stage.state {
        KeyState::Pending => Ok(()),
        KeyState::Active => Err(KeyRefusal::Active),
        KeyState::Retiring if schedule.may_retire_at(key.stage.since) <= at => Ok(()),
        KeyState::Retiring => Err(KeyRefusal::TokensLive),
        KeyState::Retired | KeyState::Revoked => Err(KeyRefusal::Gone),
    }
}
