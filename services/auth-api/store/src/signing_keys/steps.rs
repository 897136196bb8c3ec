//! Steps that concern more than one key: they are taken over locked rows.

use credo_auth_domain::signing_key::{KeyState, Stage};
use credo_ids::{SigningKeyId, TenantId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use super::{NewSigningKey, Row, SigningKeyRecord};
use crate::{Fault, Store, admin::ComplianceEvent, outbox::shard};

/// A step of a key, for its event.
#[derive(Debug)]
pub struct KeyChange<'a> {
    /// The key as it was.
    pub before: &'a SigningKeyRecord,
    /// The state that it takes.
    pub state: KeyState,
    /// The key that it signs instead of, if it takes over.
    pub replaces: Option<SigningKeyId>,
}

/// Makes the event of a step.
pub type NewKeyEvent<'a> = &'a (dyn Fn(&KeyChange<'_>) -> ComplianceEvent + Sync);

/// The keys of one tenant and algorithm, locked.
#[derive(Debug)]
pub(crate) struct LockedKeys {
    /// Those that are published, and the one that was asked for whatever it is.
    pub keys: Vec<SigningKeyRecord>,
    /// The database's clock, not later than the lock.
    pub at: Option<OffsetDateTime>,
}

impl LockedKeys {
    /// Locks the published keys, and `also` if it is one of them no more.
    pub async fn lock(
        connection: &mut PgConnection,
        tenant: TenantId,
        algorithm: &str,
        also: Option<SigningKeyId>,
    ) -> Result<Self, sqlx::Error> {
        let rows = sqlx::query_file!(
            "sql/signing_key_lock.sql",
            tenant.as_uuid(),
            algorithm,
            also.map(|id| id.as_uuid()) as Option<Uuid>
        )
        .fetch_all(connection)
        .await?;
        let at = rows.first().map(|row| row.at);
        let keys = rows.into_iter().map(|row| {
            Row {
                id: row.id,
                tenant_id: row.tenant_id,
                kid: row.kid,
                algorithm: row.algorithm,
                state: row.state,
                state_at: row.state_at,
                public_key: row.public_key,
                master_key_id: row.master_key_id,
                created_at: row.created_at,
            }
            .try_into()
        });
        let keys = keys.collect::<Result<_, sqlx::Error>>()?;
        Ok(Self { keys, at })
    }

    /// The key in that state.
    pub fn in_state(&self, state: KeyState) -> Option<&SigningKeyRecord> {
        self.keys.iter().find(|key| key.stage.state == state)
    }

    /// The key of that id.
    pub fn find(&self, id: SigningKeyId) -> Option<&SigningKeyRecord> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// All of them, as far as the schedule goes.
    pub fn stages(&self) -> Vec<Stage> {
        self.keys.iter().map(|key| key.stage).collect()
    }
}

impl Store {
    /// Lets the pending key of a tenant and algorithm sign, if `is_due` still says so of the locked keys. Tells whether it did.
    ///
    /// # Errors
    /// If the database gives no answer, or the locks are not to be had.
    #[instrument(skip_all)]
    pub async fn activate_due_signing_key(
        &self,
        (tenant, algorithm): (TenantId, &str),
        is_due: impl Fn(&[Stage], OffsetDateTime) -> bool,
        event: NewKeyEvent<'_>,
    ) -> Result<bool, Fault> {
        let mut transaction = self.cold.begin().await?;
        let locked = LockedKeys::lock(&mut transaction, tenant, algorithm, None).await?;
        let pending = locked.in_state(KeyState::Pending).zip(locked.at);
        let Some((pending, _)) = pending.filter(|(_, at)| is_due(&locked.stages(), *at)) else {
            return Ok(false);
        };
        self.take_over(&mut transaction, &locked, pending, event).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Lets a locked pending key sign; the one before is retiring.
    pub(crate) async fn take_over(
        &self,
        connection: &mut PgConnection,
        locked: &LockedKeys,
        pending: &SigningKeyRecord,
        event: NewKeyEvent<'_>,
    ) -> Result<SigningKeyRecord, sqlx::Error> {
        let before = locked.in_state(KeyState::Active);
        if let Some(active) = before {
            move_key(connection, active, KeyState::Retiring).await?;
        }
        let change = KeyChange {
            before: pending,
            state: KeyState::Active,
            replaces: before.map(|key| key.id),
        };
        self.step(connection, &change, event).await
    }

    /// Takes one step of a locked key, with its event.
    pub(crate) async fn step(
        &self,
        connection: &mut PgConnection,
        change: &KeyChange<'_>,
        event: NewKeyEvent<'_>,
    ) -> Result<SigningKeyRecord, sqlx::Error> {
        let after = move_key(connection, change.before, change.state).await?;
        self.insert_event(connection, (after.tenant_id, after.id.as_uuid()), &event(change))
            .await?;
        Ok(after)
    }

    /// Writes the event of a change under way.
    pub(crate) async fn insert_event(
        &self,
        connection: &mut PgConnection,
        (tenant, aggregate): (TenantId, Uuid),
        event: &ComplianceEvent,
    ) -> Result<(), sqlx::Error> {
        sqlx::query_file!(
            "sql/compliance_event_insert.sql",
            self.slot(),
            tenant.as_uuid(),
            shard(tenant),
            aggregate,
            event.encoded.event_id.as_uuid(),
            event.encoded.core,
            event.personal.as_bytes()
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Takes one step of a locked key.
async fn move_key(
    connection: &mut PgConnection,
    key: &SigningKeyRecord,
    state: KeyState,
) -> Result<SigningKeyRecord, sqlx::Error> {
    let row = sqlx::query_file_as!(
        Row,
        "sql/signing_key_move.sql",
        key.tenant_id.as_uuid(),
        key.id.as_uuid(),
        key.stage.state.number(),
        state.number()
    );
    row.fetch_one(connection).await?.try_into()
}

/// Stores a new key in a state.
pub(crate) async fn insert_key(
    connection: &mut PgConnection,
    tenant: TenantId,
    key: &NewSigningKey,
    state: KeyState,
) -> Result<SigningKeyRecord, sqlx::Error> {
    let row = sqlx::query_file_as!(
        Row,
        "sql/signing_key_insert.sql",
        key.id.as_uuid(),
        tenant.as_uuid(),
        key.kid,
        key.algorithm,
        state.number(),
        key.public_key,
        key.sealed_key,
        key.master_key_id
    );
    row.fetch_one(connection).await?.try_into()
}
