//! Access tokens whose signature was found good a moment ago, so that showing one again costs a digest.
//!
//! What is kept saves the parsing and the signature and decides nothing: audience, time and the revocation feed judge the
//! token as if it had just been verified, and its key must be one that the keyring vouches for now.
//!
//! Invariant: nothing is kept longer than 30 seconds or the token's own life, nor found by anything but its whole text.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use credo_clock::SharedClock;
use moka::future::Cache;

use crate::{
    cache_metrics::{Cache as Kept, CacheMetrics, Level, Look},
    flows::bearer::SignedToken,
    keys::{Keyring, MAX_TOKEN_BYTES},
};

/// How long a token is kept.
const TTL: Duration = Duration::from_secs(30);
/// How many are kept: about a kilobyte each.
const CAPACITY: u64 = 20_000;

/// SHA-256 of a token's text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// Nothing if it is too long to be a token of ours.
    #[must_use]
    pub fn of(token: &str) -> Option<Self> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        digest(&SHA256, token.as_bytes()).as_ref().try_into().ok().map(Self)
    }
}

#[derive(Clone)]
struct Entry {
    token: Arc<SignedToken>,
    /// By the monotonic clock.
    until: Duration,
}

/// What was verified lately.
pub struct VerifiedTokens {
    keyring: Arc<Keyring>,
    entries: Cache<TokenKey, Entry>,
    clock: SharedClock,
    metrics: CacheMetrics,
}

impl VerifiedTokens {
    /// None yet.
    #[must_use]
    pub fn new(keyring: Arc<Keyring>, clock: SharedClock, metrics: CacheMetrics) -> Self {
        Self {
            keyring,
            entries: Cache::builder().time_to_live(TTL).max_capacity(CAPACITY).build(),
            clock,
            metrics,
        }
    }

    /// A token that was verified in the last 30 seconds, by a key that is still good.
    pub async fn find(&self, key: &TokenKey) -> Option<Arc<SignedToken>> {
        let kept = self.entries.get(key).await;
        let Some(kept) = kept.filter(|kept| self.clock.monotonic() < kept.until) else {
            self.metrics.looked((Kept::Token, Level::Memory), Look::Miss);
            return None;
        };
        let check = &kept.token.check;
        if !self.keyring.vouches_for(check.tenant_id, check.key_id).await {
            self.metrics.looked((Kept::Token, Level::Memory), Look::Fallback);
            self.entries.invalidate(key).await;
            return None;
        }
        self.metrics.looked((Kept::Token, Level::Memory), Look::Hit);
        Some(kept.token)
    }

    /// Keeps a token that has just been verified. `now` is the database's time, in seconds.
    pub async fn keep(&self, key: TokenKey, token: Arc<SignedToken>, now: i64) {
        let Ok(seconds @ 1..) = u64::try_from(token.claims.exp.saturating_sub(now)) else {
            return;
        };
        let until = self.clock.monotonic() + Duration::from_secs(seconds).min(TTL);
        self.entries.insert(key, Entry { token, until }).await;
    }
}

impl std::fmt::Debug for VerifiedTokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("VerifiedTokens")
    }
}
