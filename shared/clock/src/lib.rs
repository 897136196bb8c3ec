//! What time it is, as something that a test can set.
//!
//! Owns the only reads of the wall clock and of the monotonic clock in the services; clippy bans the others.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use time::OffsetDateTime;

/// A source of time.
pub trait Clock: Send + Sync + Debug {
    /// The wall clock, in UTC. May jump.
    fn now(&self) -> OffsetDateTime;

    /// Time since some fixed point of this process. Never goes back.
    fn monotonic(&self) -> Duration;
}

/// A clock that many parts share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A shared system clock.
    #[must_use]
    #[expect(clippy::new_ret_no_self, reason = "a clock is only ever used shared")]
    pub fn new() -> SharedClock {
        Arc::new(Self { start: Instant::now() })
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    at: Mutex<(OffsetDateTime, Duration)>,
}

impl ManualClock {
    /// Stands at `at`.
    #[must_use]
    pub fn new(at: OffsetDateTime) -> Arc<Self> {
        Arc::new(Self {
            at: Mutex::new((at, Duration::ZERO)),
        })
    }

    /// Moves the wall clock and the monotonic clock forward.
    pub fn advance(&self, by: Duration) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.0 += by;
        at.1 += by;
    }

    /// Makes the wall clock jump; the monotonic clock stays.
    pub fn set(&self, to: OffsetDateTime) {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).0 = to;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn monotonic(&self) -> Duration {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}
