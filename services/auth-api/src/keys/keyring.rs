//! The signing keys of all tenants, each read once and kept for a minute.
//!
//! A tenant that lacks a key of an algorithm gets one when it is first needed; of replicas that make one at the same time,
//! one wins. What is published is at most a second old, so that a key which another replica has just made is found here too.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use credo_auth_domain::signing_algorithm::SigningAlgorithm;
use credo_auth_store::{Fault, Store, StoredSigningKey};
use credo_ids::TenantId;
use moka::future::Cache;
use serde::Serialize;
use tokio::sync::Semaphore;

use super::{KeyFault, MasterKeys, PublicKey, SigningKey, public_key::PublicJwk};
use crate::refusal::Refusal;

/// How long a tenant's keys are kept.
const TTL: Duration = Duration::from_mins(1);
/// How long what is published is kept.
const PUBLISHED_TTL: Duration = Duration::from_secs(1);
/// How many tenants' keys are kept.
const CAPACITY: u64 = 10_000;
/// How often a key that was just made is looked for.
const MAX_TRIES: u32 = 3;

/// The keys of one tenant.
#[derive(Debug)]
pub struct TenantKeys {
    /// Signs access tokens, and ID tokens of clients that want no other algorithm.
    pub active: SigningKey,
    rs256: Option<SigningKey>,
    /// Verify.
    pub published: Arc<PublishedKeys>,
}

impl TenantKeys {
    /// The key that signs by an algorithm, if there is one yet.
    #[must_use]
    pub const fn signing(&self, algorithm: SigningAlgorithm) -> Option<&SigningKey> {
        match algorithm {
            SigningAlgorithm::Es256 => Some(&self.active),
            SigningAlgorithm::Rs256 => self.rs256.as_ref(),
        }
    }

    /// The public key of that name.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.published.find(kid)
    }
}

/// What is published of a tenant's keys.
#[derive(Debug)]
pub struct PublishedKeys {
    by_kid: HashMap<String, PublicKey>,
    /// The JWK Set as it is served.
    pub jwks: Bytes,
}

impl PublishedKeys {
    /// The key of that name.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.by_kid.get(kid)
    }

    fn parse(stored: &[StoredSigningKey]) -> Result<Arc<Self>, KeyFault> {
        #[derive(Serialize)]
        struct JwkSet {
            keys: Vec<PublicJwk>,
        }
        let mut by_kid = HashMap::new();
        let mut set = JwkSet { keys: Vec::new() };
        for key in stored {
            let (verifies, jwk) = PublicKey::parse(key)?;
            by_kid.insert(key.kid.clone(), verifies);
            set.keys.push(jwk);
        }
        let jwks = serde_json::to_vec(&set)?.into();
        Ok(Arc::new(Self { by_kid, jwks }))
    }
}

/// Where keys are found.
#[derive(Debug)]
pub struct Keyring {
    masters: Arc<MasterKeys>,
    store: Arc<Store>,
    cache: Cache<TenantId, Arc<TenantKeys>>,
    published: Cache<TenantId, Arc<PublishedKeys>>,
    /// One key is made at a time: it takes a thread for up to a second.
    making: Semaphore,
}

impl Keyring {
    /// Opens keys with `masters`.
    #[must_use]
    pub fn new(masters: MasterKeys, store: Arc<Store>) -> Self {
        Self {
            masters: Arc::new(masters),
            store,
            cache: Cache::builder().time_to_live(TTL).max_capacity(CAPACITY).build(),
            published: Cache::builder()
                .time_to_live(PUBLISHED_TTL)
                .max_capacity(CAPACITY)
                .build(),
            making: Semaphore::new(1),
        }
    }

    /// The master keys.
    #[must_use]
    pub fn masters(&self) -> &MasterKeys {
        &self.masters
    }

    /// The keys of a tenant.
    ///
    /// # Errors
    /// If they cannot be read, or cannot be opened.
    pub async fn tenant(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, Refusal> {
        let loading = self.cache.try_get_with(tenant, self.load(tenant));
        loading.await.map_err(|error| error.refusal())
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
            self.cache.invalidate(&tenant).await; // somebody may have made it while this waited
            let keys = self.tenant(tenant).await?;
            if keys.signing(algorithm).is_some() {
                return Ok(keys);
            }
            let made = self.make(tenant, algorithm).await;
            made.map_err(|error| error.refusal())?;
            self.cache.invalidate(&tenant).await;
            self.published.invalidate(&tenant).await;
            drop(one_at_a_time);
        }
        Err(Refusal::internal("a signing key that was just made is not there"))
    }

    /// What is published of a tenant's keys. While the database gives no answer, what was read in the last minute.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn published(&self, tenant: TenantId) -> Result<Arc<PublishedKeys>, Refusal> {
        let loading = self.published.try_get_with::<_, LoadError>(tenant, async {
            let stored = self.store.list_signing_keys(tenant).await?;
            if stored.iter().any(|key| key.active) {
                return Ok(PublishedKeys::parse(&stored)?);
            }
            Ok(Arc::clone(&self.load(tenant).await?.published))
        });
        match loading.await {
            Ok(published) => Ok(published),
            Err(error) => match self.cache.get(&tenant).await {
                Some(kept) => Ok(Arc::clone(&kept.published)),
                None => Err(error.refusal()),
            },
        }
    }

    async fn load(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, LoadError> {
        let mut stored = self.store.list_signing_keys(tenant).await?;
        if !has_active(&stored, SigningAlgorithm::Es256) {
            self.make(tenant, SigningAlgorithm::Es256).await?;
            stored = self.store.list_signing_keys(tenant).await?;
        }
        Ok(Arc::new(self.open(tenant, &stored)?))
    }

    /// Stores a key, unless the tenant has one of that algorithm by now.
    async fn make(&self, tenant: TenantId, algorithm: SigningAlgorithm) -> Result<(), LoadError> {
        let masters = Arc::clone(&self.masters);
        let making = tokio::task::spawn_blocking(move || SigningKey::generate(tenant, algorithm, masters.active()));
        let key = making.await.map_err(|error| KeyFault(error.to_string()))??;
        Ok(self.store.insert_signing_key(tenant, &key).await?)
    }

    fn open(&self, tenant: TenantId, stored: &[StoredSigningKey]) -> Result<TenantKeys, KeyFault> {
        let open = |algorithm: SigningAlgorithm| {
            let mut active = stored
                .iter()
                .filter(|key| key.active && key.algorithm == algorithm.as_str());
            active
                .next()
                .map(|key| SigningKey::open(tenant, key, &self.masters))
                .transpose()
        };
        let active = open(SigningAlgorithm::Es256)?;
        Ok(TenantKeys {
            active: active.ok_or_else(|| KeyFault(format!("tenant {tenant} has no active key")))?,
            rs256: open(SigningAlgorithm::Rs256)?,
            published: PublishedKeys::parse(stored)?,
        })
    }
}

fn has_active(stored: &[StoredSigningKey], algorithm: SigningAlgorithm) -> bool {
    stored
        .iter()
        .any(|key| key.active && key.algorithm == algorithm.as_str())
}

#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error(transparent)]
    Store(#[from] Fault),
    #[error(transparent)]
    Keys(#[from] KeyFault),
}

impl LoadError {
    fn refusal(&self) -> Refusal {
        match self {
            Self::Store(fault) => Refusal::from(fault),
            Self::Keys(error) => Refusal::internal(&error.to_string()),
        }
    }
}
