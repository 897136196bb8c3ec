//! What a connection is doing, and until when it may. Pure: it is told the time.
//!
//! Owns the rule of which client is slow. A client that sends nothing, or a head byte by byte, or does not take its answer,
//! holds a connection so long and no longer; what the server itself is slow at counts only within `exchange`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::HttpLimits;

/// Why a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// The head of a request did not end, or the first never began.
    Head,
    /// No request came for long.
    Idle,
    /// A request and its answer took too long: somebody does not send its body, or does not take it.
    Exchange,
    /// The client takes nothing of what is written.
    Write,
}

impl Late {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Idle => "idle",
            Self::Exchange => "exchange",
            Self::Write => "write",
        }
    }
}

/// What one connection is doing. Clones are handles of the same thing.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Exchanges that run, oldest first, and when each began.
    exchanges: BTreeMap<u64, Instant>,
    begun: u64,
    /// The end of the last exchange, or the beginning of the connection.
    quiet_since: Instant,
    /// The first byte since then.
    heard: Option<Instant>,
    /// The first write since then that the client had no room for.
    stalled: Option<Instant>,
    /// Bytes between exchanges need not belong to a head: HTTP/2 has frames of its own.
    is_multiplexed: bool,
}

/// An exchange that runs, until it is dropped.
#[derive(Debug)]
pub(super) struct Exchange {
    activity: Activity,
    number: u64,
}

impl Activity {
    pub(super) fn new(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(State {
            exchanges: BTreeMap::new(),
            begun: 0,
            quiet_since: now,
            heard: None,
            stalled: None,
            is_multiplexed: false,
        })))
    }

    /// A request has its head.
    pub(super) fn begin(&self, is_multiplexed: bool, now: Instant) -> Exchange {
        let number = self.with(|state| {
            state.is_multiplexed |= is_multiplexed;
            state.heard = None;
            state.begun += 1;
            state.exchanges.insert(state.begun, now);
            state.begun
        });
        Exchange {
            activity: self.clone(),
            number,
        }
    }

    /// Bytes came.
    pub(super) fn heard(&self, now: impl FnOnce() -> Instant) {
        self.with(|state| {
            if state.exchanges.is_empty() && state.heard.is_none() {
                state.heard = Some(now());
            }
        });
    }

    /// Bytes were taken.
    pub(super) fn wrote(&self) {
        self.with(|state| state.stalled = None);
    }

    /// Bytes were not taken.
    pub(super) fn stalled(&self, now: impl FnOnce() -> Instant) {
        self.with(|state| {
            state.stalled.get_or_insert_with(now);
        });
    }

    /// Whether no request has come yet.
    pub(super) fn is_new(&self) -> bool {
        self.with(|state| state.begun == 0)
    }

    /// When the connection is to end if nothing changes, and why.
    pub(super) fn deadline(&self, limits: &HttpLimits) -> (Instant, Late) {
        self.with(|state| {
            let of_client = match (state.exchanges.values().next(), state.heard) {
                (Some(oldest), _) => (*oldest + limits.exchange, Late::Exchange),
                (None, _) if state.begun == 0 => (state.quiet_since + limits.head, Late::Head),
                (None, Some(heard)) if !state.is_multiplexed => (heard + limits.head, Late::Head),
                (None, _) => (state.quiet_since + limits.idle, Late::Idle),
            };
            match state.stalled {
                Some(since) if since + limits.write < of_client.0 => (since + limits.write, Late::Write),
                _ => of_client,
            }
        })
    }

    /// Returns when the connection is to end. A deadline that comes nearer while it waits is seen within a head's time.
    pub(super) async fn is_late(&self, limits: &HttpLimits) -> Late {
        loop {
            let (deadline, why) = self.deadline(limits);
            let now = Instant::now();
            if deadline <= now {
                return why;
            }
            tokio::time::sleep_until(deadline.min(now + limits.head.max(Duration::from_millis(1)))).await;
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Exchange {
    fn end(&self, now: impl FnOnce() -> Instant) {
        self.activity.with(|state| {
            if state.exchanges.remove(&self.number).is_some() {
                state.quiet_since = now();
            }
        });
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.end(Instant::now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HttpLimits = HttpLimits {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(50),
        exchange: Duration::from_secs(30),
        write: Duration::from_secs(15),
        ..HttpLimits::PUBLIC
    };

    fn after(began: Instant, activity: &Activity) -> (u64, Late) {
        let (deadline, why) = activity.deadline(&LIMITS);
        ((deadline - began).as_secs(), why)
    }

    #[test]
    fn each_kind_of_slowness_has_its_time() {
        let began = Instant::now();
        let at = |second| began + Duration::from_secs(second);
        let activity = Activity::new(began);
        assert_eq!(after(began, &activity), (10, Late::Head));
        activity.heard(|| at(5));
        // Bytes alone buy no time.
        assert_eq!(after(began, &activity), (10, Late::Head));
        let first = activity.begin(false, at(5));
        assert_eq!(after(began, &activity), (35, Late::Exchange));
        activity.stalled(|| at(6));
        activity.stalled(|| at(7));
        assert_eq!(after(began, &activity), (21, Late::Write));
        activity.wrote();
        assert_eq!(after(began, &activity), (35, Late::Exchange));
        first.end(|| at(8));
        assert_eq!(after(began, &activity), (58, Late::Idle));
        activity.heard(|| at(9));
        activity.heard(|| at(10));
        assert_eq!(after(began, &activity), (19, Late::Head));
    }

    #[test]
    fn the_oldest_of_many_exchanges_counts_and_frames_are_no_heads() {
        let began = Instant::now();
        let at = |second| began + Duration::from_secs(second);
        let activity = Activity::new(began);
        assert!(activity.is_new());
        let first = activity.begin(true, began);
        let second = activity.begin(true, at(5));
        assert_eq!(after(began, &activity), (30, Late::Exchange));
        first.end(|| at(6));
        assert_eq!(after(began, &activity), (35, Late::Exchange));
        second.end(|| at(7));
        activity.heard(|| at(8));
        assert_eq!(after(began, &activity), (57, Late::Idle));
        assert!(!activity.is_new());
    }
}
