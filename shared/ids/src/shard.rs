//! The shard of a tenant: the lane that keeps its events in order from the outbox to the audit store.
//!
//! Invariant: a function of the tenant alone, for ever; a number in a lane would otherwise mean nothing.

use aws_lc_rs::digest::{SHA256, digest};

use crate::TenantId;

/// One of [`Shard::COUNT`] lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shard(u8);

/// A number that names no shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such shard: {0}")]
pub struct InvalidShard(pub i16);

impl Shard {
    /// How many there are.
    pub const COUNT: u8 = 64;

    /// The first two bytes of SHA-256 of the tenant's id, big endian, modulo [`Self::COUNT`].
    #[must_use]
    pub fn of(tenant: TenantId) -> Self {
        let hash = digest(&SHA256, tenant.as_bytes());
        Self(hash.as_ref()[1] % Self::COUNT) // 256 is a multiple of 64: the high byte does not matter
    }

    /// 0 to 63.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The form that the database stores.
    #[must_use]
    pub const fn as_i16(self) -> i16 {
        self.0 as i16
    }
}

impl TryFrom<i16> for Shard {
    type Error = InvalidShard;

    fn try_from(number: i16) -> Result<Self, InvalidShard> {
        u8::try_from(number)
            .ok()
            .filter(|shard| *shard < Self::COUNT)
            .map(Self)
            .ok_or(InvalidShard(number))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn shard_of_a_tenant_never_changes() {
        let golden = [(0_u128, 7), (1, 60), (0x0198_0000_0000_7000_8000_0000_0000_0000, 18)];
        for (tenant, shard) in golden {
            let tenant = TenantId::from(Uuid::from_u128(tenant));
            let hash = digest(&SHA256, tenant.as_bytes());
            let sixteen = u16::from_be_bytes([hash.as_ref()[0], hash.as_ref()[1]]);
            assert_eq!(u16::from(Shard::of(tenant).get()), sixteen % 64);
            assert_eq!(Shard::of(tenant).get(), shard, "{tenant}");
        }
    }

    #[test]
    fn only_0_to_63_are_shards() {
        assert!(Shard::try_from(0).is_ok() && Shard::try_from(63).is_ok());
        assert_eq!(Shard::try_from(64), Err(InvalidShard(64)));
        assert_eq!(Shard::try_from(-1), Err(InvalidShard(-1)));
    }
}
