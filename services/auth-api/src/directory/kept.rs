//! A thing that was read, and for how long it is kept in memory.

use std::{
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant},
};

use moka::{Expiry, future::Cache};
use time::OffsetDateTime;

/// How long a thing is kept that was read just now.
pub(super) const TTL: Duration = Duration::from_mins(1);
/// How many of each are kept.
const CAPACITY: u64 = 100_000;

/// A thing, and when the reading of it began, by the database's clock.
#[derive(Debug)]
pub(super) struct Kept<T> {
    pub value: Arc<T>,
    pub read_at: OffsetDateTime,
    life: Duration,
}

impl<T> Kept<T> {
    /// A thing that the database has just told.
    pub fn read(value: T, read_at: OffsetDateTime) -> Self {
        Self::shared(value, read_at, TTL)
    }

    /// A thing that another replica read.
    pub fn shared(value: T, read_at: OffsetDateTime, life: Duration) -> Self {
        Self {
            value: Arc::new(value),
            read_at,
            life: life.min(TTL),
        }
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            ..*self
        }
    }
}

/// Things are kept for as long as each may be.
pub(super) struct OwnLife;

impl<K, T> Expiry<K, Kept<T>> for OwnLife {
    fn expire_after_create(&self, _: &K, kept: &Kept<T>, _: Instant) -> Option<Duration> {
        Some(kept.life)
    }

    fn expire_after_update(&self, _: &K, kept: &Kept<T>, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(kept.life)
    }
}

pub(super) fn cache<K: Hash + Eq + Send + Sync + 'static, T: Send + Sync + 'static>() -> Cache<K, Kept<T>> {
    Cache::builder()
        .expire_after(OwnLife)
        .max_capacity(CAPACITY)
        .support_invalidation_closures()
        .build()
}
