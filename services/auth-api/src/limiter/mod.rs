//! How often what may be asked for (DESIGN section 10): counted in memory, and added up over all replicas in the background.
//!
//! No request waits for the database here. What that costs is the overshoot: over one window N replicas let through at most
//! the limit, and for each replica but one what it let through before it was told, which is the larger of a sixteenth of the
//! limit and what comes to it in one [`SYNC_INTERVAL`] and a statement; and never more than the limit each. Without the database
//! each replica holds the limit for itself. Windows are minutes by the database's clock, so that replicas mean the same one.

mod metrics;
mod windows;

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::digest;
use credo_auth_domain::rate_limit::{Quota, RateClass};
use credo_auth_store::Store;
use credo_ids::TenantId;
use credo_lifecycle::Shutdown;
use tokio::time::timeout;

pub use self::metrics::LimitMetrics;
use self::windows::Windows;
use crate::feed::Feed;

/// Time between two tellings of what was let through.
pub const SYNC_INTERVAL: Duration = Duration::from_millis(250);
/// A telling that takes longer is given up.
const SYNC_DEADLINE: Duration = Duration::from_secs(2);
/// Tellings between two clean-ups.
const CLEANUP_EVERY: u32 = 40;
/// Windows in one statement.
const MAX_TALLIES: usize = 2_000;
/// Of an IPv6 address, what names the network: the rest is its holder's to choose.
const NETWORK: u128 = !0 << 64;

/// What is counted.
#[derive(Clone, Debug)]
pub struct Bucket<'a> {
    /// Whose limit it is.
    pub tenant: TenantId,
    /// Of what.
    pub class: RateClass,
    /// The session, the client or the account.
    pub object: &'a [u8],
    /// Where it comes from, if that matters; of an IPv6 address its network counts.
    pub address: Option<IpAddr>,
}

impl Bucket<'_> {
    fn hash(&self) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&[self.class as u8]);
        context.update(&(self.object.len() as u64).to_be_bytes());
        context.update(self.object);
        match self.address.map(network) {
            Some(IpAddr::V4(address)) => context.update(&address.octets()),
            Some(IpAddr::V6(address)) => context.update(&address.octets()),
            None => {}
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        hash
    }
}

/// The limits of this replica.
pub struct Limiter {
    windows: Windows,
    feed: Arc<Feed>,
    metrics: LimitMetrics,
}

impl Limiter {
    /// Nothing counted yet. `feed` knows the time of the database.
    #[must_use]
    pub fn new(feed: Arc<Feed>, metrics: LimitMetrics) -> Self {
        Self {
            windows: Windows::new(windows::CAPACITY),
            feed,
            metrics,
        }
    }

    /// Counts a request, if the limit lets it through.
    ///
    /// # Errors
    /// What is left (nothing) and until when, if it has to wait.
    pub fn count(&self, bucket: &Bucket<'_>, per_minute: u32) -> Result<Quota, Quota> {
        let key = (bucket.tenant, bucket.hash());
        let counted = self
            .windows
            .count((bucket.class, key), per_minute, self.feed.database_now());
        self.metrics.decided(bucket.class, counted.is_ok());
        counted
    }

    /// Notes what was decided elsewhere: by the session's own window.
    pub fn note(&self, class: RateClass, is_let_through: bool) {
        self.metrics.decided(class, is_let_through);
    }

    /// Tells and is told until shutdown, and once more.
    pub async fn run(self: Arc<Self>, store: Arc<Store>, shutdown: Shutdown) {
        let mut round = 0_u32;
        while !shutdown.is_requested() {
            self.synchronise(&store).await;
            if round.is_multiple_of(CLEANUP_EVERY) {
                self.clean_up(&store).await;
            }
            round = round.wrapping_add(1);
            tokio::select! {
                () = tokio::time::sleep(SYNC_INTERVAL) => {}
                () = shutdown.requested() => {}
            }
        }
        self.synchronise(&store).await;
    }

    async fn synchronise(&self, store: &Store) {
        let mut is_taken = true;
        for tallies in self.windows.begin_telling().chunks(MAX_TALLIES) {
            // Who took nothing is not asked again in this round.
            if !is_taken {
                self.windows.give_up_telling(tallies, self.feed.database_now());
                continue;
            }
            let told = timeout(SYNC_DEADLINE, store.add_to_rate_windows(tallies)).await;
            match told {
                Ok(Ok(totals)) => {
                    self.windows.end_telling(&totals);
                    self.metrics.told(true);
                }
                failed => {
                    is_taken = false;
                    self.windows.give_up_telling(tallies, self.feed.database_now());
                    if self.metrics.told(false) {
                        tracing::warn!(?failed, "limits are this replica's alone for now");
                    }
                }
            }
        }
    }

    async fn clean_up(&self, store: &Store) {
        self.metrics.kept(self.windows.forget_old(self.feed.database_now()));
        if let Ok(Err(error)) = timeout(SYNC_DEADLINE, store.purge_rate_windows()).await {
            tracing::debug!(%error, "old windows are removed later");
        }
    }
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Limiter")
    }
}

/// What counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pw_08_buckets_are_told_apart_by_each_of_their_parts() {
        let tenant = TenantId::now_v7();
        let hash = |class, object: &[u8], address: Option<&str>| {
            let address = address.map(|address| address.parse().unwrap());
            Bucket {
                tenant,
                class,
                object,
                address,
            }
            .hash()
        };
        let one = hash(RateClass::Read, b"a", None);
        assert_ne!(one, hash(RateClass::Auth, b"a", None));
        assert_ne!(one, hash(RateClass::Read, b"b", None));
        assert_ne!(one, hash(RateClass::Read, b"a", Some("192.0.2.1")));
        // Of IPv6 the network counts: the rest is its holder's to choose.
        let six = |address| hash(RateClass::Read, b"a", Some(address));
        assert_eq!(six("2001:db8::1"), six("2001:db8::ffff:0:0:3"));
        assert_ne!(six("2001:db8::1"), six("2001:db8:0:1::1"));
        assert_eq!(six("192.0.2.1"), six("::ffff:192.0.2.1"));
    }
}
