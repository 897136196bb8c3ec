//! The signing keys of all tenants, each read once and kept for a minute.
//!
//! A tenant that lacks a key of an algorithm gets one when it is first needed; of replicas that make one at the same time,
//! one wins. What is published is at most a second old, so that a key which another replica has just made is found here too.
//!
//! Invariant: nothing signs with a view of the keys that is older than a minute, nor with one that the revocation feed does
//! not vouch for. A key is published for longer than that before it signs, so every replica publishes it by then.

use std::sync::Arc;

use credo_auth_domain::signing_algorithm::SigningAlgorithm;
use credo_auth_store::{Fault, Store};
use credo_clock::SharedClock;
use credo_ids::{SigningKeyId, TenantId};
use moka::future::Cache;
use tokio::sync::{Semaphore, mpsc};

use super::{
    KeyFault, KeySpans, MasterKeys,
    views::{NamedKey, PublishedKeys, TenantKeys},
};
use crate::{feed::Feed, refusal::Refusal};

/// How many tenants' keys are kept.
const CAPACITY: u64 = 10_000;
/// How often a key that was just made is looked for.
const MAX_TRIES: u32 = 3;
/// Tenants whose keys wait for a step. One that finds no room is due again a minute later.
const MAX_DUE: usize = 1_000;

/// Where keys are found.
#[derive(Debug)]
pub struct Keyring {
    pub(super) masters: Arc<MasterKeys>,
    pub(super) store: Arc<Store>,
    pub(super) feed: Arc<Feed>,
    pub(super) spans: KeySpans,
    clock: SharedClock,
    views: Cache<TenantId, Arc<TenantKeys>>,
    published: Cache<TenantId, Arc<PublishedKeys>>,
    /// Whoever finds a tenant without a key makes it, alone.
    making: Semaphore,
    /// One key is drawn at a time: it takes a thread for up to a second.
    pub(super) generating: Semaphore,
    due: mpsc::Sender<TenantId>,
}

impl Keyring {
    /// Opens keys with `masters`. What is due for a tenant is told to the receiver.
    #[must_use]
    pub fn new(
        masters: MasterKeys,
        store: Arc<Store>,
        feed: Arc<Feed>,
        clock: SharedClock,
        spans: KeySpans,
    ) -> (Arc<Self>, mpsc::Receiver<TenantId>) {
        let (due, steps) = mpsc::channel(MAX_DUE);
        let cache = |ttl| Cache::builder().time_to_live(ttl).max_capacity(CAPACITY);
        let keyring = Self {
            masters: Arc::new(masters),
            store,
            feed,
            views: cache(spans.view_max_age).build(),
            published: Cache::builder()
                .time_to_live(spans.published_max_age)
                .max_capacity(CAPACITY)
                .build(),
            spans,
            clock,
            making: Semaphore::new(1),
            generating: Semaphore::new(1),
            due,
        };
        (Arc::new(keyring), steps)
    }

    /// The master keys.
    #[must_use]
    pub fn masters(&self) -> &MasterKeys {
        &self.masters
    }

    /// The spans that keys live by.
    #[must_use]
    pub const fn spans(&self) -> &KeySpans {
        &self.spans
    }

    /// The keys of a tenant, to sign with now.
    ///
    /// # Errors
    /// If they cannot be read, or cannot be opened.
    pub async fn tenant(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, Refusal> {
        if let Some(kept) = self.views.get(&tenant).await {
            if self.is_young(&kept) && self.feed.vouches_for_keys(tenant, kept.published.ids()) {
                return Ok(kept);
            }
            self.views.invalidate(&tenant).await;
        }
        let loading = self.views.try_get_with(tenant, self.load(tenant));
        let keys = loading.await.map_err(|error| error.refusal())?;
        if keys.wants_a_step() && self.due.try_send(tenant).is_err() {
            tracing::warn!(%tenant, "the keys' next step waits: too many are due");
        }
        Ok(keys)
    }

    /// Whether `keys` may sign still. They may not after a minute, such as in a process that was stopped for a while.
    #[must_use]
    pub fn may_sign(&self, tenant: TenantId, keys: &TenantKeys) -> bool {
        self.is_young(keys) && !self.feed.knows_revoked(tenant, keys.published.ids())
    }

    /// The keys of a tenant, with one that signs by `algorithm` among them.
    ///
    /// # Errors
    /// If they cannot be read or opened, or the missing one cannot be made.
    pub async fn tenant_signing(
        &self,
        tenant: TenantId,
        algorithm: SigningAlgorithm,
    ) -> Result<Arc<TenantKeys>, Refusal> {
        for _ in 0..MAX_TRIES {
            let keys = self.tenant(tenant).await?;
            if keys.signing(algorithm).is_some() {
                return Ok(keys);
            }
            let one_at_a_time = self.making.acquire().await;
            self.views.invalidate(&tenant).await; // somebody may have made it while this waited
            let keys = self.tenant(tenant).await?;
            if keys.signing(algorithm).is_some() {
                return Ok(keys);
            }
            let made = self.make_first(tenant, algorithm).await;
            made.map_err(|error| error.refusal())?;
            self.forget(tenant).await;
            drop(one_at_a_time);
        }
        Err(Refusal::internal("a signing key that was just made is not there"))
    }

    /// The key of that name that verifies a tenant's tokens. Where the feed is too old to vouch for it, whoever asks must ask
    /// the rows. A name that is not known is looked for again, at most once a second.
    ///
    /// # Errors
    /// If keys have to be read and cannot be.
    pub async fn find(&self, tenant: TenantId, kid: &str) -> Result<Option<NamedKey>, Refusal> {
        let kept = self.views.get(&tenant).await.filter(|kept| self.may_sign(tenant, kept));
        let kept = match kept {
            Some(kept) => kept,
            None => self.tenant(tenant).await?,
        };
        match kept.published.find(kid) {
            Some(key) => Ok(Some(key.clone())),
            None => Ok(self.published(tenant).await?.find(kid).cloned()),
        }
    }

    /// Whether a key that has verified a token is known to be the tenant's still. Nothing is read for it: `false` says only
    /// that the token must be verified again.
    pub async fn vouches_for(&self, tenant: TenantId, key: SigningKeyId) -> bool {
        let kept = self.views.get(&tenant).await.filter(|kept| self.may_sign(tenant, kept));
        kept.is_some_and(|kept| kept.published.ids().any(|id| id == key))
    }

    /// What is published of a tenant's keys.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn published(&self, tenant: TenantId) -> Result<Arc<PublishedKeys>, Refusal> {
        self.read_published(tenant).await.map_err(|error| error.refusal())
    }

    /// The same for the JWKS: while the database gives no answer, what was read in the last minute.
    ///
    /// # Errors
    /// If they cannot be read and were not lately.
    pub async fn published_lately(&self, tenant: TenantId) -> Result<Arc<PublishedKeys>, Refusal> {
        match self.read_published(tenant).await {
            Ok(published) => Ok(published),
            Err(error) => match self.views.get(&tenant).await {
                Some(kept) if self.may_sign(tenant, &kept) => Ok(Arc::clone(&kept.published)),
                _ => Err(error.refusal()),
            },
        }
    }

    /// Forgets what was read of a tenant's keys.
    pub async fn forget(&self, tenant: TenantId) {
        self.views.invalidate(&tenant).await;
        self.published.invalidate(&tenant).await;
    }

    async fn read_published(&self, tenant: TenantId) -> Result<Arc<PublishedKeys>, Arc<LoadError>> {
        if let Some(kept) = self.published.get(&tenant).await
            && self.feed.knows_revoked(tenant, kept.ids())
        {
            self.published.invalidate(&tenant).await;
        }
        let loading = self.published.try_get_with::<_, LoadError>(tenant, async {
            let stored = self.store.list_signing_keys(tenant).await?;
            if stored.keys.iter().any(credo_auth_store::StoredSigningKey::is_active) {
                return Ok(PublishedKeys::parse(&stored.keys)?);
            }
            Ok(Arc::clone(&self.load(tenant).await?.published))
        });
        loading.await
    }

    async fn load(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, LoadError> {
        let mut read_at = self.clock.monotonic();
        let mut stored = self.store.list_signing_keys(tenant).await?;
        let has_active = |key: &credo_auth_store::StoredSigningKey| {
            key.is_active() && key.algorithm == SigningAlgorithm::Es256.as_str()
        };
        if !stored.keys.iter().any(has_active) {
            self.make_first(tenant, SigningAlgorithm::Es256).await?;
            read_at = self.clock.monotonic();
            stored = self.store.list_signing_keys(tenant).await?;
        }
        let schedule = (&self.spans.schedule, read_at);
        Ok(Arc::new(TenantKeys::open(tenant, &stored, &self.masters, schedule)?))
    }

    fn is_young(&self, keys: &TenantKeys) -> bool {
        self.clock.monotonic().saturating_sub(keys.read_at) < self.spans.view_max_age
    }
}

/// Why keys are not there.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error(transparent)]
    Store(#[from] Fault),
    #[error(transparent)]
    Keys(#[from] KeyFault),
}

impl LoadError {
    pub(super) fn refusal(&self) -> Refusal {
        match self {
            Self::Store(fault) => Refusal::from(fault),
            Self::Keys(error) => Refusal::internal(&error.to_string()),
        }
    }
}
