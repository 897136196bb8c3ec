//! What a request may still take: its time, counted from its head, and its place among those that run.
//!
//! Work that outlives its caller ([`crate::app::App::finish`]) takes its budget along: the place is free when the work is
//! done, not when nobody waits any more. What waits in a queue asks how long it may.

use std::{sync::Arc, time::Duration};

use credo_lifecycle::Slot;
use tokio::time::Instant;

tokio::task_local! {
    static CURRENT: Budget;
}

/// Time and place of one request. Clones are handles of the same place.
#[derive(Clone, Debug)]
pub struct Budget {
    deadline: Instant,
    _place: Option<Arc<Slot>>,
}

impl Budget {
    /// So much time from now on, at `place`.
    #[must_use]
    pub fn new(time: Duration, place: Option<Arc<Slot>>) -> Self {
        Self {
            deadline: Instant::now() + time,
            _place: place,
        }
    }

    /// The budget of the request that is being served. None in background work.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs `work` within `budget`.
    pub async fn scope<T>(budget: Option<Self>, work: impl Future<Output = T>) -> T {
        match budget {
            Some(budget) => CURRENT.scope(budget, work).await,
            None => work.await,
        }
    }

    /// How long the current request may wait: `at_most`, and not so long that less than `reserve` would be left.
    #[must_use]
    pub fn wait(at_most: Duration, reserve: Duration) -> Duration {
        let left = |budget: &Self| budget.deadline.saturating_duration_since(Instant::now());
        let left = CURRENT.try_with(left).unwrap_or(Duration::MAX);
        left.saturating_sub(reserve).min(at_most)
    }
}
