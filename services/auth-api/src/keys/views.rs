//! A tenant's keys as they were read: what signs, what verifies, what is published.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use credo_auth_domain::{
    signing_algorithm::SigningAlgorithm,
    signing_key::{KeySchedule, Stage},
};
use credo_auth_store::{StoredKeys, StoredSigningKey};
use credo_ids::{SigningKeyId, TenantId};
use serde::Serialize;

use super::{KeyFault, MasterKeys, PublicKey, SigningKey, public_key::PublicJwk};

/// The keys of one tenant.
#[derive(Debug)]
pub struct TenantKeys {
    /// Signs access tokens, and ID tokens of clients that want no other algorithm.
    pub active: SigningKey,
    rs256: Option<SigningKey>,
    /// Verify.
    pub published: Arc<PublishedKeys>,
    /// When they were read, by the monotonic clock: before the question, not after the answer.
    pub(super) read_at: Duration,
    /// Whether the schedule wants something of them.
    is_due: bool,
    told: AtomicBool,
}

impl TenantKeys {
    /// Opens what was read at `read_at`.
    pub(super) fn open(
        tenant: TenantId,
        stored: &StoredKeys,
        masters: &MasterKeys,
        (schedule, read_at): (&KeySchedule, Duration),
    ) -> Result<Self, KeyFault> {
        let open = |algorithm: SigningAlgorithm| {
            let key = of(stored, algorithm).find(|key| key.is_active());
            key.map(|key| SigningKey::open(tenant, key, masters)).transpose()
        };
        let active = open(SigningAlgorithm::Es256)?;
        let due = |algorithm| {
            let stages: Vec<Stage> = of(stored, algorithm).map(|key| key.stage).collect();
            stored.at.and_then(|at| schedule.due(&stages, at)).is_some()
        };
        Ok(Self {
            active: active.ok_or_else(|| KeyFault(format!("tenant {tenant} has no active key")))?,
            rs256: open(SigningAlgorithm::Rs256)?,
            published: PublishedKeys::parse(&stored.keys)?,
            read_at,
            is_due: SigningAlgorithm::ALL.into_iter().any(due),
            told: AtomicBool::new(false),
        })
    }

    /// The key that signs by an algorithm, if there is one yet.
    #[must_use]
    pub const fn signing(&self, algorithm: SigningAlgorithm) -> Option<&SigningKey> {
        match algorithm {
            SigningAlgorithm::Es256 => Some(&self.active),
            SigningAlgorithm::Rs256 => self.rs256.as_ref(),
        }
    }

    /// Whether the schedule wants something; says so once.
    pub(super) fn wants_a_step(&self) -> bool {
        self.is_due && !self.told.swap(true, Ordering::Relaxed)
    }
}

/// The published keys of an algorithm.
pub(super) fn of(stored: &StoredKeys, algorithm: SigningAlgorithm) -> impl Iterator<Item = &StoredSigningKey> {
    let keys = stored.keys.iter();
    keys.filter(move |key| key.algorithm == algorithm.as_str())
}

/// What is published of a tenant's keys.
#[derive(Debug)]
pub struct PublishedKeys {
    by_kid: HashMap<String, NamedKey>,
    /// The JWK Set as it is served.
    pub jwks: Bytes,
}

/// A key that verifies, and its id.
#[derive(Clone, Debug)]
pub struct NamedKey {
    /// By which it is revoked.
    pub id: SigningKeyId,
    /// What verifies.
    pub key: PublicKey,
}

impl PublishedKeys {
    /// The key of that name.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&NamedKey> {
        self.by_kid.get(kid)
    }

    /// The ids of all of them.
    pub fn ids(&self) -> impl Iterator<Item = SigningKeyId> {
        self.by_kid.values().map(|named| named.id)
    }

    /// The JWK Set of `stored`.
    pub(super) fn parse(stored: &[StoredSigningKey]) -> Result<Arc<Self>, KeyFault> {
        #[derive(Serialize)]
        struct JwkSet {
            keys: Vec<PublicJwk>,
        }
        let mut by_kid = HashMap::new();
        let mut set = JwkSet { keys: Vec::new() };
        for stored in stored {
            let (key, jwk) = PublicKey::parse(&stored.kid, &stored.algorithm, &stored.public_key)?;
            by_kid.insert(stored.kid.clone(), NamedKey { id: stored.id, key });
            set.keys.push(jwk);
        }
        let jwks = serde_json::to_vec(&set)?.into();
        Ok(Arc::new(Self { by_kid, jwks }))
    }
}
