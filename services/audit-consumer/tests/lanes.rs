//! What is stored of a partition whose log has gaps, repetitions, damage and forgeries, read by two consumers of which either
//! may crash, or be a zombie, at any moment. Everything that decides is the production code; the store is a model of the
//! database's constraints.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use audit_consumer::{
    decode::Placed,
    fence::{Facts, LaneHead},
    lane::{Lanes, Plan},
};
use credo_ids::{EventId, Shard, TenantId};
use credo_kafka::{EventClass, RecordHeaders, encode_value};
use credo_outbox::{Numbering, RunningHash};
use proptest::prelude::*;
use uuid::Uuid;

const SHARDS: usize = 2;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// The relay sends the shard's next event, with a fresh id or with one that it had already.
    Send(usize, Option<usize>),
    /// Kafka loses what the relay sends.
    Lose(usize),
    /// A relay that was restarted sends again from some number on.
    Resend(usize, usize),
    /// The next event arrives damaged in some byte.
    Damage(usize, usize),
    /// Somebody writes a record under a number that exists.
    Forge(usize, usize),
    /// The consumer reads some records in one batch.
    Read(usize, usize),
    /// The consumer is killed and started again.
    Restart(usize),
}

#[derive(Debug, Default)]
struct Store {
    fences: BTreeSet<(i16, i64, i64)>,
    heads: BTreeMap<i16, LaneHead>,
    rows: Vec<Placed>,
    claim: i64,
}

#[derive(Debug)]
struct World {
    numbering: Numbering,
    /// What the relay numbered, by shard: the truth.
    truth: [Vec<Placed>; SHARDS],
    log: Vec<Placed>,
    store: Store,
    consumers: [(Lanes, usize); 2],
    forged: BTreeSet<Uuid>,
    next_id: u128,
}

fn shard(number: usize) -> Shard {
    Shard::try_from(i16::try_from(number).unwrap()).unwrap()
}

fn record(shard: Shard, seq: i64, running_hash: RunningHash, event_id: Uuid, value: Vec<u8>) -> Placed {
    let headers = RecordHeaders {
        tenant: TenantId::from(Uuid::from_u128(1)),
        shard,
        epoch: 1,
        seq,
        running_hash,
        event_id: EventId::from(event_id),
        class: EventClass::Security,
        aggregate: Uuid::nil(),
        traceparent: None,
    };
    Placed::new(0, headers, value)
}

impl World {
    fn new() -> Self {
        let start = || (Lanes::new([], 0), 0);
        Self {
            numbering: Numbering::default(),
            truth: [vec![], vec![]],
            log: vec![],
            store: Store::default(),
            consumers: [start(), start()],
            forged: BTreeSet::new(),
            next_id: 1,
        }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Send(shard, again) => {
                let record = self.number(shard, again);
                self.append(record);
            }
            Step::Lose(shard) => drop(self.number(shard, None)),
            Step::Resend(shard, from) => {
                let again: Vec<Placed> = self.truth[shard].iter().skip(from).cloned().collect();
                for record in again {
                    self.append(record);
                }
            }
            Step::Damage(shard, place) => {
                let record = self.number(shard, None);
                let mut value = record.value.clone();
                let place = place % value.len();
                value[place] ^= 1;
                self.append(Placed::new(0, record.headers, value));
            }
            Step::Forge(shard, of) => self.forge(shard, of),
            Step::Read(consumer, count) => self.read(consumer, count),
            Step::Restart(consumer) => self.restart(consumer),
        }
    }

    fn number(&mut self, number: usize, again: Option<usize>) -> Placed {
        let earlier = again
            .and_then(|place| self.truth[number].get(place))
            .map(|earlier| earlier.headers.event_id);
        let event_id = earlier.map_or_else(|| self.fresh_id(), |id| id.as_uuid());
        let value = encode_value(event_id.as_bytes(), b"p");
        let place = self.numbering.number(shard(number), &value);
        let record = record(shard(number), place.seq, place.running_hash, event_id, value);
        self.truth[number].push(record.clone());
        record
    }

    fn fresh_id(&mut self) -> Uuid {
        self.next_id += 1;
        Uuid::from_u128(self.next_id)
    }

    fn append(&mut self, mut record: Placed) {
        record.offset = i64::try_from(self.log.len()).unwrap();
        self.log.push(record);
    }

    fn forge(&mut self, shard: usize, of: usize) {
        let Some(original) = self.truth[shard].get(of).cloned() else {
            return;
        };
        let event_id = self.fresh_id();
        self.forged.insert(event_id);
        let headers = RecordHeaders {
            event_id: EventId::from(event_id),
            ..original.headers
        };
        self.append(Placed::new(0, headers, encode_value(event_id.as_bytes(), b"p")));
    }

    fn restart(&mut self, consumer: usize) {
        let heads = self
            .store
            .heads
            .iter()
            .map(|(number, head)| (Shard::try_from(*number).unwrap(), *head));
        let start = usize::try_from(self.store.claim).unwrap();
        self.consumers[consumer] = (Lanes::new(heads, self.store.claim), start);
    }

    fn read(&mut self, consumer: usize, count: usize) {
        let (lanes, start) = self.consumers[consumer].clone();
        let end = (start + count).min(self.log.len());
        let batch: Vec<&Placed> = self.log[start..end].iter().collect();
        let plan = lanes.plan(&batch, i64::try_from(end).unwrap(), self.store.facts(&batch));
        if self.store.commit(&batch, &plan) && !plan.must_reread {
            self.consumers[consumer] = (plan.after, end);
        } else {
            self.restart(consumer);
        }
    }

    /// Whatever lies below the claim and is true is stored.
    fn assert_claim_is_true(&self) {
        for record in self.log.iter().take(usize::try_from(self.store.claim).unwrap()) {
            let (shard, seq) = (usize::from(record.headers.shard.get()), record.headers.seq);
            let original = &self.truth[shard][usize::try_from(seq - 1).unwrap()];
            let is_true = original.headers == record.headers && original.value == record.value;
            let head = self.store.heads.get(&record.headers.shard.as_i16());
            assert!(
                !is_true || head.is_some_and(|head| head.head.next_seq > seq),
                "claimed and not stored: {record:?}"
            );
        }
    }

    /// Of each shard the store holds the truth up to its head, each event once, in order.
    fn assert_store_is_a_prefix_of_the_truth(&self) {
        for number in 0..SHARDS {
            let stored: Vec<EventId> = self.rows_of(number).map(|row| row.headers.event_id).collect();
            let next_seq = self
                .store
                .heads
                .get(&shard(number).as_i16())
                .map_or(1, |head| head.head.next_seq);
            let mut seen = BTreeSet::new();
            let expected: Vec<EventId> = self.truth[number]
                .iter()
                .take(usize::try_from(next_seq - 1).unwrap())
                .map(|record| record.headers.event_id)
                .filter(|event_id| seen.insert(*event_id))
                .collect();
            assert_eq!(stored, expected, "shard {number}");
        }
        assert!(
            self.store
                .rows
                .iter()
                .all(|row| !self.forged.contains(&row.headers.event_id.as_uuid()))
        );
    }

    fn rows_of(&self, number: usize) -> impl Iterator<Item = &Placed> {
        self.store
            .rows
            .iter()
            .filter(move |row| row.headers.shard == shard(number))
    }

    /// The relay sends everything again, and one consumer reads to the end.
    fn heal(&mut self) {
        (0..SHARDS).for_each(|shard| self.apply(Step::Resend(shard, 0)));
        self.restart(0);
        let mut reads = 0;
        while self.consumers[0].1 < self.log.len() {
            self.read(0, 3);
            reads += 1;
            assert!(reads < 100_000, "no end");
        }
    }
}

impl Store {
    fn facts(&self, batch: &[&Placed]) -> Facts {
        let mut facts = Facts::default();
        for record in batch {
            let claim = record.claim();
            for row in &self.rows {
                if row.claim().number == claim.number {
                    facts.at_number.insert(claim.number, (row.headers.event_id, row.leaf));
                }
                if row.headers.event_id == claim.event_id {
                    facts.by_event.insert((claim.class, claim.event_id), row.leaf);
                }
            }
        }
        facts
    }

    /// One transaction: all of it, or nothing if a fence is there already.
    fn commit(&mut self, batch: &[&Placed], plan: &Plan) -> bool {
        let fences: Vec<_> = plan
            .steps
            .iter()
            .map(|step| (step.shard.as_i16(), step.after.epoch, step.first_seq))
            .collect();
        if fences.iter().any(|fence| self.fences.contains(fence)) {
            return false;
        }
        self.fences.extend(fences);
        self.rows.extend(plan.store.iter().map(|index| batch[*index].clone()));
        self.heads
            .extend(plan.steps.iter().map(|step| (step.shard.as_i16(), step.after)));
        self.claim = self.claim.max(plan.after.position());
        true
    }
}

fn steps(with_forgeries: bool) -> impl Strategy<Value = Vec<Step>> {
    let shard = 0..SHARDS;
    let consumer = 0_usize..2;
    let forgeries = u32::from(with_forgeries);
    let step = prop_oneof![
        10 => (shard.clone(), proptest::option::weighted(0.1, 0_usize..20)).prop_map(|(shard, again)| Step::Send(shard, again)),
        2 => shard.clone().prop_map(Step::Lose),
        2 => (shard.clone(), 0_usize..20).prop_map(|(shard, from)| Step::Resend(shard, from)),
        1 => (shard.clone(), 0_usize..64).prop_map(|(shard, place)| Step::Damage(shard, place)),
        forgeries => (shard, 0_usize..20).prop_map(|(shard, of)| Step::Forge(shard, of)),
        8 => (consumer.clone(), 1_usize..6).prop_map(|(consumer, count)| Step::Read(consumer, count)),
        1 => consumer.prop_map(Step::Restart),
    ];
    proptest::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn losses_repetitions_and_damage_heal_without_loss_or_double(steps in steps(false)) {
        let mut world = World::new();
        for step in steps {
            world.apply(step);
            world.assert_claim_is_true();
        }
        world.assert_store_is_a_prefix_of_the_truth();
        world.heal();
        world.assert_store_is_a_prefix_of_the_truth();
        world.assert_claim_is_true();
        for number in 0..SHARDS {
            let distinct: BTreeSet<EventId> = world.truth[number].iter().map(|record| record.headers.event_id).collect();
            prop_assert_eq!(world.rows_of(number).count(), distinct.len());
        }
        prop_assert_eq!(world.store.claim, i64::try_from(world.log.len()).unwrap());
    }

    #[test]
    fn a_forgery_is_never_stored_and_nothing_is_claimed_behind_it(steps in steps(true)) {
        let mut world = World::new();
        for step in steps {
            world.apply(step);
            world.assert_claim_is_true();
        }
        world.assert_store_is_a_prefix_of_the_truth();
        world.heal();
        world.assert_store_is_a_prefix_of_the_truth();
        world.assert_claim_is_true();
    }
}
