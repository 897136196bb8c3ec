//! What is done to keys whoever uses them: those that may go go, those under another master key are sealed again.
//!
//! These look-ups concern all tenants; each change names the tenant of its row.

use std::time::Duration;

use credo_ids::{SigningKeyId, TenantId};
use tracing::instrument;

use super::{StoredSigningKey, stage};
use crate::{Fault, Store, admin::ComplianceEvent, outbox::shard};

/// A private part, encrypted under another master key than before.
#[derive(Debug)]
pub struct Resealed {
    /// Whose key it is.
    pub tenant_id: TenantId,
    /// The key.
    pub id: SigningKeyId,
    /// The master key that it was encrypted under.
    pub before: i16,
    /// The master key that it is encrypted under.
    pub after: i16,
    /// The private part.
    pub sealed_key: Vec<u8>,
}

/// How many published keys are encrypted under a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedUnder {
    /// The master key.
    pub master_key_id: i16,
    /// How many keys.
    pub keys: i64,
}

impl Store {
    /// At most `limit` keys that have been retiring for `retiring`.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn find_retirable_signing_keys(
        &self,
        retiring: Duration,
        limit: i64,
    ) -> Result<Vec<(TenantId, SigningKeyId)>, Fault> {
        let rows = sqlx::query_file!("sql/signing_key_find_retirable.sql", retiring.as_secs_f64(), limit)
            .fetch_all(&self.cold)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.tenant_id.into(), row.id.into()))
            .collect())
    }

    /// Retires a key that has been retiring for `retiring`: its private part is gone. Tells whether it did.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn retire_due_signing_key(
        &self,
        (tenant, key): (TenantId, SigningKeyId),
        retiring: Duration,
        event: &ComplianceEvent,
    ) -> Result<bool, Fault> {
        let done = sqlx::query_file!(
            "sql/signing_key_retire_due.sql",
            tenant.as_uuid(),
            key.as_uuid(),
            retiring.as_secs_f64(),
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

    /// At most `limit` published keys that are encrypted under another master key than `active`: at once if it is one of
    /// `at_once`, else if they were encrypted `settled` ago.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn find_signing_keys_to_reseal(
        &self,
        active: i16,
        at_once: &[i16],
        settled: Duration,
        limit: i64,
    ) -> Result<Vec<(TenantId, StoredSigningKey)>, Fault> {
        let rows = sqlx::query_file!(
            "sql/signing_key_find_to_reseal.sql",
            active,
            at_once,
            settled.as_secs_f64(),
            limit
        )
        .fetch_all(&self.cold)
        .await?;
        let keys = rows.into_iter().map(|row| {
            let key = StoredSigningKey {
                id: row.id.into(),
                kid: row.kid,
                algorithm: row.algorithm,
                stage: stage(row.state, row.state_at)?,
                public_key: row.public_key,
                sealed_key: row.sealed_key,
                master_key_id: row.master_key_id,
            };
            Ok((row.tenant_id.into(), key))
        });
        Ok(keys.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Stores a private part that was encrypted again, unless somebody else did it. Tells whether it did.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn reseal_signing_key(&self, key: &Resealed, event: &ComplianceEvent) -> Result<bool, Fault> {
        let done = sqlx::query_file!(
            "sql/signing_key_reseal.sql",
            key.tenant_id.as_uuid(),
            key.id.as_uuid(),
            key.before,
            key.after,
            key.sealed_key,
            self.slot(),
            shard(key.tenant_id),
            event.encoded.event_id.as_uuid(),
            event.encoded.core,
            event.personal.as_bytes()
        )
        .execute(&self.cold)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// How many published keys are encrypted under each master key.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn count_signing_keys_by_master_key(&self) -> Result<Vec<SealedUnder>, Fault> {
        let rows = sqlx::query_file_as!(SealedUnder, "sql/signing_key_count_by_master_key.sql")
            .fetch_all(&self.cold)
            .await?;
        Ok(rows)
    }
}
