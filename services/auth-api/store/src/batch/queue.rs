//! Who waits, who is held back, and when the next batch is due. No waiting happens here, and nothing is run.
//!
//! Invariant: of one key at most one item is ready or under way; the others are held back behind it, in their order.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

use super::{FURTHER_WORKER_AFTER, FURTHER_WORKER_WAITING, MAX_AGE, MAX_BATCH, MAX_BEHIND, MAX_WAITING};

/// Something that waits.
pub(super) struct Entry<T> {
    pub(super) work: T,
    pub(super) key: Option<Uuid>,
    queued_at: Instant,
    ready_at: Instant,
}

/// The queue of one kind.
pub(super) struct Queue<T> {
    ready: VecDeque<Entry<T>>,
    held: HashMap<Uuid, VecDeque<Entry<T>>>,
    waiting: usize,
    under_way: usize,
    /// A batch is due and its worker has not come yet.
    is_boarding: bool,
    /// Somebody will look when the head has waited long enough.
    is_watched: bool,
}

/// What must be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send a worker.
    Board,
    /// Look again at that time.
    Watch(Instant),
    /// Nothing.
    Nothing,
}

/// What a worker takes along.
pub(super) struct Boarded<T> {
    pub(super) batch: Vec<Entry<T>>,
    /// What has waited too long.
    pub(super) late: Vec<Entry<T>>,
}

impl<T> Entry<T> {
    /// After it no run begins.
    pub(super) fn late_at(&self) -> Instant {
        self.queued_at + MAX_AGE
    }

    pub(super) fn waited(&self, now: Instant) -> Duration {
        now.duration_since(self.queued_at)
    }
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            ready: VecDeque::new(),
            held: HashMap::new(),
            waiting: 0,
            under_way: 0,
            is_boarding: false,
            is_watched: false,
        }
    }

    /// Takes something in. `false`: too much waits already.
    pub(super) fn push(&mut self, work: T, key: Option<Uuid>, now: Instant) -> bool {
        if self.waiting == MAX_WAITING {
            return false;
        }
        let entry = Entry {
            work,
            key,
            queued_at: now,
            ready_at: now,
        };
        match key.and_then(|key| self.held.get_mut(&key)) {
            Some(behind) if behind.len() == MAX_BEHIND => return false,
            Some(behind) => behind.push_back(entry),
            None => self.make_ready(entry),
        }
        self.waiting += 1;
        true
    }

    /// What is due, and marks it as seen to.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        let Some(head) = self.ready.front().filter(|_| !self.is_boarding) else {
            return Next::Nothing;
        };
        let patience_ends_at = head.ready_at + FURTHER_WORKER_AFTER;
        if self.under_way == 0 || self.ready.len() >= FURTHER_WORKER_WAITING || patience_ends_at <= now {
            self.is_boarding = true;
            return Next::Board;
        }
        if std::mem::replace(&mut self.is_watched, true) {
            return Next::Nothing;
        }
        Next::Watch(patience_ends_at)
    }

    /// The look that [`Next::Watch`] asked for.
    pub(super) fn look(&mut self, now: Instant) -> Next {
        self.is_watched = false;
        self.next(now)
    }

    /// A worker has come.
    pub(super) fn board(&mut self, now: Instant) -> Boarded<T> {
        let (mut batch, mut late) = (Vec::new(), Vec::new());
        while batch.len() < MAX_BATCH {
            let Some(entry) = self.ready.pop_front() else { break };
            self.waiting -= 1;
            if now < entry.late_at() {
                batch.push(entry);
            } else {
                self.release(entry.key, now);
                late.push(entry);
            }
        }
        self.is_boarding = false;
        self.under_way += 1;
        Boarded { batch, late }
    }

    /// A worker is through with what it took.
    pub(super) fn land(&mut self, keys: &[Option<Uuid>], now: Instant) {
        self.under_way -= 1;
        for key in keys {
            self.release(*key, now);
        }
    }

    /// Lets the next one of a key go.
    fn release(&mut self, key: Option<Uuid>, now: Instant) {
        let Some((key, behind)) = key.and_then(|key| Some((key, self.held.get_mut(&key)?))) else {
            return;
        };
        match behind.pop_front() {
            Some(entry) => self.ready.push_back(Entry { ready_at: now, ..entry }),
            None => drop(self.held.remove(&key)),
        }
    }

    fn make_ready(&mut self, entry: Entry<T>) {
        if let Some(key) = entry.key {
            self.held.insert(key, VecDeque::new());
        }
        self.ready.push_back(entry);
    }
}
