//! Signing keys: sealed while they are published, without a private part when they are gone.
//!
//! Refuses a step that the row is not ready for: of replicas that take the same step at the same time, one wins, and its
//! event is in the same commit.

mod steps;
mod upkeep;

use credo_auth_domain::signing_key::{KeyState, Stage};
use credo_ids::{SigningKeyId, TenantId};
use time::OffsetDateTime;
use tracing::instrument;

pub(crate) use self::steps::{LockedKeys, insert_key};
pub use self::{
    steps::{KeyChange, NewKeyEvent},
    upkeep::{Resealed, SealedUnder},
};
use crate::{Fault, Store, admin::ComplianceEvent, outbox::shard};

/// A key that verifies and is published.
#[derive(Debug)]
pub struct StoredSigningKey {
    /// Its id.
    pub id: SigningKeyId,
    /// Its name in a token's header.
    pub kid: String,
    /// Its JWS algorithm.
    pub algorithm: String,
    /// Where it is in its life.
    pub stage: Stage,
    /// The public part.
    pub public_key: Vec<u8>,
    /// The private part, encrypted.
    pub sealed_key: Vec<u8>,
    /// The master key that it is encrypted under.
    pub master_key_id: i16,
}

impl StoredSigningKey {
    /// Whether it signs now.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.stage.state == KeyState::Active
    }
}

/// A tenant's published keys at one moment.
#[derive(Debug)]
pub struct StoredKeys {
    /// The keys, oldest first.
    pub keys: Vec<StoredSigningKey>,
    /// The database's clock; nothing if there are no keys.
    pub at: Option<OffsetDateTime>,
}

/// A key that is to be a tenant's.
#[derive(Clone, Debug)]
pub struct NewSigningKey {
    /// Its id.
    pub id: SigningKeyId,
    /// Its name in a token's header.
    pub kid: String,
    /// Its JWS algorithm.
    pub algorithm: &'static str,
    /// The public part.
    pub public_key: Vec<u8>,
    /// The private part, encrypted.
    pub sealed_key: Vec<u8>,
    /// The master key that it is encrypted under.
    pub master_key_id: i16,
}

/// A key as its schedule and its administrators see it: without its private part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKeyRecord {
    /// Its id.
    pub id: SigningKeyId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its name in a token's header.
    pub kid: String,
    /// Its JWS algorithm.
    pub algorithm: String,
    /// Where it is in its life.
    pub stage: Stage,
    /// The public part.
    pub public_key: Vec<u8>,
    /// The master key that it is, or was, encrypted under.
    pub master_key_id: i16,
    /// When it was made.
    pub created_at: OffsetDateTime,
}

/// A row as statements give it.
pub(crate) struct Row {
    pub id: uuid::Uuid,
    pub tenant_id: uuid::Uuid,
    pub kid: String,
    pub algorithm: String,
    pub state: i16,
    pub state_at: OffsetDateTime,
    pub public_key: Vec<u8>,
    pub master_key_id: i16,
    pub created_at: OffsetDateTime,
}

impl TryFrom<Row> for SigningKeyRecord {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.id.into(),
            tenant_id: row.tenant_id.into(),
            kid: row.kid,
            algorithm: row.algorithm,
            stage: stage(row.state, row.state_at)?,
            public_key: row.public_key,
            master_key_id: row.master_key_id,
            created_at: row.created_at,
        })
    }
}

fn stage(state: i16, since: OffsetDateTime) -> Result<Stage, sqlx::Error> {
    let state = KeyState::of(state).ok_or_else(|| sqlx::Error::Decode("signing_key.state".into()))?;
    Ok(Stage { state, since })
}

impl Store {
    /// A tenant's keys that are pending, active or retiring.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn list_signing_keys(&self, tenant: TenantId) -> Result<StoredKeys, Fault> {
        let rows = sqlx::query_file!("sql/signing_key_list.sql", tenant.as_uuid())
            .fetch_all(&self.cold)
            .await?;
        let at = rows.first().map(|row| row.at);
        let keys = rows.into_iter().map(|row| {
            Ok(StoredSigningKey {
                id: row.id.into(),
                kid: row.kid,
                algorithm: row.algorithm,
                stage: stage(row.state, row.state_at)?,
                public_key: row.public_key,
                sealed_key: row.sealed_key,
                master_key_id: row.master_key_id,
            })
        });
        Ok(StoredKeys {
            keys: keys.collect::<Result<_, sqlx::Error>>()?,
            at,
        })
    }

    /// Stores a tenant's first active key of an algorithm, unless it has one. Tells whether it did.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn insert_first_signing_key(
        &self,
        tenant: TenantId,
        key: &NewSigningKey,
        event: &ComplianceEvent,
    ) -> Result<bool, Fault> {
        let done = sqlx::query_file!(
            "sql/signing_key_insert_first.sql",
            key.id.as_uuid(),
            tenant.as_uuid(),
            key.kid,
            key.algorithm,
            key.public_key,
            key.sealed_key,
            key.master_key_id,
            self.slot(),
            shard(tenant),
            event.encoded.event_id.as_uuid(),
            event.encoded.core,
            event.personal.as_bytes()
        )
        .execute(&self.cold)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Stores the pending successor of an active key that has been so for `successor_after`, unless there is one. Tells
    /// whether it did.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn insert_signing_key_successor(
        &self,
        tenant: TenantId,
        key: &NewSigningKey,
        successor_after: std::time::Duration,
        event: &ComplianceEvent,
    ) -> Result<bool, Fault> {
        let done = sqlx::query_file!(
            "sql/signing_key_insert_successor.sql",
            key.id.as_uuid(),
            tenant.as_uuid(),
            key.kid,
            key.algorithm,
            key.public_key,
            key.sealed_key,
            key.master_key_id,
            successor_after.as_secs_f64(),
            self.slot(),
            shard(tenant),
            event.encoded.event_id.as_uuid(),
            event.encoded.core,
            event.personal.as_bytes()
        )
        .execute(&self.cold)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}
