//! When Redis is not asked: after failures of the connection, never after an answer that nobody can use.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So many failures one after the other, and it is not asked any more.
const MAX_FAILURES: u32 = 5;
/// Then one request in so long finds out whether it is there again.
const PAUSE: Duration = Duration::from_secs(1);

/// What the breaker does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// It lets every request through.
    Closed,
    /// It lets none through.
    Open,
    /// It lets the next one through, or waits for what that one finds.
    HalfOpen,
}

#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    failures: u32,
    /// Not before then is it asked again; nothing while it answers.
    ask_at: Option<Instant>,
    is_probed: bool,
}

impl Breaker {
    /// Whether a request may go through. While it is open one may, each pause: if nothing is heard of it, the next one after
    /// another pause.
    pub fn admits(&self, now: Instant) -> bool {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match found.ask_at {
            None => true,
            Some(at) if now < at => false,
            Some(_) => {
                found.ask_at = Some(now + PAUSE);
                found.is_probed = true;
                true
            }
        }
    }

    /// Takes what a request found.
    pub fn observe(&self, is_reached: bool, now: Instant) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_reached {
            *found = Found::default();
            return;
        }
        found.failures = found.failures.saturating_add(1);
        found.is_probed = false;
        if found.failures >= MAX_FAILURES {
            found.ask_at = Some(now + PAUSE);
        }
    }

    pub fn state(&self, now: Instant) -> BreakerState {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match found.ask_at {
            None => BreakerState::Closed,
            Some(at) if now < at && !found.is_probed => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_failures_in_a_row_and_lets_one_request_find_out() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 1..MAX_FAILURES {
            breaker.observe(false, now);
        }
        assert!(breaker.admits(now));
        breaker.observe(true, now); // what was before does not count any more
        for _ in 0..MAX_FAILURES {
            assert_eq!(breaker.state(now), BreakerState::Closed);
            assert!(breaker.admits(now));
            breaker.observe(false, now);
        }
        assert_eq!(breaker.state(now), BreakerState::Open);
        assert!(!breaker.admits(now));

        let later = now + PAUSE;
        assert_eq!(breaker.state(later), BreakerState::HalfOpen);
        assert!(breaker.admits(later));
        assert!(!breaker.admits(later), "one finds out, not all");
        assert_eq!(breaker.state(later), BreakerState::HalfOpen);
        breaker.observe(false, later);
        assert_eq!(breaker.state(later), BreakerState::Open);
        assert!(!breaker.admits(later));

        assert!(breaker.admits(later + PAUSE));
        assert!(
            breaker.admits(later + PAUSE * 2),
            "a probe that nobody waited for does not stop the next"
        );
        breaker.observe(true, later + PAUSE * 2);
        assert_eq!(breaker.state(later + PAUSE * 2), BreakerState::Closed);
    }
}
