//! The signing keys of all tenants, each read once and kept for a minute.
//!
//! A tenant that has no key gets one when it is first needed; of replicas that make one at the same time, one wins.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use credo_admin::VerificationKey;
use credo_auth_store::{Fault, Store, StoredSigningKey};
use credo_ids::TenantId;
use moka::future::Cache;
use serde::Serialize;

use super::{KeyFault, MasterKeys, SigningKey, signing_key};
use crate::refusal::Refusal;

/// How long a tenant's keys are kept; a new key is published for longer than this before it signs.
const TTL: Duration = Duration::from_mins(1);
/// How many tenants' keys are kept.
const CAPACITY: u64 = 10_000;

/// The keys of one tenant.
#[derive(Debug)]
pub struct TenantKeys {
    /// Signs.
    pub active: SigningKey,
    /// Verify, by name.
    verification: HashMap<String, VerificationKey>,
    /// The JWK Set as it is served.
    pub jwks: Bytes,
}

impl TenantKeys {
    /// The key of that name.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&VerificationKey> {
        self.verification.get(kid)
    }
}

/// Where keys are found.
#[derive(Debug)]
pub struct Keyring {
    masters: MasterKeys,
    store: Arc<Store>,
    cache: Cache<TenantId, Arc<TenantKeys>>,
}

impl Keyring {
    /// Opens keys with `masters`.
    #[must_use]
    pub fn new(masters: MasterKeys, store: Arc<Store>) -> Self {
        let cache = Cache::builder().time_to_live(TTL).max_capacity(CAPACITY).build();
        Self { masters, store, cache }
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
        loading.await.map_err(|error| match &*error {
            LoadError::Store(fault) => Refusal::from(fault),
            LoadError::Keys(error) => Refusal::internal(&error.to_string()),
        })
    }

    async fn load(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, LoadError> {
        let mut stored = self.store.list_signing_keys(tenant).await?;
        if !stored.iter().any(|key| key.active) {
            self.store
                .insert_signing_key(tenant, &SigningKey::generate(tenant, self.masters.active())?)
                .await?;
            stored = self.store.list_signing_keys(tenant).await?;
        }
        Ok(Arc::new(self.open(tenant, &stored)?))
    }

    fn open(&self, tenant: TenantId, stored: &[StoredSigningKey]) -> Result<TenantKeys, KeyFault> {
        #[derive(Serialize)]
        struct JwkSet {
            keys: Vec<signing_key::PublicJwk>,
        }
        let active = stored
            .iter()
            .find(|key| key.active)
            .ok_or_else(|| KeyFault(format!("tenant {tenant} has no active key")))?;
        let mut verification = HashMap::new();
        let mut set = JwkSet { keys: Vec::new() };
        for key in stored {
            let (verifies, jwk) = signing_key::public_parts(key)?;
            verification.insert(key.kid.clone(), verifies);
            set.keys.push(jwk);
        }
        Ok(TenantKeys {
            active: SigningKey::open(tenant, active, &self.masters)?,
            verification,
            jwks: serde_json::to_vec(&set)?.into(),
        })
    }
}

#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error(transparent)]
    Store(#[from] Fault),
    #[error(transparent)]
    Keys(#[from] KeyFault),
}
