//! The lanes of a partition, and what a batch of its records makes of them. Pure.
//!
//! Invariant: below [`Lanes::position`] every record of the partition is stored, or was never one of the relay's. A lane that
//! stopped holds the position at its first record that is not stored; the other lanes go on.

use credo_ids::Shard;

use crate::{
    decode::Placed,
    fence::{Facts, LaneHead, Number, Verdict, judge},
};

/// Why a lane does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// Records are missing.
    Gap,
    /// A record is not what the relay sent.
    Broken,
    /// A record contradicts what is stored. Nothing of this lane is stored until somebody has looked.
    Fork,
}

/// A lane that does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// Why.
    pub reason: StopReason,
    /// The offset of its first record that is not stored.
    pub offset: i64,
    /// The highest number that was seen of it.
    pub highest_seq: i64,
}

/// One shard, as a partition sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    /// How far it is stored.
    pub head: LaneHead,
    /// Why it does not go on.
    pub stop: Option<Stop>,
}

/// The lanes of one partition. All shards are there: which ones a partition has depends on the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lanes {
    lanes: [Lane; Shard::COUNT as usize],
    /// The offset after the last record that was looked at.
    next_offset: i64,
}

/// How far a lane gets with a batch: a row of `position`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The shard.
    pub shard: Shard,
    /// Its first number in the batch, which is the fence.
    pub first_seq: i64,
    /// Where it stands then.
    pub after: LaneHead,
}

/// What a batch comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The records to store, as indexes into the batch, in its order.
    pub store: Vec<usize>,
    /// How far the lanes get.
    pub steps: Vec<Step>,
    /// The lanes then.
    pub after: Lanes,
    /// Stored before, and dropped.
    pub duplicates: usize,
    /// Stored before with another content, and dropped: the offsets of these copies.
    pub damaged: Vec<i64>,
    /// Numbers consumed for events that are stored under another number.
    pub repeats: usize,
    /// Lanes that stopped in this batch.
    pub stopped: Vec<(Shard, Stop)>,
    /// A lane that had stopped goes on: what it skipped lies at [`Lanes::position`] and must be read again.
    pub must_reread: bool,
}

impl Lanes {
    /// The lanes as the store knows them, before the record at `next_offset`.
    #[must_use]
    pub fn new(heads: impl IntoIterator<Item = (Shard, LaneHead)>, next_offset: i64) -> Self {
        let start = Lane {
            head: LaneHead::START,
            stop: None,
        };
        let mut lanes = [start; Shard::COUNT as usize];
        for (shard, head) in heads {
            lanes[usize::from(shard.get())].head = head;
        }
        Self { lanes, next_offset }
    }

    /// The offset below which everything is stored.
    #[must_use]
    pub fn position(&self) -> i64 {
        let held = self.lanes.iter().filter_map(|lane| lane.stop).map(|stop| stop.offset);
        held.fold(self.next_offset, i64::min)
    }

    /// The lanes that do not go on.
    pub fn stopped(&self) -> impl Iterator<Item = (Shard, Lane)> + '_ {
        let shards = (0..i16::from(Shard::COUNT)).filter_map(|number| Shard::try_from(number).ok());
        shards.zip(self.lanes).filter(|(_, lane)| lane.stop.is_some())
    }

    /// What `batch`, records of this partition in order of their offsets, comes to. `facts` tells for each of them whether
    /// its number and its event are stored.
    #[must_use]
    pub fn plan(&self, batch: &[&Placed], next_offset: i64, mut facts: Facts) -> Plan {
        let mut plan = Plan {
            store: vec![],
            steps: vec![],
            after: self.clone(),
            duplicates: 0,
            damaged: vec![],
            repeats: 0,
            stopped: vec![],
            must_reread: false,
        };
        for (index, record) in batch.iter().enumerate() {
            plan.judge(index, record, &mut facts);
        }
        plan.after.next_offset = next_offset;
        plan
    }
}

impl Plan {
    fn judge(&mut self, index: usize, record: &Placed, facts: &mut Facts) {
        let shard = record.headers.shard;
        let lane = self.after.lanes[usize::from(shard.get())];
        let claim = record.claim();
        match judge(lane.head, &claim, facts) {
            Verdict::Duplicate => self.duplicates += 1,
            Verdict::DamagedDuplicate => self.damaged.push(record.offset),
            verdict if lane.stop.is_some_and(|stop| stop.reason == StopReason::Fork) => self.hold(record, verdict),
            Verdict::Next(after) => {
                facts.at_number.insert(claim.number, (claim.event_id, claim.leaf));
                facts.by_event.insert((claim.class, claim.event_id), claim.leaf);
                self.store.push(index);
                self.go_on(claim.number, after);
            }
            Verdict::Repeat(after) => {
                self.repeats += 1;
                self.go_on(claim.number, after);
            }
            verdict @ (Verdict::Fork | Verdict::Gap | Verdict::Broken) => self.hold(record, verdict),
        }
    }

    fn go_on(&mut self, number: Number, after: LaneHead) {
        let Number { shard, seq, .. } = number;
        let lane = &mut self.after.lanes[usize::from(shard.get())];
        lane.head = after;
        self.must_reread |= lane.stop.is_some();
        match self
            .steps
            .iter_mut()
            .find(|step| step.shard == shard && step.after.epoch == after.epoch)
        {
            Some(step) => step.after = after,
            None => self.steps.push(Step {
                shard,
                first_seq: seq,
                after,
            }),
        }
    }

    /// Does not store the record. A lane that is stopped already stays stopped where it was.
    fn hold(&mut self, record: &Placed, verdict: Verdict) {
        let reason = match verdict {
            Verdict::Fork => StopReason::Fork,
            Verdict::Broken => StopReason::Broken,
            _ => StopReason::Gap,
        };
        let shard = record.headers.shard;
        let lane = &mut self.after.lanes[usize::from(shard.get())];
        let stop = lane.stop.get_or_insert_with(|| {
            let stop = Stop {
                reason,
                offset: record.offset,
                highest_seq: record.headers.seq,
            };
            self.stopped.push((shard, stop));
            stop
        });
        stop.highest_seq = stop.highest_seq.max(record.headers.seq);
        if reason == StopReason::Fork && stop.reason != StopReason::Fork {
            stop.reason = StopReason::Fork;
            self.stopped.push((shard, *stop));
        }
    }
}
