//! Classes of requests that are limited, the limits that hold where nobody set another (DESIGN section 10), and what a limit's
//! window is.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// What a limit is of.
pub const WINDOW: Duration = Duration::seconds(WINDOW_SECONDS as i64);
/// The same in seconds.
pub const WINDOW_SECONDS: u32 = 60;

/// What is counted, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Refresh and exchange, by session.
    Auth = 1,
    /// Ending sessions, by the session of the token.
    Sensitive = 2,
    /// userinfo and the list of sessions, by the session of the token.
    Read = 3,
    /// Sign-in, by address: an address has one count with each tenant.
    Address = 4,
    /// `client_credentials`, by client.
    Client = 5,
    /// Failed client authentication, by client and address.
    ClientFailure = 6,
}

/// Fewest and most requests a minute that can be set.
pub const BOUNDS: std::ops::RangeInclusive<i32> = 1..=1_000_000;

impl RateClass {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Auth,
        Self::Sensitive,
        Self::Read,
        Self::Address,
        Self::Client,
        Self::ClientFailure,
    ];

    /// The class that a row stores.
    #[must_use]
    pub fn of_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|class| *class as i16 == number)
    }

    /// As events, tables, metrics and the `RateLimit` fields name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Sensitive => "sensitive",
            Self::Read => "read",
            Self::Address => "address",
            Self::Client => "client",
            Self::ClientFailure => "client_failure",
        }
    }

    /// Requests a minute where nothing else is set; nothing for what this server's own settings say.
    #[must_use]
    pub const fn default_per_minute(self) -> Option<i32> {
        match self {
            Self::Auth => Some(10),
            Self::Sensitive | Self::ClientFailure => Some(30),
            Self::Read => Some(100),
            Self::Address => None,
            Self::Client => Some(600),
        }
    }

    /// Whether one client can have a limit of its own.
    #[must_use]
    pub fn is_per_client(self) -> bool {
        self != Self::Address
    }
}

/// What is set for a client or by its tenant, the nearer of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits([Option<u32>; RateClass::ALL.len()]);

impl Limits {
    /// These limits with another one, which takes the place of an earlier one of its class.
    #[must_use]
    pub fn with(mut self, class: RateClass, per_minute: u32) -> Self {
        self.0[class as usize - 1] = Some(per_minute);
        self
    }

    /// Requests a minute that are let through, at least one. A class without a limit of ours lets everything through.
    #[must_use]
    pub fn per_minute(&self, class: RateClass) -> u32 {
        let default = || class.default_per_minute().and_then(|limit| u32::try_from(limit).ok());
        self.0[class as usize - 1].or_else(default).unwrap_or(u32::MAX).max(1)
    }
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Of what.
    pub class: RateClass,
    /// Requests a minute.
    pub per_minute: u32,
    /// Requests that this window still lets through.
    pub remaining: u32,
    /// Until the next window begins, in seconds, rounded up.
    pub resets_in_seconds: u32,
}

impl Quota {
    /// The quota of a window in which `count` requests were let through, and which ends at `ends_at`.
    #[must_use]
    pub fn of_window(
        class: RateClass,
        per_minute: u32,
        count: u32,
        (ends_at, now): (OffsetDateTime, OffsetDateTime),
    ) -> Self {
        let left = (ends_at - now).clamp(Duration::ZERO, WINDOW).whole_milliseconds();
        Self {
            class,
            per_minute,
            remaining: per_minute.saturating_sub(count),
            resets_in_seconds: u32::try_from((left + 999) / 1_000).unwrap_or(u32::MAX).max(1),
        }
    }
}

/// When the window of a bucket began that holds at `now`. Every replica computes the same one; `offset_seconds` spreads the
/// windows of many buckets over the minute, so that not all of them begin at once.
#[must_use]
pub fn window_of(now: OffsetDateTime, offset_seconds: u8) -> OffsetDateTime {
    let offset = i64::from(offset_seconds);
    let seconds = (now.unix_timestamp() - offset).div_euclid(WINDOW.whole_seconds()) * WINDOW.whole_seconds() + offset;
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(milliseconds)
    }

    #[test]
    fn classes_are_numbered_as_rows_store_them() {
        for (class, number) in RateClass::ALL.into_iter().zip(1..) {
            assert_eq!((class as i16, RateClass::of_number(number)), (number, Some(class)));
        }
        assert_eq!((RateClass::of_number(0), RateClass::of_number(7)), (None, None));
    }

    #[test]
    fn the_last_limit_of_a_class_holds_and_the_default_where_there_is_none() {
        let limits = Limits::default().with(RateClass::Auth, 5).with(RateClass::Auth, 7);
        assert_eq!(limits.per_minute(RateClass::Auth), 7);
        assert_eq!(limits.per_minute(RateClass::Client), 600);
        assert_eq!(limits.with(RateClass::Client, 0).per_minute(RateClass::Client), 1);
    }

    #[test]
    fn a_window_is_a_minute_and_begins_at_its_offset() {
        assert_eq!(window_of(at(59_999), 0), at(0));
        assert_eq!(window_of(at(60_000), 0), at(60_000));
        assert_eq!(window_of(at(16_999), 17), at(-43_000));
        assert_eq!(window_of(at(17_000), 17), at(17_000));
        assert_eq!(window_of(at(-1), 0), at(-60_000));
    }

    #[test]
    fn a_quota_never_sends_somebody_back_too_early() {
        let quota = |count, now| Quota::of_window(RateClass::Read, 10, count, (at(60_000), at(now)));
        assert_eq!((quota(3, 0).remaining, quota(11, 0).remaining), (7, 0));
        assert_eq!(quota(0, 0).resets_in_seconds, 60);
        assert_eq!(quota(0, 58_001).resets_in_seconds, 2);
        assert_eq!(quota(0, 59_999).resets_in_seconds, 1);
        // A clock that jumped makes nobody wait for longer than a window.
        assert_eq!(quota(0, -3_600_000).resets_in_seconds, 60);
        assert_eq!(quota(0, 3_600_000).resets_in_seconds, 1);
    }
}
