//! A partition that this process owns: its records, batch by batch, into the store.
//!
//! A batch that the database refuses is halved until the record is found that it refuses; that one is quarantined. Nothing is
//! skipped: a record that cannot even be quarantined stands, and the partition with it, until somebody has looked.

use std::collections::VecDeque;

use credo_clock::SharedClock;

use crate::{
    Metrics,
    decode::{Incoming, Placed, Quarantine, Stray},
    lane::{Lanes, Plan, StopReason},
    sink::{Sink, SinkError, Write},
    trace,
};

/// Where batches go, and what is counted.
#[derive(Debug, Clone)]
pub struct Store {
    /// The audit database.
    pub sink: Sink,
    /// What is counted.
    pub metrics: Metrics,
    /// For the age of events.
    pub clock: SharedClock,
}

/// A partition and how far it is stored.
#[derive(Debug)]
pub struct Partition {
    number: i32,
    lanes: Lanes,
}

/// Records of one partition, in order of their offsets.
#[derive(Debug)]
pub struct Batch {
    /// The records.
    pub records: Vec<Incoming>,
    /// The offset after the last one.
    pub next_offset: i64,
}

/// What is to be done when a batch is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Go on behind it.
    GoOn,
    /// Read again from [`Lanes::position`]: a lane that had stopped goes on.
    Reread,
}

impl Partition {
    /// The partition with this number, which stands so.
    #[must_use]
    pub fn new(number: i32, lanes: Lanes) -> Self {
        Self { number, lanes }
    }

    /// How far it is stored.
    #[must_use]
    pub fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// Stores a batch. After an error it is unknown how far that went: the partition must be made anew from the store.
    ///
    /// # Errors
    /// When somebody else was faster, or the database does not answer or refuses whatever it is given.
    pub async fn take_in(&mut self, store: &Store, batch: Batch) -> Result<Next, SinkError> {
        store.metrics.consumed.inc_by(count(batch.records.len()));
        let mut next = Next::GoOn;
        let mut waiting = VecDeque::from([batch]);
        while let Some(batch) = waiting.pop_front() {
            match self.store_whole(store, &batch).await {
                Ok(Next::GoOn) => {}
                Ok(Next::Reread) => next = Next::Reread,
                Err(SinkError::Refused(error)) => {
                    tracing::warn!(%error, partition = self.number, records = batch.records.len(), "refused");
                    let smaller = batch.isolate().ok_or(SinkError::Refused(error))?;
                    smaller.into_iter().rev().for_each(|batch| waiting.push_front(batch));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(next)
    }

    async fn store_whole(&mut self, store: &Store, batch: &Batch) -> Result<Next, SinkError> {
        let (placed, strays) = batch.sorted();
        let facts = store.sink.facts(&placed).await?;
        let plan = self.lanes.plan(&placed, batch.next_offset, facts);
        let write = Write {
            partition: self.number,
            placed: &placed,
            plan: &plan,
            strays: &strays,
            position_before: self.lanes.position(),
        };
        let spans = trace::spans(&placed, store.clock.now());
        store.sink.store(write).await?;
        drop(spans);
        store.count(&placed, &plan, &strays);
        let next = if plan.must_reread { Next::Reread } else { Next::GoOn };
        self.lanes = plan.after;
        Ok(next)
    }
}

impl Batch {
    fn sorted(&self) -> (Vec<&Placed>, Vec<&Stray>) {
        let (mut placed, mut strays) = (vec![], vec![]);
        for record in &self.records {
            match record {
                Incoming::Placed(record) => placed.push(record),
                Incoming::Stray(record) => strays.push(record),
            }
        }
        (placed, strays)
    }

    /// Two halves, or the single record quarantined. `None` if nothing is left to try.
    fn isolate(mut self) -> Option<Vec<Self>> {
        if let [Incoming::Placed(record)] = self.records.as_mut_slice() {
            if record.content == Err(Quarantine::Store) {
                return None;
            }
            record.content = Err(Quarantine::Store);
            return Some(vec![self]);
        }
        let later = self.records.split_off(self.records.len() / 2);
        let border = later.first().filter(|_| !self.records.is_empty())?.offset();
        let later = Self {
            records: later,
            next_offset: self.next_offset,
        };
        self.next_offset = border;
        Some(vec![self, later])
    }
}

impl Store {
    fn count(&self, placed: &[&Placed], plan: &Plan, strays: &[&Stray]) {
        let metrics = &self.metrics;
        metrics.stored.inc_by(count(plan.store.len()));
        metrics.duplicates.inc_by(count(plan.duplicates + plan.damaged.len()));
        metrics.damaged.inc_by(count(plan.damaged.len()));
        metrics.repeats.inc_by(count(plan.repeats));
        metrics.strays.inc_by(count(strays.len()));
        for record in plan.store.iter().filter_map(|index| placed.get(*index)) {
            if let Err(reason) = record.content {
                metrics.quarantined.inc();
                tracing::error!(event_id = %record.headers.event_id, %reason, "event quarantined");
            }
            self.observe_age(record);
        }
        for offset in &plan.damaged {
            tracing::error!(offset, "damaged copy of a stored event dropped");
        }
        for stray in strays {
            tracing::error!(partition = stray.record.partition, offset = stray.record.offset, reason = %stray.reason, "stray record");
        }
        for (shard, stop) in &plan.stopped {
            match stop.reason {
                StopReason::Fork => metrics.forks.inc(),
                StopReason::Gap => metrics.gaps.inc(),
                StopReason::Broken => metrics.broken.inc(),
            }
            tracing::error!(shard = shard.get(), reason = ?stop.reason, offset = stop.offset, "shard stopped");
        }
    }

    fn observe_age(&self, record: &Placed) {
        let age = trace::age(record, self.clock.now());
        self.metrics.commit_to_store_seconds.observe(age.as_secs_f64());
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
