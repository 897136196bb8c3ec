//! Typed identifiers, all listed here, and the shard that a tenant's events travel in.
//!
//! Owns the textual form: canonical lower-case hyphenated UUIDs, nothing else is accepted. Refuses to let the id of one
//! kind stand for another. Ids are UUIDv7 (RFC 9562), which is time-ordered; a `sub` is UUIDv4 and tells nothing.

mod shard;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

pub use shard::{InvalidShard, Shard};

/// A text that is not a canonical lower-case hyphenated UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a canonical UUID")]
pub struct InvalidId;

fn parse(text: &str) -> Result<Uuid, InvalidId> {
    let uuid = Uuid::try_parse(text).map_err(|_| InvalidId)?;
    let mut buffer = Uuid::encode_buffer();
    if uuid.as_hyphenated().encode_lower(&mut buffer) == text {
        Ok(uuid)
    } else {
        Err(InvalidId)
    }
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident: $fresh:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            typed_ids!(@$fresh);

            /// The untyped UUID, for a database parameter.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }

            /// The 16 bytes in network order.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<[u8; 16]> for $name {
            fn from(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
    (@v7) => {
        /// A fresh, time-ordered id.
        #[must_use]
        pub fn now_v7() -> Self {
            Self(Uuid::now_v7())
        }
    };
    (@v4) => {
        /// A fresh random id.
        #[must_use]
        pub fn random_v4() -> Self {
            Self(Uuid::new_v4())
        }
    };
}

typed_ids! {
    /// A tenant.
    TenantId: v7;
    /// An OAuth client: the `client_id`, unique across tenants.
    ClientId: v7;
    /// A person: the OpenID Connect `sub`.
    UserId: v4;
    /// An authorization and all that it issues: the `sid`.
    SessionId: v7;
    /// A browser that a person is signed in with.
    BrowserSessionId: v7;
    /// An audit event; for a change of a session it is also the id of the attempt.
    EventId: v7;
    /// A request as it entered a service.
    RequestId: v7;
    /// A device that a person signed in from.
    DeviceId: v4;
    /// A tenant's signing key.
    SigningKeyId: v7;
    /// One of a client's secrets.
    ClientSecretId: v7;
    /// An access token: its `jti`.
    TokenId: v7;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_accepted() {
        let id = TenantId::now_v7();
        assert_eq!(id.to_string().parse(), Ok(id));
        for other in [
            id.to_string().to_uppercase(),
            id.as_uuid().simple().to_string(),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            format!(" {id}"),
            String::new(),
        ] {
            assert_eq!(other.parse::<TenantId>(), Err(InvalidId), "{other:?}");
        }
    }
}
