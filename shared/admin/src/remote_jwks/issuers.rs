//! What is known in memory about each issuer, for a bounded number of issuers.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{ANSWERED_PAUSE, FAILED_PAUSE, KeySet};

/// The most issuers that are remembered.
const MAX_ISSUERS: usize = 1_000;

/// The issuers that were asked for.
#[derive(Debug, Default)]
pub(super) struct Issuers {
    by_slug: Mutex<HashMap<String, Slot>>,
}

#[derive(Debug)]
struct Slot {
    issuer: Arc<Issuer>,
    used_at: Duration,
}

/// One issuer.
#[derive(Debug, Default)]
pub(super) struct Issuer {
    pub(super) state: tokio::sync::Mutex<IssuerState>,
    /// Whether it has keys: an issuer that somebody made up goes first when room is needed.
    is_known: AtomicBool,
}

/// The keys of an issuer, and when they may be asked for again. Instants are of the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct IssuerState {
    keys: Option<Aged>,
    pub(super) not_before: Option<Duration>,
    failure: Option<String>,
}

#[derive(Debug)]
struct Aged {
    keys: KeySet,
    age_at_read: Duration,
    read_at: Duration,
}

impl Issuers {
    /// The entry of `slug`, made if it is missing; if there is no room, one that matters least gives way.
    pub(super) fn get(&self, slug: &str, now: Duration) -> Arc<Issuer> {
        let mut by_slug = self.by_slug.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = by_slug.get_mut(slug) {
            slot.used_at = now;
            return Arc::clone(&slot.issuer);
        }
        if by_slug.len() >= MAX_ISSUERS {
            let least = by_slug
                .iter()
                .min_by_key(|(_, slot)| (slot.issuer.is_known.load(Ordering::Relaxed), slot.used_at))
                .map(|(slug, _)| slug.clone());
            least.and_then(|slug| by_slug.remove(&slug));
        }
        let issuer = Arc::<Issuer>::default();
        by_slug.insert(
            slug.to_owned(),
            Slot {
                issuer: Arc::clone(&issuer),
                used_at: now,
            },
        );
        issuer
    }
}

impl Issuer {
    pub(super) fn set_known(&self, known: bool) {
        self.is_known.store(known, Ordering::Relaxed);
    }
}

impl IssuerState {
    /// The keys, if they are younger than `ttl`.
    pub(super) fn younger_than(&self, ttl: Duration, now: Duration) -> Option<&KeySet> {
        let aged = self.keys.as_ref()?;
        let age = aged.age_at_read + now.saturating_sub(aged.read_at);
        (age < ttl).then_some(&aged.keys)
    }

    /// Whether there is nothing to answer with.
    pub(super) fn has_no_keys(&self) -> bool {
        self.keys.as_ref().is_none_or(|aged| aged.keys.is_empty())
    }

    /// auth-api answered with `keys`.
    pub(super) fn answered(&mut self, keys: KeySet, now: Duration) {
        self.keys = Some(Aged {
            keys,
            age_at_read: Duration::ZERO,
            read_at: now,
        });
        self.not_before = Some(now + ANSWERED_PAUSE);
        self.failure = None;
    }

    /// auth-api did not answer; the keys stay.
    pub(super) fn failed(&mut self, reason: String, now: Duration) {
        self.not_before = Some(now + FAILED_PAUSE);
        self.failure = Some(reason);
    }

    /// `keys`, which are `age` old, were found on disk.
    pub(super) fn recalled(&mut self, keys: KeySet, age: Duration, now: Duration) {
        self.keys = Some(Aged {
            keys,
            age_at_read: age,
            read_at: now,
        });
    }

    pub(super) fn last_failure(&self) -> String {
        self.failure.clone().unwrap_or_else(|| "not fetched yet".to_owned())
    }
}
