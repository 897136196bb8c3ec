//! What the consumer tells about its work. The work writes, the admin API reads. Clones are handles of the same thing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use credo_clock::SharedClock;
use credo_ids::Shard;
use time::OffsetDateTime;

use crate::{lane::StopReason, partition::Partition};

/// How the way into the store stands.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    clock: SharedClock,
    report: Arc<Mutex<Report>>,
}

/// A copy of what is known at one time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    /// For each owned partition the offset below which everything is stored; absent while that is not known.
    pub(crate) positions: BTreeMap<i32, i64>,
    pub(crate) stopped: BTreeMap<u8, StopReason>,
    /// As it was last known.
    pub(crate) lag: i64,
    pub(crate) last_store_at: Option<OffsetDateTime>,
    pub(crate) last_error: Option<String>,
}

impl Progress {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            report: Arc::default(),
        }
    }

    pub(crate) fn report(&self) -> Report {
        self.with(|report| report.clone())
    }

    /// The partitions stand so; whoever owns none knows of no stopped lane.
    pub(crate) fn stands(&self, partitions: &BTreeMap<i32, Partition>) {
        let positions = partitions
            .iter()
            .map(|(number, partition)| (*number, partition.lanes().position()));
        let stopped = partitions
            .values()
            .flat_map(|partition| partition.lanes().stopped())
            .filter_map(|(shard, lane): (Shard, _)| Some((shard.get(), lane.stop?.reason)));
        self.with(|report| {
            report.positions = positions.collect();
            report.stopped = stopped.collect();
        });
    }

    /// A batch went through; `events` of it are new.
    pub(crate) fn stored(&self, events: u64) {
        let now = self.clock.now();
        self.with(|report| {
            report.last_error = None;
            if events > 0 {
                report.last_store_at = Some(now);
            }
        });
    }

    /// Storing stands still.
    pub(crate) fn failed(&self, reason: String) {
        self.with(|report| report.last_error = Some(reason));
    }

    /// Storing goes on.
    pub(crate) fn recovered(&self) {
        self.with(|report| report.last_error = None);
    }

    pub(crate) fn lags(&self, lag: i64) {
        self.with(|report| report.lag = lag);
    }

    fn with<T>(&self, act: impl FnOnce(&mut Report) -> T) -> T {
        act(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
