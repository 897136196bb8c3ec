//! The steps of the schedule, taken when a tenant's keys are used and a step is due.
//!
//! Any replica takes them, all at once if it so happens: the rows decide who does.

use std::sync::Arc;

use credo_auth_domain::{
    signing_algorithm::SigningAlgorithm,
    signing_key::{KeyState, Stage, Step},
};
use credo_auth_store::{KeyChange, NewSigningKey};
use credo_ids::TenantId;

use super::{
    KeyFault, Keyring, SigningKey,
    events::{self, ScheduledEvent},
    keyring::LoadError,
    views,
};
use crate::audit::compliance::{SIGNING_KEY_ACTIVATED, SIGNING_KEY_CREATED};

impl Keyring {
    /// Takes every step that is due for a tenant. Tells whether anything changed.
    pub(super) async fn take_steps(&self, tenant: TenantId) -> Result<bool, LoadError> {
        let mut stepped = false;
        for algorithm in SigningAlgorithm::ALL {
            let stored = self.store.list_signing_keys(tenant).await?;
            let stages: Vec<Stage> = views::of(&stored, algorithm).map(|key| key.stage).collect();
            let due = stored.at.and_then(|at| self.spans.schedule.due(&stages, at));
            stepped |= match due {
                Some(Step::Create) => self.make_successor(tenant, algorithm).await?,
                Some(Step::Activate) => self.activate_due(tenant, algorithm).await?,
                None => false,
            };
        }
        if stepped {
            self.forget(tenant).await;
        }
        Ok(stepped)
    }

    /// Stores the first active key of a tenant and algorithm, unless there is one by now. Nobody can hold an older JWKS of a
    /// new tenant; for RS256 the first client that asks for it is new.
    pub(super) async fn make_first(&self, tenant: TenantId, algorithm: SigningAlgorithm) -> Result<(), LoadError> {
        let key = self.generate(tenant, algorithm).await?;
        let event = ScheduledEvent::new(&SIGNING_KEY_CREATED, self.feed.database_now())?;
        let event = event.of((tenant, key.id), None, &events::made(&key, KeyState::Active));
        if self.store.insert_first_signing_key(tenant, &key, &event).await? {
            tracing::info!(%tenant, kid = key.kid, %algorithm, "a first signing key was made");
        }
        Ok(())
    }

    async fn make_successor(&self, tenant: TenantId, algorithm: SigningAlgorithm) -> Result<bool, LoadError> {
        let key = self.generate(tenant, algorithm).await?;
        let event = ScheduledEvent::new(&SIGNING_KEY_CREATED, self.feed.database_now())?;
        let event = event.of((tenant, key.id), None, &events::made(&key, KeyState::Pending));
        let after = self.spans.schedule.successor_after();
        let stored = self.store.insert_signing_key_successor(tenant, &key, after, &event);
        let made = stored.await?;
        if made {
            tracing::info!(%tenant, kid = key.kid, %algorithm, "the next signing key is published");
        }
        Ok(made)
    }

    async fn activate_due(&self, tenant: TenantId, algorithm: SigningAlgorithm) -> Result<bool, LoadError> {
        let event = ScheduledEvent::new(&SIGNING_KEY_ACTIVATED, self.feed.database_now())?;
        let schedule = self.spans.schedule;
        let describe = |change: &KeyChange<'_>| {
            let (before, after) = events::changed(change);
            event.of((tenant, change.before.id), Some(&before), &after)
        };
        let is_due = |stages: &[Stage], at| schedule.due(stages, at) == Some(Step::Activate);
        let step = self
            .store
            .activate_due_signing_key((tenant, algorithm.as_str()), is_due, &describe);
        let activated = step.await?;
        if activated {
            tracing::info!(%tenant, %algorithm, "the next signing key signs");
        }
        Ok(activated)
    }

    /// A fresh key, off the reactor: an RSA key takes up to a second. One at a time, whoever asks.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub async fn generate(&self, tenant: TenantId, algorithm: SigningAlgorithm) -> Result<NewSigningKey, KeyFault> {
        let masters = Arc::clone(&self.masters);
        let _turn = self.generating.acquire().await;
        let making = tokio::task::spawn_blocking(move || SigningKey::generate(tenant, algorithm, masters.active()));
        making.await.map_err(|error| KeyFault(error.to_string()))?
    }
}
