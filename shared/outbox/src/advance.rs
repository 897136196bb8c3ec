//! How far publishing has come, and the records that make it so. Pure.
//!
//! Invariant: advances of an epoch form one chain. Each starts at the place where the one before it ended, and its first
//! row has the shard and the number that anybody else would give it who starts there. So of two that start at one place the
//! primary key (epoch, shard, first seq) lets one through; the other, and any zombie's, changes nothing.

use credo_ids::Shard;

use crate::{Number, RunningHash};

/// A place in the order of rows: everything before it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// A tick.
    pub tick: i64,
    /// The last row of that tick which is published.
    pub last_id: i64,
}

impl Place {
    /// Stands for the last row of a tick, whatever its id.
    pub const WHOLE_TICK: i64 = i64::MAX;

    /// The end of a tick.
    #[must_use]
    pub const fn after_tick(tick: i64) -> Self {
        Self {
            tick,
            last_id: Self::WHOLE_TICK,
        }
    }

    /// The tick that was published before the one to read now.
    #[must_use]
    pub const fn previous_tick(self) -> i64 {
        if self.is_whole_tick() { self.tick } else { self.tick - 1 }
    }

    /// Rows of the tick to read now are wanted from above this id on.
    #[must_use]
    pub const fn after_id(self) -> i64 {
        if self.is_whole_tick() { 0 } else { self.last_id }
    }

    const fn is_whole_tick(self) -> bool {
        self.last_id == Self::WHOLE_TICK
    }
}

/// What of a published row matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The row's id.
    pub id: i64,
    /// Its shard.
    pub shard: Shard,
    /// What it was numbered.
    pub number: Number,
}

/// One step of progress. It is recorded whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// Where publishing stands after it.
    pub place: Place,
    /// By shard, ascending: concurrent recorders wait for each other instead of deadlocking.
    pub shards: Vec<ShardAdvance>,
}

/// What one shard contributes to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardAdvance {
    /// The shard; [`ShardAdvance::NO_SHARD`] marks a tick without rows.
    pub shard: i16,
    /// Its first number in the step, which is the fence.
    pub first_seq: i64,
    /// The number after its last one in the step.
    pub next_seq: i64,
    /// Its running hash after the step.
    pub running_hash: RunningHash,
}

impl ShardAdvance {
    /// The pseudo-shard of ticks without rows, whose numbers are the ticks'.
    pub const NO_SHARD: i16 = -1;
}

/// The step from an acknowledged prefix of a chunk of `tick`; `is_whole` says that the chunk ends with this prefix and that
/// the tick ends with the chunk. `None` if there is nothing to record.
#[must_use]
pub fn advance(tick: i64, prefix: &[Published], is_whole: bool) -> Option<Advance> {
    let last_id = if is_whole { Place::WHOLE_TICK } else { prefix.last()?.id };
    let place = Place { tick, last_id };
    if prefix.is_empty() {
        let mark = ShardAdvance {
            shard: ShardAdvance::NO_SHARD,
            first_seq: tick,
            next_seq: tick + 1,
            running_hash: RunningHash::START,
        };
        return Some(Advance {
            place,
            shards: vec![mark],
        });
    }
    let mut by_shard = [None::<ShardAdvance>; Shard::COUNT as usize];
    for row in prefix {
        let step = by_shard[usize::from(row.shard.get())].get_or_insert(ShardAdvance {
            shard: row.shard.as_i16(),
            first_seq: row.number.seq,
            next_seq: row.number.seq,
            running_hash: row.number.running_hash,
        });
        step.next_seq = row.number.seq + 1;
        step.running_hash = row.number.running_hash;
    }
    Some(Advance {
        place,
        shards: by_shard.into_iter().flatten().collect(),
    })
}
