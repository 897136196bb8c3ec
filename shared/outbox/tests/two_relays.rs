//! Two relays over the same ticks, either of which may at any moment be a zombie: paused for long, then going on as if
//! nothing had happened. The log that they publish to keeps whatever is sent.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use credo_ids::Shard;
use credo_outbox::{
    Advance, FIRST_SEQ, Fence, Head, Number, Numbering, Place, ShardAdvance,
    advance::{Published, advance},
};
use proptest::prelude::*;

/// A tick is the shards of its rows; ids count on over all ticks.
type Ticks = Vec<Vec<i16>>;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// The relay does the next thing that it would do.
    Go(usize),
    /// The relay records what is acknowledged of its chunk, all of it or not.
    Record(usize),
    /// The relay is killed and started again.
    Restart(usize),
    /// One more tick is taken.
    Tick,
}

#[derive(Debug, Default)]
struct Progress {
    keys: BTreeSet<(i16, i64)>,
    advances: Vec<Advance>,
}

impl Progress {
    fn record(&mut self, advance: &Advance) -> Fence {
        if advance
            .shards
            .iter()
            .any(|step| self.keys.contains(&(step.shard, step.first_seq)))
        {
            return Fence::Held;
        }
        self.keys
            .extend(advance.shards.iter().map(|step| (step.shard, step.first_seq)));
        self.advances.push(advance.clone());
        Fence::Passed
    }

    fn resume(&self) -> (Place, Numbering) {
        let place = self
            .advances
            .iter()
            .map(|advance| advance.place)
            .max()
            .unwrap_or(Place::after_tick(0));
        let mut numbering = Numbering::default();
        let mut heads = BTreeMap::<i16, ShardAdvance>::new();
        for step in self.advances.iter().flat_map(|advance| &advance.shards) {
            let head = heads.entry(step.shard).or_insert(*step);
            if step.first_seq > head.first_seq {
                *head = *step;
            }
        }
        for (shard, step) in heads {
            if let Ok(shard) = Shard::try_from(shard) {
                numbering.restore(
                    shard,
                    Head {
                        next_seq: step.next_seq,
                        running_hash: step.running_hash,
                    },
                );
            }
        }
        (place, numbering)
    }
}

#[derive(Debug, Clone)]
enum Relay {
    Starting,
    Reading {
        place: Place,
        numbering: Numbering,
    },
    Publishing {
        tick: i64,
        rows: Vec<Published>,
        sent: usize,
        ends_tick: bool,
        numbering: Numbering,
    },
}

#[derive(Debug)]
struct World {
    ticks: Ticks,
    taken: usize,
    limits: [usize; 2],
    progress: Progress,
    log: Vec<Published>,
    relays: [Relay; 2],
}

impl World {
    fn apply(&mut self, step: Step) {
        match step {
            Step::Go(relay) => self.go(relay),
            Step::Record(relay) => self.record(relay),
            Step::Restart(relay) => self.relays[relay] = Relay::Starting,
            Step::Tick => self.taken = (self.taken + 1).min(self.ticks.len()),
        }
    }

    fn go(&mut self, relay: usize) {
        match self.relays[relay].clone() {
            Relay::Starting => {
                let (place, numbering) = self.progress.resume();
                self.relays[relay] = Relay::Reading { place, numbering };
            }
            Relay::Reading { place, numbering } => self.read(relay, place, numbering),
            Relay::Publishing { rows, sent, .. } if sent == rows.len() => self.record(relay),
            Relay::Publishing {
                tick,
                rows,
                sent,
                ends_tick,
                numbering,
            } => {
                self.log.push(rows[sent]);
                self.relays[relay] = Relay::Publishing {
                    tick,
                    rows,
                    sent: sent + 1,
                    ends_tick,
                    numbering,
                };
            }
        }
    }

    fn read(&mut self, relay: usize, place: Place, mut numbering: Numbering) {
        let index = usize::try_from(place.previous_tick()).unwrap();
        if index >= self.taken {
            return;
        }
        let limit = self.limits[relay];
        let before: usize = self.ticks[..index].iter().map(Vec::len).sum();
        let mut rows = vec![];
        for (offset, shard) in self.ticks[index].iter().enumerate() {
            let id = i64::try_from(before + offset + 1).unwrap();
            if id > place.after_id() && rows.len() < limit {
                let shard = Shard::try_from(*shard).unwrap();
                rows.push(Published {
                    id,
                    shard,
                    number: numbering.number(shard, &id.to_be_bytes()),
                });
            }
        }
        let tick = place.previous_tick() + 1;
        let ends_tick = rows.len() < limit;
        self.relays[relay] = Relay::Publishing {
            tick,
            rows,
            sent: 0,
            ends_tick,
            numbering,
        };
    }

    fn record(&mut self, relay: usize) {
        let Relay::Publishing {
            tick,
            rows,
            sent,
            ends_tick,
            numbering,
        } = self.relays[relay].clone()
        else {
            return;
        };
        let is_whole = ends_tick && sent == rows.len();
        let Some(step) = advance(tick, &rows[..sent], is_whole) else {
            return;
        };
        self.relays[relay] = match self.progress.record(&step) {
            Fence::Passed if sent == rows.len() => Relay::Reading {
                place: step.place,
                numbering,
            },
            _ => Relay::Starting,
        };
    }

    fn drain(&mut self) {
        self.taken = self.ticks.len();
        self.relays[0] = Relay::Starting;
        let end = Place::after_tick(i64::try_from(self.ticks.len()).unwrap());
        while self.progress.resume().0 < end {
            self.go(0);
        }
    }
}

fn numbers_of_one_reader(ticks: &Ticks) -> Vec<Published> {
    let mut numbering = Numbering::default();
    let shards = ticks.iter().flatten().map(|shard| Shard::try_from(*shard).unwrap());
    (1_i64..)
        .zip(shards)
        .map(|(id, shard)| Published {
            id,
            shard,
            number: numbering.number(shard, &id.to_be_bytes()),
        })
        .collect()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let relay = 0_usize..2;
    let step = prop_oneof![
        12 => relay.clone().prop_map(Step::Go),
        2 => relay.clone().prop_map(Step::Record),
        1 => relay.prop_map(Step::Restart),
        2 => Just(Step::Tick),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn numbers_have_no_hole_and_one_content_each(
        ticks in proptest::collection::vec(proptest::collection::vec(0_i16..3, 0..7), 1..6),
        limits in [1_usize..5, 1_usize..5],
        steps in steps(),
    ) {
        let expected = numbers_of_one_reader(&ticks);
        let relays = [Relay::Starting, Relay::Starting];
        let mut world = World { ticks, taken: 0, limits, progress: Progress::default(), log: vec![], relays };
        for step in steps {
            world.apply(step);
        }
        world.drain();

        let mut next = BTreeMap::<i16, i64>::new();
        let mut first_occurrences = BTreeMap::<(i16, i64), Published>::new();
        for record in &world.log {
            let next = next.entry(record.shard.as_i16()).or_insert(FIRST_SEQ);
            prop_assert!(record.number.seq <= *next, "a hole in the log before {:?}", record);
            *next = (*next).max(record.number.seq + 1);
            let first = first_occurrences.entry((record.shard.as_i16(), record.number.seq)).or_insert(*record);
            prop_assert_eq!(*first, *record, "one number, two contents");
        }
        let mut published: Vec<Published> = first_occurrences.into_values().collect();
        published.sort_by_key(|record| record.id);
        prop_assert_eq!(published, expected);

        let mut recorded = BTreeMap::<i16, i64>::new();
        for step in world.progress.advances.iter().flat_map(|advance| &advance.shards).filter(|step| step.shard >= 0) {
            let next = recorded.entry(step.shard).or_insert(FIRST_SEQ);
            prop_assert_eq!(step.first_seq, *next, "progress overlaps or has a hole");
            *next = step.next_seq;
        }
        prop_assert!(world.progress.advances.iter().map(|advance| advance.place).is_sorted());
    }

    #[test]
    fn numbers_do_not_depend_on_chunks(shards in proptest::collection::vec(0_i16..4, 0..40), cut in 0_usize..40) {
        let whole = numbers_of_one_reader(&vec![shards.clone()]);
        let cut = cut.min(shards.len());
        let step = advance(1, &whole[..cut], false);
        let mut progress = Progress::default();
        if let Some(step) = step {
            assert_eq!(progress.record(&step), Fence::Passed);
        }
        let mut numbering = progress.resume().1;
        let rest: Vec<Number> = whole[cut..].iter().map(|row| numbering.number(row.shard, &row.id.to_be_bytes())).collect();
        prop_assert_eq!(rest, whole[cut..].iter().map(|row| row.number).collect::<Vec<_>>());
    }
}
