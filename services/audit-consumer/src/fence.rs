//! What a record means for the lane that it travels in: whether it is the next one, one that is stored, or neither. Pure.
//!
//! Invariant: what is stored of a lane is the relay's sequence without hole, each event once, and its running hash has been
//! recomputed here from the values that came. A record that would break this is not stored, whatever it claims.

use std::collections::HashMap;

use credo_ids::{EventId, Shard};
use credo_kafka::EventClass;
use credo_outbox::{Head, RunningHash};

/// How far a shard is stored, in the newest epoch that it has events of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneHead {
    /// The outbox database's life; 0 before the first event.
    pub epoch: i64,
    /// What comes next in it.
    pub head: Head,
}

impl LaneHead {
    /// A lane without events.
    pub const START: Self = Self {
        epoch: 0,
        head: Head::START,
    };

    /// Where a record of `epoch` would have to continue. A new epoch begins anew; an old one is over, and `None`.
    fn in_epoch(self, epoch: i64) -> Option<Head> {
        match epoch.cmp(&self.epoch) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(self.head),
            std::cmp::Ordering::Greater => Some(Head::START),
        }
    }
}

/// RFC 6962 leaf hash of an event's core.
pub type LeafHash = [u8; 32];

/// A number of the relay: nothing else has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    /// The outbox database's life.
    pub epoch: i64,
    /// The lane.
    pub shard: Shard,
    /// The place in both.
    pub seq: i64,
}

/// What of a record decides.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The number that it says.
    pub number: Number,
    /// The running hash that it says.
    pub running_hash: RunningHash,
    /// The event that it says.
    pub event_id: EventId,
    /// The class that it says.
    pub class: EventClass,
    /// The hash of the core that it brings.
    pub leaf: LeafHash,
    /// The value that it brings.
    pub value: &'a [u8],
}

/// What the store, and the records before in the same batch, say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What is stored under a number.
    pub at_number: HashMap<Number, (EventId, LeafHash)>,
    /// What is stored under an event id, whatever its number.
    pub by_event: HashMap<(EventClass, EventId), LeafHash>,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The lane's next event: store it; then the lane stands so.
    Next(LaneHead),
    /// The lane's next number, for an event that is stored: the outbox holds it twice. Consume the number, store nothing.
    Repeat(LaneHead),
    /// A record that was stored before.
    Duplicate,
    /// The same with another content: what is stored has been proved by the running hash, so this copy is the damaged one.
    DamagedDuplicate,
    /// A record that contradicts what is stored: another event under its number, or its event with another content.
    Fork,
    /// The records from the lane's next number on are missing.
    Gap,
    /// The lane's next number, but not what the relay sent: the running hash does not fit.
    Broken,
}

/// Judges a record of a lane that stands at `lane`.
#[must_use]
pub fn judge(lane: LaneHead, claim: &Claim<'_>, facts: &Facts) -> Verdict {
    let Number { epoch, seq, .. } = claim.number;
    let known = facts.by_event.get(&(claim.class, claim.event_id));
    let is_same = known.map(|leaf| *leaf == claim.leaf);
    let head = match lane.in_epoch(epoch) {
        Some(head) if seq >= head.next_seq => head,
        _ => {
            let at_number = facts.at_number.get(&claim.number);
            let stored = at_number.map(|(event_id, leaf)| (*event_id == claim.event_id).then_some(*leaf == claim.leaf));
            return match stored.unwrap_or(is_same) {
                Some(true) => Verdict::Duplicate,
                Some(false) => Verdict::DamagedDuplicate,
                None => Verdict::Fork,
            };
        }
    };
    if seq > head.next_seq {
        return Verdict::Gap;
    }
    if head.running_hash.after(claim.value) != claim.running_hash {
        return Verdict::Broken;
    }
    let head = Head {
        next_seq: seq + 1,
        running_hash: claim.running_hash,
    };
    let after = LaneHead { epoch, head };
    match is_same {
        None => Verdict::Next(after),
        Some(true) => Verdict::Repeat(after),
        Some(false) => Verdict::Fork,
    }
}

#[cfg(test)]
mod tests {
    use credo_outbox::FIRST_SEQ;

    use super::*;

    const LEAF: LeafHash = [1; 32];
    const OTHER: LeafHash = [2; 32];
    const EVENT: u128 = 7;
    const NEXT_SEQ: i64 = 5;

    fn before() -> RunningHash {
        RunningHash::START.after(b"earlier")
    }

    fn event(id: u128) -> EventId {
        EventId::from(uuid::Uuid::from_u128(id))
    }

    fn number(epoch: i64, seq: i64) -> Number {
        let shard = Shard::try_from(3).unwrap();
        Number { epoch, shard, seq }
    }

    /// The verdict on event `EVENT` with leaf `LEAF` under this number, chained to `after`, by a lane in epoch 2.
    fn verdict(epoch: i64, seq: i64, after: RunningHash, facts: &Facts) -> Verdict {
        let value = b"value";
        let claim = Claim {
            number: number(epoch, seq),
            running_hash: after.after(value),
            event_id: event(EVENT),
            class: EventClass::Security,
            leaf: LEAF,
            value,
        };
        judge(lane(2, NEXT_SEQ, before()), &claim, facts)
    }

    fn lane(epoch: i64, next_seq: i64, running_hash: RunningHash) -> LaneHead {
        let head = Head { next_seq, running_hash };
        LaneHead { epoch, head }
    }

    fn nothing() -> Facts {
        Facts::default()
    }

    fn knows(leaf: LeafHash) -> Facts {
        let by_event = [((EventClass::Security, event(EVENT)), leaf)].into();
        Facts { by_event, ..nothing() }
    }

    fn stored(epoch: i64, seq: i64, id: u128, leaf: LeafHash) -> Facts {
        let at_number = [(number(epoch, seq), (event(id), leaf))].into();
        Facts { at_number, ..nothing() }
    }

    #[test]
    fn the_next_number_is_stored_if_it_chains_and_is_not_known() {
        let after = lane(2, NEXT_SEQ + 1, before().after(b"value"));
        assert_eq!(verdict(2, 5, before(), &nothing()), Verdict::Next(after));
        assert_eq!(verdict(2, 5, before(), &knows(LEAF)), Verdict::Repeat(after));
        assert_eq!(verdict(2, 5, before(), &knows(OTHER)), Verdict::Fork);
        assert_eq!(verdict(2, 5, RunningHash::START, &nothing()), Verdict::Broken);
    }

    #[test]
    fn a_number_above_is_a_gap_whatever_it_brings() {
        assert_eq!(verdict(2, 6, before(), &nothing()), Verdict::Gap);
        assert_eq!(verdict(2, i64::MAX, before(), &knows(LEAF)), Verdict::Gap);
    }

    #[test]
    fn a_number_below_is_a_duplicate_or_a_fork() {
        let cases = [
            ("the same", stored(2, 4, EVENT, LEAF), Verdict::Duplicate),
            ("another event", stored(2, 4, 8, LEAF), Verdict::Fork),
            ("another content", stored(2, 4, EVENT, OTHER), Verdict::DamagedDuplicate),
            ("consumed by a repeat", knows(LEAF), Verdict::Duplicate),
            ("consumed by a repeat, damaged", knows(OTHER), Verdict::DamagedDuplicate),
            ("not known at all", nothing(), Verdict::Fork),
        ];
        for (name, facts, expected) in cases {
            assert_eq!(verdict(2, 4, before(), &facts), expected, "{name}");
        }
    }

    #[test]
    fn a_new_epoch_begins_anew_and_an_old_one_is_over() {
        let first = lane(3, FIRST_SEQ + 1, RunningHash::START.after(b"value"));
        assert_eq!(
            verdict(3, FIRST_SEQ, RunningHash::START, &nothing()),
            Verdict::Next(first)
        );
        assert_eq!(verdict(3, FIRST_SEQ, before(), &nothing()), Verdict::Broken);
        assert_eq!(verdict(3, 2, RunningHash::START, &nothing()), Verdict::Gap);
        assert_eq!(verdict(1, 9, before(), &stored(1, 9, EVENT, LEAF)), Verdict::Duplicate);
        assert_eq!(verdict(1, 10, before(), &nothing()), Verdict::Fork);
    }
}
