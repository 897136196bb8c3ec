//! How long keys live, as it can be set, and all spans of time that follow from it.

use std::time::Duration;

use credo_auth_domain::signing_key::{
    JWKS_MAX_AGE, KeySchedule, LONGEST_ROTATION, RETIRING, SHORTEST_PENDING, SHORTEST_ROTATION, VIEW_MAX_AGE,
};
use serde::Deserialize;

/// How old what is published may be while the database answers.
const PUBLISHED_MAX_AGE: Duration = Duration::from_secs(1);
/// How often all tenants are looked through.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);
/// How long a key stays under the master key that it was sealed under last, though another is active by now.
const SETTLED: Duration = Duration::from_mins(10);

/// Signing keys.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeySettings {
    /// How long a key signs.
    #[serde(with = "credo_config::duration")]
    pub rotate_every: Duration,
    /// How long a key is published before it signs.
    #[serde(with = "credo_config::duration")]
    pub pending_min: Duration,
    /// All spans are divided by it, `max-age` of the JWKS included. Not for operators to set: in a test a year is a minute.
    #[serde(skip)]
    pub pace: u32,
}

impl Default for KeySettings {
    fn default() -> Self {
        Self {
            rotate_every: Duration::from_hours(24 * 90),
            pending_min: Duration::from_mins(10),
            pace: 1,
        }
    }
}

/// A span that is too short or too long. The text is for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeySettings {
    /// How often keys change.
    #[error("CREDO_AUTH_API_KEYS_ROTATE_EVERY must be from 1h to 366d")]
    RotateEvery,
    /// How long they are published before.
    #[error(
        "CREDO_AUTH_API_KEYS_PENDING_MIN must be at least 7m (clients keep the JWKS for 5 minutes, replicas for one, one is spare), and at most half of CREDO_AUTH_API_KEYS_ROTATE_EVERY"
    )]
    PendingMin,
}

/// Every span that keys live by.
#[derive(Clone, Copy, Debug)]
pub struct KeySpans {
    /// When keys change.
    pub schedule: KeySchedule,
    /// The oldest view of a tenant's keys that signs.
    pub view_max_age: Duration,
    /// The oldest view of a tenant's keys that is published while the database answers.
    pub published_max_age: Duration,
    /// How long others keep the JWKS.
    pub jwks_max_age: Duration,
    /// How often all tenants are looked through.
    pub sweep_interval: Duration,
    /// How long a key stays as it was sealed last.
    pub settled: Duration,
}

impl KeySettings {
    /// Checks what can be set.
    ///
    /// # Errors
    /// The first span that cannot be.
    pub fn validate(&self) -> Result<(), InvalidKeySettings> {
        if !(SHORTEST_ROTATION..=LONGEST_ROTATION).contains(&self.rotate_every) {
            return Err(InvalidKeySettings::RotateEvery);
        }
        if !(SHORTEST_PENDING..=self.rotate_every / 2).contains(&self.pending_min) {
            return Err(InvalidKeySettings::PendingMin);
        }
        Ok(())
    }

    /// All spans.
    #[must_use]
    pub fn spans(&self) -> KeySpans {
        let paced = |span: Duration| span / self.pace;
        KeySpans {
            schedule: KeySchedule {
                rotate_every: paced(self.rotate_every),
                pending: paced(self.pending_min),
                retiring: paced(RETIRING),
            },
            view_max_age: paced(VIEW_MAX_AGE),
            published_max_age: paced(PUBLISHED_MAX_AGE),
            jwks_max_age: paced(JWKS_MAX_AGE),
            sweep_interval: paced(SWEEP_INTERVAL),
            settled: paced(SETTLED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_clients_cannot_keep_up_with_are_refused() {
        let settings = |rotate_every: u64, pending_min: u64| KeySettings {
            rotate_every: Duration::from_mins(rotate_every),
            pending_min: Duration::from_mins(pending_min),
            ..KeySettings::default()
        };
        assert_eq!(KeySettings::default().validate(), Ok(()));
        assert_eq!(settings(60, 7).validate(), Ok(()));
        assert_eq!(settings(59, 7).validate(), Err(InvalidKeySettings::RotateEvery));
        assert_eq!(
            settings(367 * 24 * 60, 7).validate(),
            Err(InvalidKeySettings::RotateEvery)
        );
        assert_eq!(settings(60, 6).validate(), Err(InvalidKeySettings::PendingMin));
        assert_eq!(settings(60, 31).validate(), Err(InvalidKeySettings::PendingMin));
    }
}
