//! How many there are at one time, altogether and of each address: connections of a listener, requests of a service.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

/// Bits of an IPv6 address that a site has at the least: within them, addresses are free.
const V6_SITE_BITS: u32 = 64;

/// Counts what there is. Clones are handles of the same thing.
#[derive(Debug, Clone)]
pub struct Slots(Arc<Mutex<Counts>>);

#[derive(Debug)]
struct Counts {
    free: usize,
    per_address: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The right to one, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Slots,
    counted: Option<IpAddr>,
}

/// Why there is no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Too many altogether.
    Total,
    /// Too many of this address.
    Address,
}

impl Full {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Address => "address",
        }
    }
}

impl Slots {
    /// So many altogether, and so many of one address.
    #[must_use]
    pub fn new(total: usize, per_address: usize) -> Self {
        Self(Arc::new(Mutex::new(Counts {
            free: total,
            per_address,
            by_address: HashMap::new(),
        })))
    }

    /// A slot for `peer`; of an address that many people share, only the total is counted.
    ///
    /// # Errors
    /// If there is none.
    pub fn take(&self, peer: IpAddr, is_shared: bool) -> Result<Slot, Full> {
        let counted = (!is_shared).then(|| site(peer));
        self.with(|counts| {
            if counts.free == 0 {
                return Err(Full::Total);
            }
            if let Some(address) = counted {
                let open = counts.by_address.entry(address).or_default();
                if *open >= counts.per_address {
                    return Err(Full::Address);
                }
                *open += 1;
            }
            counts.free -= 1;
            Ok(())
        })?;
        Ok(Slot {
            slots: self.clone(),
            counted,
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Counts) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.with(|counts| {
            counts.free += 1;
            let Some(address) = self.counted else { return };
            if let Some(open) = counts.by_address.get_mut(&address) {
                *open -= 1;
                if *open == 0 {
                    counts.by_address.remove(&address);
                }
            }
        });
    }
}

/// What is counted as one address.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() >> (128 - V6_SITE_BITS) << (128 - V6_SITE_BITS);
            Ipv6Addr::from_bits(bits).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn connections_are_counted_altogether_and_by_site() {
        let slots = Slots::new(3, 2);
        let of = |text: &str| slots.take(text.parse().unwrap(), false);
        let first = of("2001:db8::1").unwrap();
        let _second = of("2001:db8::2").unwrap();
        assert_eq!(of("2001:db8::3").unwrap_err(), Full::Address);
        drop(first);
        let third = of("2001:db8::3").unwrap();
        let _other = of("192.0.2.1").unwrap();
        assert_eq!(of("198.51.100.1").unwrap_err(), Full::Total);
        drop(third);
        assert!(slots.take("2001:db8::9".parse().unwrap(), true).is_ok());
        // Those who have none are forgotten.
        assert_eq!(slots.with(|counts| counts.by_address.len()), 2);
    }

    #[test]
    fn a_mapped_address_is_the_one_it_stands_for() {
        assert_eq!(
            site("::ffff:192.0.2.1".parse().unwrap()),
            site("192.0.2.1".parse().unwrap())
        );
        assert_ne!(site("192.0.2.2".parse().unwrap()), site("192.0.2.1".parse().unwrap()));
    }
}
