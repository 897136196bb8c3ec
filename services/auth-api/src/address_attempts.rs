//! How often one address may try passwords of one tenant: many accounts, one guess each, are slowed down here.
//!
//! The limit is the tenant's own if it has one, else this server's. Counted in this process, so that many replicas let through as many times the limit. Refuses nobody whose address is not
//! known. Invariant: never more than the limit begin in one window, right or wrong, unless more addresses than are kept try
//! at one time.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use credo_auth_domain::Denial;
use credo_clock::SharedClock;
use credo_ids::TenantId;
use moka::{future::Cache, policy::EvictionPolicy};

/// What the limit is of. It begins with the first attempt.
const WINDOW: Duration = Duration::from_mins(1);
/// Addresses that are kept; the one that was quiet longest goes first.
const CAPACITY: u64 = 100_000;
/// Of an IPv6 address, what names the network: the rest is its holder's to choose.
const NETWORK: u128 = !0 << 64;

type Key = (TenantId, IpAddr);

/// The attempts of each address with each tenant.
#[derive(Debug)]
pub struct AddressAttempts {
    limit: u32,
    windows: Cache<Key, Arc<Mutex<Window>>>,
    clock: SharedClock,
}

#[derive(Debug)]
struct Window {
    begins: Duration,
    attempts: u32,
}

impl AddressAttempts {
    /// At most `limit` attempts a minute, where a tenant has no limit of its own.
    #[must_use]
    pub fn new(limit: u32, clock: SharedClock) -> Self {
        let windows = Cache::builder()
            .max_capacity(CAPACITY)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(WINDOW)
            .build();
        Self { limit, windows, clock }
    }

    /// Counts an attempt; `own_limit` is the tenant's, if it has one.
    ///
    /// # Errors
    /// If the address has to wait.
    pub async fn count(&self, tenant: TenantId, own_limit: Option<u32>, address: Option<IpAddr>) -> Result<(), Denial> {
        let Some(address) = address else { return Ok(()) };
        let limit = own_limit.unwrap_or(self.limit);
        let now = self.clock.monotonic();
        let first = async {
            Arc::new(Mutex::new(Window {
                begins: now,
                attempts: 0,
            }))
        };
        let window = self.windows.get_with((tenant, network(address)), first).await;
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = window.begins + WINDOW;
        if now >= ends {
            *window = Window {
                begins: now,
                attempts: 1,
            };
            return Ok(());
        }
        if window.attempts < limit {
            window.attempts += 1;
            return Ok(());
        }
        let left = ends.saturating_sub(now).as_millis().div_ceil(1_000);
        Err(Denial::TooManyAttempts {
            retry_after_seconds: u32::try_from(left).unwrap_or(u32::MAX),
        })
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
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use credo_clock::ManualClock;
    use time::OffsetDateTime;

    use super::*;

    #[tokio::test]
    async fn pw_08_addresses_of_one_network_share_a_window() {
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH);
        let attempts = AddressAttempts::new(2, Arc::clone(&clock) as SharedClock);
        let tenant = TenantId::now_v7();
        let count = |address: &str| attempts.count(tenant, None, Some(address.parse().unwrap()));
        for (one, two, three) in [
            ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:3"),
        ] {
            assert_eq!((count(one).await, count(two).await), (Ok(()), Ok(())));
            let waits = |retry_after_seconds| Err(Denial::TooManyAttempts { retry_after_seconds });
            assert_eq!(count(three).await, waits(60));
            clock.advance(Duration::from_millis(58_500));
            assert_eq!(count(three).await, waits(2));
            clock.advance(Duration::from_millis(1_500));
            assert_eq!(count(three).await, Ok(()));
        }
        assert_eq!(count("2001:db8:0:1::1").await, Ok(()));
        // A window that is full for one limit has room for a higher one.
        let raised = |limit| attempts.count(tenant, Some(limit), Some("2001:db8:0:1::2".parse().unwrap()));
        assert!(raised(1).await.is_err());
        assert_eq!((raised(3).await, raised(3).await), (Ok(()), Ok(())));
        assert!(raised(3).await.is_err());
        for _ in 0..5 {
            assert_eq!(attempts.count(tenant, None, None).await, Ok(()));
        }
    }
}
