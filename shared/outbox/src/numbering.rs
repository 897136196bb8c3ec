//! The numbers of events. Pure.
//!
//! Invariant: `seq` is contiguous from [`FIRST_SEQ`] in each shard of an epoch, and a function of the order of rows alone.

use credo_ids::Shard;

use crate::RunningHash;

/// The number of the first event of an epoch and shard.
pub const FIRST_SEQ: i64 = 1;

/// Where a shard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number that the shard's next event gets.
    pub next_seq: i64,
    /// The running hash after the event before it.
    pub running_hash: RunningHash,
}

impl Head {
    /// A shard without events.
    pub const START: Self = Self {
        next_seq: FIRST_SEQ,
        running_hash: RunningHash::START,
    };
}

/// What a row was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// Its place in its shard.
    pub seq: i64,
    /// The shard's running hash after it.
    pub running_hash: RunningHash,
}

/// Where all shards of an epoch stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbering {
    heads: [Head; Shard::COUNT as usize],
}

impl Default for Numbering {
    fn default() -> Self {
        Self {
            heads: [Head::START; Shard::COUNT as usize],
        }
    }
}

impl Numbering {
    /// Gives the shard's next row, whose record has this value, its number.
    pub fn number(&mut self, shard: Shard, value: &[u8]) -> Number {
        let head = &mut self.heads[usize::from(shard.get())];
        let number = Number {
            seq: head.next_seq,
            running_hash: head.running_hash.after(value),
        };
        *head = Head {
            next_seq: number.seq + 1,
            running_hash: number.running_hash,
        };
        number
    }

    /// Where the shard stands.
    #[must_use]
    pub fn head(&self, shard: Shard) -> Head {
        self.heads[usize::from(shard.get())]
    }

    /// Puts the shard where it stood when that was recorded.
    pub fn restore(&mut self, shard: Shard, head: Head) {
        self.heads[usize::from(shard.get())] = head;
    }

    /// The shards that have had events.
    pub fn started(&self) -> impl Iterator<Item = (Shard, Head)> + '_ {
        (0_i16..)
            .zip(self.heads)
            .filter(|(_, head)| *head != Head::START)
            .filter_map(|(number, head)| Shard::try_from(number).ok().map(|shard| (shard, head)))
    }
}
