//! What is done to keys in the background: steps that are due where somebody signs, and a slow look through all tenants.
//!
//! The look costs an empty index scan while there is nothing to do. It retires keys that nobody uses any more, too, and seals
//! again what is sealed under another master key than the active one. Everything is bounded; whatever fails is tried again.

use std::sync::Arc;

use credo_auth_store::{Resealed, StoredSigningKey};
use credo_ids::{SigningKeyId, TenantId};
use credo_lifecycle::Shutdown;
use prometheus::{IntCounter, IntGauge};
use serde_json::json;
use tokio::{sync::mpsc, time::sleep};

use super::{Keyring, SigningKey, events::ScheduledEvent, keyring::LoadError};
use crate::audit::compliance::{SIGNING_KEY_RESEALED, SIGNING_KEY_RETIRED};

/// Keys that one look retires, and seals again, at most.
const BATCH: i64 = 100;

/// Why a process cannot serve with its master keys.
#[derive(Debug, thiserror::Error)]
#[error(
    "CREDO_MASTER_KEYS_FILE lacks master key {missing}: {keys} signing keys are sealed under it. Put it back into the file, behind the first line"
)]
pub struct MasterKeyMissing {
    missing: i16,
    keys: i64,
}

/// Numbers of the upkeep.
#[derive(Clone, Debug)]
pub struct UpkeepMetrics {
    /// Published keys that are sealed under another master key than the active one.
    pub under_other_master_keys: IntGauge,
    /// Steps that failed; they are taken again.
    pub failures: IntCounter,
}

impl UpkeepMetrics {
    /// Both at zero.
    ///
    /// # Errors
    /// If a name cannot be.
    pub fn new() -> Result<Self, prometheus::Error> {
        Ok(Self {
            under_other_master_keys: IntGauge::new(
                "credo_signing_keys_under_other_master_keys",
                "Published signing keys that are sealed under another master key than the active one.",
            )?,
            failures: IntCounter::new(
                "credo_signing_key_upkeep_failures_total",
                "Steps of signing keys that failed; they are taken again.",
            )?,
        })
    }
}

/// The background of the keyring.
#[derive(Debug)]
pub struct Upkeep {
    keyring: Arc<Keyring>,
    due: mpsc::Receiver<TenantId>,
    metrics: UpkeepMetrics,
}

impl Upkeep {
    /// Takes the steps that `keyring` says are due.
    #[must_use]
    pub const fn new(keyring: Arc<Keyring>, due: mpsc::Receiver<TenantId>, metrics: UpkeepMetrics) -> Self {
        Self { keyring, due, metrics }
    }

    /// Runs until shutdown.
    pub async fn run(mut self, shutdown: Shutdown) {
        loop {
            let done = tokio::select! {
                Some(tenant) = self.due.recv() => self.keyring.take_steps(tenant).await.map(|_| ()),
                () = sleep(self.keyring.spans.sweep_interval) => self.sweep().await,
                () = shutdown.requested() => return,
            };
            if let Err(error) = done {
                self.metrics.failures.inc();
                tracing::error!(%error, "a step of signing keys failed; it is taken again");
            }
        }
    }

    async fn sweep(&self) -> Result<(), LoadError> {
        self.keyring.retire_due(BATCH).await?;
        self.keyring.reseal(BATCH).await?;
        let (_, others) = self.keyring.count_sealed().await?;
        self.metrics.under_other_master_keys.set(others);
        Ok(())
    }
}

impl Keyring {
    /// Makes sure that the file has every master key that a published key is sealed under, and says in the log which are
    /// needed.
    ///
    /// # Errors
    /// Outside: if the database gives no answer. Inside: if one is missing.
    pub async fn check_master_keys(&self) -> Result<Result<(), MasterKeyMissing>, credo_auth_store::Fault> {
        let sealed = self.store.count_signing_keys_by_master_key().await?;
        for under in &sealed {
            let Some(master) = u8::try_from(under.master_key_id)
                .ok()
                .and_then(|id| self.masters.find(id))
            else {
                let (missing, keys) = (under.master_key_id, under.keys);
                return Ok(Err(MasterKeyMissing { missing, keys }));
            };
            tracing::info!(
                master_key_id = master.id,
                active = master.id == self.masters.active().id,
                demoted = master.demoted,
                signing_keys = under.keys,
                "signing keys are sealed under this master key"
            );
        }
        Ok(Ok(()))
    }

    /// Published keys under the active master key, and under others.
    async fn count_sealed(&self) -> Result<(i64, i64), LoadError> {
        let sealed = self.store.count_signing_keys_by_master_key().await?;
        let active = i16::from(self.masters.active().id);
        let (under_active, others): (Vec<_>, Vec<_>) =
            sealed.into_iter().partition(|under| under.master_key_id == active);
        let sum = |counts: Vec<credo_auth_store::SealedUnder>| counts.iter().map(|under| under.keys).sum();
        Ok((sum(under_active), sum(others)))
    }

    async fn retire_due(&self, limit: i64) -> Result<(), LoadError> {
        let retiring = self.spans.schedule.retiring;
        let event = ScheduledEvent::new(&SIGNING_KEY_RETIRED, self.feed.database_now())?;
        for (tenant, key) in self.store.find_retirable_signing_keys(retiring, limit).await? {
            let (before, after) = (json!({ "state": "retiring" }), json!({ "state": "retired" }));
            let event = event.of((tenant, key), Some(&before), &after);
            let retired = self.store.retire_due_signing_key((tenant, key), retiring, &event);
            if retired.await? {
                tracing::info!(%tenant, %key, "a signing key is retired");
                self.forget(tenant).await;
            }
        }
        Ok(())
    }

    /// One key that cannot be opened does not keep the others from being sealed again.
    async fn reseal(&self, limit: i64) -> Result<(), LoadError> {
        let active = i16::from(self.masters.active().id);
        let suspected = self.masters.demoted_ids();
        let found = self
            .store
            .find_signing_keys_to_reseal(active, &suspected, self.spans.settled, limit);
        let event = ScheduledEvent::new(&SIGNING_KEY_RESEALED, self.feed.database_now())?;
        let mut failure = None;
        for (tenant, key) in found.await? {
            if let Err(error) = self.reseal_one(&event, tenant, &key).await {
                failure = Some(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn reseal_one(
        &self,
        event: &ScheduledEvent,
        tenant: TenantId,
        key: &StoredSigningKey,
    ) -> Result<(), LoadError> {
        let sealed_key = SigningKey::reseal(tenant, key, &self.masters)?;
        let id: SigningKeyId = key.id;
        let resealed = Resealed {
            tenant_id: tenant,
            id,
            before: key.master_key_id,
            after: i16::from(self.masters.active().id),
            sealed_key,
        };
        let (before, after) = (
            json!({ "master_key_id": resealed.before }),
            json!({ "master_key_id": resealed.after }),
        );
        let event = event.of((tenant, id), Some(&before), &after);
        if self.store.reseal_signing_key(&resealed, &event).await? {
            tracing::info!(%tenant, key = %id, from = resealed.before, to = resealed.after, "a signing key is sealed again");
        }
        Ok(())
    }
}
