//! The life of a signing key: when it may sign, when it goes, and what comes next (DESIGN section 4).
//!
//! Invariant: whoever keeps the JWKS for as long as we allow has a key before it signs, and still has it when the last token
//! that it signed expires.

use std::time::Duration;

use time::OffsetDateTime;

use crate::lifetime::{ACCESS_TOKEN_TTL, ID_TOKEN_TTL};

/// How long others keep the JWKS.
pub const JWKS_MAX_AGE: Duration = Duration::from_mins(5);
/// How old a replica's view of a tenant's keys may be, whether it signs with it or publishes it.
pub const VIEW_MAX_AGE: Duration = Duration::from_mins(1);
/// For requests under way and for clocks.
const MARGIN: Duration = Duration::from_mins(1);
/// The shortest time that a key is published before it signs: the oldest view that is still published, kept for as long as we
/// allow, is forgotten by then.
pub const SHORTEST_PENDING: Duration = JWKS_MAX_AGE.saturating_add(VIEW_MAX_AGE).saturating_add(MARGIN);
/// How long a key stays published after it signed: a replica may sign with an older view; then the token lives.
pub const RETIRING: Duration = longer(ACCESS_TOKEN_TTL, ID_TOKEN_TTL)
    .saturating_add(VIEW_MAX_AGE)
    .saturating_add(MARGIN);
/// Keys change no more often: then there is never more than one before and one behind the active one.
pub const SHORTEST_ROTATION: Duration = Duration::from_hours(1);
/// Keys change no more seldom.
pub const LONGEST_ROTATION: Duration = Duration::from_hours(24 * 366);

const fn longer(one: Duration, other: Duration) -> Duration {
    if one.as_nanos() > other.as_nanos() { one } else { other }
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Published, signs nothing yet.
    Pending,
    /// Signs.
    Active,
    /// Published until nothing that it signed lives.
    Retiring,
    /// Not published.
    Retired,
    /// Not published, and what it signed is refused.
    Revoked,
}

impl KeyState {
    /// Every state, by its number in the database, from 1.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Active,
        Self::Retiring,
        Self::Retired,
        Self::Revoked,
    ];

    /// Its number in the database.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::Pending => 1,
            Self::Active => 2,
            Self::Retiring => 3,
            Self::Retired => 4,
            Self::Revoked => 5,
        }
    }

    /// The state of that number.
    #[must_use]
    pub fn of(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// As events name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    /// Whether the key is in the JWKS.
    #[must_use]
    pub const fn is_published(self) -> bool {
        matches!(self, Self::Pending | Self::Active | Self::Retiring)
    }
}

/// A key as far as its schedule goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its state.
    pub state: KeyState,
    /// Since when, by the database's clock.
    pub since: OffsetDateTime,
}

/// What is to be done with the keys of one tenant and algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The active key needs a successor: one is made, pending.
    Create,
    /// The pending key takes over.
    Activate,
}

/// When keys change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySchedule {
    /// How long a key signs.
    pub rotate_every: Duration,
    /// How long it is published before.
    pub pending: Duration,
    /// How long it is published after.
    pub retiring: Duration,
}

impl KeySchedule {
    /// When a key that is pending since then may sign.
    #[must_use]
    pub fn may_sign_at(&self, pending_since: OffsetDateTime) -> OffsetDateTime {
        pending_since + self.pending
    }

    /// When a key that is retiring since then may go.
    #[must_use]
    pub fn may_retire_at(&self, retiring_since: OffsetDateTime) -> OffsetDateTime {
        retiring_since + self.retiring
    }

    /// How old the active key is when its successor is made.
    #[must_use]
    pub fn successor_after(&self) -> Duration {
        self.rotate_every.saturating_sub(self.pending)
    }

    /// When the schedule takes the key's next step. `siblings` are the keys of the same tenant and algorithm; nothing is due
    /// of a key that is gone.
    #[must_use]
    pub fn next_step_at(&self, key: Stage, siblings: &[Stage]) -> Option<OffsetDateTime> {
        let sibling = |state| siblings.iter().find(|stage| stage.state == state);
        match key.state {
            KeyState::Pending => Some(self.takes_over_at(key, sibling(KeyState::Active))),
            KeyState::Active => Some(match sibling(KeyState::Pending) {
                Some(pending) => self.takes_over_at(*pending, Some(&key)),
                None => key.since + self.successor_after(),
            }),
            KeyState::Retiring => Some(self.may_retire_at(key.since)),
            KeyState::Retired | KeyState::Revoked => None,
        }
    }

    /// What is due among the keys of one tenant and algorithm.
    #[must_use]
    pub fn due(&self, keys: &[Stage], now: OffsetDateTime) -> Option<Step> {
        let find = |state| keys.iter().find(|stage| stage.state == state);
        let (active, pending) = (find(KeyState::Active), find(KeyState::Pending));
        match (active, pending) {
            (_, Some(pending)) => (self.takes_over_at(*pending, active) <= now).then_some(Step::Activate),
            (Some(active), None) => (active.since + self.successor_after() <= now).then_some(Step::Create),
            (None, None) => None, // whoever needs the first key makes it
        }
    }

    fn takes_over_at(&self, pending: Stage, active: Option<&Stage>) -> OffsetDateTime {
        let published = self.may_sign_at(pending.since);
        active.map_or(published, |active| published.max(active.since + self.rotate_every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
    const SCHEDULE: KeySchedule = KeySchedule {
        rotate_every: Duration::from_hours(24),
        pending: Duration::from_mins(10),
        retiring: RETIRING,
    };

    fn stage(state: KeyState, minutes_ago: i64) -> Stage {
        let since = NOW - time::Duration::minutes(minutes_ago);
        Stage { state, since }
    }

    #[test]
    fn a_published_view_is_forgotten_before_the_key_signs_and_a_token_dies_before_the_key_goes() {
        assert!(SHORTEST_PENDING > JWKS_MAX_AGE + VIEW_MAX_AGE);
        assert!(RETIRING > ACCESS_TOKEN_TTL + VIEW_MAX_AGE && RETIRING > ID_TOKEN_TTL + VIEW_MAX_AGE);
        assert!(SHORTEST_ROTATION > RETIRING + SHORTEST_PENDING);
    }

    #[test]
    fn states_have_their_numbers() {
        for state in KeyState::ALL {
            assert_eq!(KeyState::of(state.number()), Some(state));
        }
        assert_eq!((KeyState::of(0), KeyState::of(6)), (None, None));
    }

    #[test]
    fn kr_01_a_successor_is_published_first_and_signs_when_the_active_key_is_due() {
        use KeyState::{Active, Pending, Retiring};
        let day = 24 * 60;
        let cases: [(&[Stage], Option<Step>); 11] = [
            (&[], None),
            (&[stage(Active, 0)], None),
            (&[stage(Active, day - 11)], None),
            (&[stage(Active, day - 10)], Some(Step::Create)),
            (&[stage(Active, 10 * day)], Some(Step::Create)),
            (&[stage(Active, 10 * day), stage(Pending, 0)], None),
            (&[stage(Active, 10 * day), stage(Pending, 9)], None),
            (&[stage(Active, 10 * day), stage(Pending, 10)], Some(Step::Activate)),
            (&[stage(Active, day - 1), stage(Pending, 10)], None),
            (&[stage(Retiring, 5), stage(Pending, 9)], None),
            (&[stage(Retiring, 5), stage(Pending, 10)], Some(Step::Activate)),
        ];
        for (keys, step) in cases {
            assert_eq!(SCHEDULE.due(keys, NOW), step, "{keys:?}");
        }
    }

    #[test]
    fn the_next_step_of_a_key_is_when_the_schedule_takes_it() {
        let (active, pending) = (stage(KeyState::Active, 60), stage(KeyState::Pending, 5));
        let at = |minutes| Some(NOW + time::Duration::minutes(minutes));
        assert_eq!(SCHEDULE.next_step_at(active, &[active]), at(23 * 60 - 10));
        assert_eq!(SCHEDULE.next_step_at(active, &[active, pending]), at(23 * 60));
        assert_eq!(SCHEDULE.next_step_at(pending, &[active, pending]), at(23 * 60));
        assert_eq!(SCHEDULE.next_step_at(pending, &[pending]), at(5));
        assert_eq!(SCHEDULE.next_step_at(stage(KeyState::Retiring, 10), &[active]), at(7));
        for state in [KeyState::Retired, KeyState::Revoked] {
            assert_eq!(SCHEDULE.next_step_at(stage(state, 1), &[active]), None);
        }
    }
}
