//! Keys of Redis: made of ids alone, each of a fixed form, so that no two things share one.

use std::{fmt, time::Duration};

use credo_auth_domain::lifetime::ACCESS_TOKEN_TTL;
use credo_ids::{ClientId, SessionId, TenantId, TokenId, UserId};

use crate::cache_metrics::Cache;

/// What a value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A client with its tenant.
    Client(ClientId),
    /// A person.
    User(TenantId, UserId),
    /// A token that was revoked.
    RevokedToken(TokenId),
    /// A session that has ended.
    EndedSession(SessionId),
}

impl Key {
    /// No value is good for longer.
    pub(super) const LONGEST: Duration = ACCESS_TOKEN_TTL;

    /// How long a value is good, at most: a token that is not issued any more lives no longer.
    pub(super) const fn ttl(self) -> Duration {
        match self {
            Self::Client(_) => Duration::from_mins(5),
            Self::User(..) => Duration::from_mins(1),
            Self::RevokedToken(_) | Self::EndedSession(_) => ACCESS_TOKEN_TTL,
        }
    }

    /// How it is counted.
    pub(super) const fn cache(self) -> Cache {
        match self {
            Self::Client(_) => Cache::Client,
            Self::User(..) => Cache::User,
            Self::RevokedToken(_) | Self::EndedSession(_) => Cache::Revoked,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(client) => write!(formatter, "client:{client}"),
            Self::User(tenant, user) => write!(formatter, "user:{tenant}:{user}"),
            Self::RevokedToken(token) => write!(formatter, "trl:jti:{token}"),
            Self::EndedSession(session) => write!(formatter, "trl:sid:{session}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ca_08_no_two_things_share_a_key() {
        let id = uuid::Uuid::from_u128(7);
        let other = uuid::Uuid::from_u128(8);
        let keys = [
            Key::Client(id.into()),
            Key::Client(other.into()),
            Key::User(id.into(), other.into()),
            Key::User(other.into(), id.into()),
            Key::User(id.into(), id.into()),
            Key::RevokedToken(id.into()),
            Key::EndedSession(id.into()),
        ];
        let texts: std::collections::HashSet<_> = keys.iter().map(Key::to_string).collect();
        assert_eq!(texts.len(), keys.len());
        // No field can hold what parts them.
        assert!(
            texts
                .iter()
                .all(|text| text.split(':').skip(1).all(|part| part.len() == 36 || part.len() == 3))
        );
        assert_eq!(
            keys[2].to_string(),
            "user:00000000-0000-0000-0000-000000000007:00000000-0000-0000-0000-000000000008"
        );
    }
}
