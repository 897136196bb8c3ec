//! Keys: the master keys and all that is derived from them, and the signing keys of tenants.
//!
//! How a key lives is in `credo_auth_domain::signing_key`; the schedule is kept by `rotation` and `upkeep`.
//!
//! Refuses to show a private key: no type here prints one, and a private key leaves only sealed.

pub(crate) mod events;
mod jws;
mod keyring;
mod master;
mod public_key;
mod rotation;
mod signing_key;
mod spans;
mod upkeep;
mod views;

pub(crate) use events::ScheduledEvent;
pub use jws::{MAX_TOKEN_BYTES, UnverifiedJws, at_hash};
pub use keyring::Keyring;
pub use master::{InvalidMasterKeys, MasterKey, MasterKeys};
pub use public_key::PublicKey;
pub use signing_key::{SigningKey, TokenType};
pub use spans::{InvalidKeySettings, KeySettings, KeySpans};
pub use upkeep::{MasterKeyMissing, Upkeep, UpkeepMetrics};
pub use views::{NamedKey, PublishedKeys, TenantKeys};

/// A key that cannot be made, opened or used. The text is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeyFault(String);

impl From<serde_json::Error> for KeyFault {
    fn from(error: serde_json::Error) -> Self {
        Self(format!("claims cannot be written: {error}"))
    }
}

impl From<KeyFault> for crate::refusal::Refusal {
    fn from(fault: KeyFault) -> Self {
        Self::internal(&fault.to_string())
    }
}
