//! Ticks over random interleavings of transactions, against a model of the database: transaction ids, the running list, row
//! locks that end after a transaction has left it, a sequence without rollback, and two tickers at once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use credo_outbox::{Snapshot, batch_contains};
use proptest::prelude::*;

const WRITERS: usize = 4;
const TICKERS: usize = 2;
const AGGREGATES: usize = 3;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// The writer gets a transaction id, if it has none.
    Begin(usize),
    /// The writer locks the aggregate, draws an id under the lock and inserts a row; nothing happens while it must wait.
    Write(usize, usize),
    /// The writer's transaction leaves the running list.
    End(usize, bool),
    /// The writer's locks are released; nothing happens before it has ended.
    Release(usize),
    /// The ticker takes its next step: snapshot, sequence, insert and commit.
    Tick(usize),
}

#[derive(Debug, Clone)]
struct Row {
    id: i64,
    xid: u64,
    aggregate: usize,
    /// When it was inserted, as nobody in the database can know it.
    order: usize,
}

#[derive(Debug, Clone)]
struct Tick {
    snapshot: Snapshot,
    last_id: i64,
}

#[derive(Debug, Clone)]
enum Ticker {
    Idle,
    HasSnapshot { base: usize, snapshot: Snapshot },
    HasSequence { base: usize, tick: Tick },
}

#[derive(Debug)]
struct Database {
    next_xid: u64,
    last_id: i64,
    latest_ended: u64,
    running: BTreeSet<u64>,
    committed: BTreeSet<u64>,
    locks: BTreeMap<usize, usize>,
    writers: [Option<u64>; WRITERS],
    ended: [bool; WRITERS],
    rows: Vec<Row>,
    ticks: Vec<Tick>,
    tickers: [Ticker; TICKERS],
}

impl Database {
    fn new() -> Self {
        let first = Tick {
            snapshot: Snapshot::new(3, vec![]).unwrap(),
            last_id: 0,
        };
        Self {
            next_xid: 3,
            last_id: 0,
            latest_ended: 2,
            running: BTreeSet::new(),
            committed: BTreeSet::new(),
            locks: BTreeMap::new(),
            writers: [None; WRITERS],
            ended: [false; WRITERS],
            rows: vec![],
            ticks: vec![first],
            tickers: [Ticker::Idle, Ticker::Idle],
        }
    }

    fn assign_xid(&mut self) -> u64 {
        let xid = self.next_xid;
        self.next_xid += 1;
        self.running.insert(xid);
        xid
    }

    fn end(&mut self, xid: u64, commits: bool) {
        self.running.remove(&xid);
        self.latest_ended = self.latest_ended.max(xid);
        if commits {
            self.committed.insert(xid);
        }
    }

    fn snapshot(&self) -> Snapshot {
        let xmax = self.latest_ended + 1;
        Snapshot::new(xmax, self.running.range(..xmax).copied().collect()).unwrap()
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Begin(writer) if self.writers[writer].is_none() => self.writers[writer] = Some(self.assign_xid()),
            Step::Write(writer, aggregate) if !self.ended[writer] => self.write(writer, aggregate),
            Step::End(writer, commits) if !self.ended[writer] => {
                if let Some(xid) = self.writers[writer] {
                    self.end(xid, commits);
                    self.ended[writer] = true;
                }
            }
            Step::Release(writer) if self.ended[writer] => {
                self.locks.retain(|_, holder| *holder != writer);
                (self.writers[writer], self.ended[writer]) = (None, false);
            }
            Step::Tick(ticker) => self.tick(ticker),
            _ => {}
        }
    }

    fn write(&mut self, writer: usize, aggregate: usize) {
        if *self.locks.entry(aggregate).or_insert(writer) != writer {
            return;
        }
        let xid = self.writers[writer].unwrap_or_else(|| self.assign_xid());
        self.writers[writer] = Some(xid);
        self.last_id += 1;
        let order = self.rows.len();
        self.rows.push(Row {
            id: self.last_id,
            xid,
            aggregate,
            order,
        });
    }

    fn tick(&mut self, ticker: usize) {
        self.tickers[ticker] = match self.tickers[ticker].clone() {
            Ticker::Idle => Ticker::HasSnapshot {
                base: self.ticks.len(),
                snapshot: self.snapshot(),
            },
            Ticker::HasSnapshot { base, snapshot } => Ticker::HasSequence {
                base,
                tick: Tick {
                    snapshot,
                    last_id: self.last_id,
                },
            },
            Ticker::HasSequence { base, tick } => {
                let xid = self.assign_xid();
                let is_first = self.ticks.len() == base;
                if is_first {
                    self.ticks.push(tick);
                }
                self.end(xid, is_first);
                Ticker::Idle
            }
        };
    }

    /// All transactions end, locks are released, and a last tick shows everything.
    fn settle(&mut self) {
        for writer in 0..WRITERS {
            self.apply(Step::End(writer, true));
            self.apply(Step::Release(writer));
        }
        for ticker in 0..TICKERS {
            while !matches!(self.tickers[ticker], Ticker::Idle) {
                self.tick(ticker);
            }
        }
        (0..3).for_each(|_| self.tick(0));
    }

    fn visible_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| self.committed.contains(&row.xid))
    }

    /// What belongs between tick `current` and the one before it.
    fn batch(&self, current: usize) -> Vec<&Row> {
        let (previous, current) = (&self.ticks[current - 1].snapshot, &self.ticks[current].snapshot);
        self.visible_rows()
            .filter(|row| batch_contains(previous, current, row.xid))
            .collect()
    }

    /// The same as `outbox_batch.sql` finds it, in chunks: a range of ids, and the rows below it of transactions that ran.
    fn read_in_chunks(&self, current: usize, limit: usize) -> Vec<&Row> {
        let low = current.checked_sub(2).map_or(0, |before| self.ticks[before].last_id);
        let (previous, current) = (&self.ticks[current - 1], &self.ticks[current]);
        let mut read: Vec<&Row> = vec![];
        loop {
            let after = read.last().map_or(0, |row| row.id);
            let in_range = |row: &&Row| {
                row.id > low.max(after)
                    && row.id <= current.last_id
                    && current.snapshot.shows(row.xid)
                    && !previous.snapshot.shows(row.xid)
            };
            let was_running = |row: &&Row| {
                let in_xip = !previous.snapshot.shows(row.xid) && row.xid < xmax(&previous.snapshot);
                in_xip && current.snapshot.shows(row.xid) && row.id > after && row.id <= low
            };
            let mut chunk: Vec<&Row> = self
                .visible_rows()
                .filter(|row| in_range(row) || was_running(row))
                .collect();
            chunk.sort_by_key(|row| row.id);
            chunk.truncate(limit);
            let is_last = chunk.len() < limit;
            read.extend(chunk);
            if is_last {
                return read;
            }
        }
    }
}

fn xmax(snapshot: &Snapshot) -> u64 {
    snapshot.to_string().split(':').nth(1).unwrap().parse().unwrap()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let writer = 0..WRITERS;
    let step = prop_oneof![
        1 => writer.clone().prop_map(Step::Begin),
        4 => (writer.clone(), 0..AGGREGATES).prop_map(|(writer, aggregate)| Step::Write(writer, aggregate)),
        2 => (writer.clone(), proptest::bool::weighted(0.8)).prop_map(|(writer, commits)| Step::End(writer, commits)),
        3 => writer.prop_map(Step::Release),
        4 => (0..TICKERS).prop_map(Step::Tick),
    ];
    proptest::collection::vec(step, 1..160)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_committed_row_is_in_exactly_one_batch_and_in_lock_order(steps in steps(), limit in 1_usize..5) {
        let mut database = Database::new();
        for step in steps {
            database.apply(step);
        }
        database.settle();

        let mut read = vec![];
        for current in 1..database.ticks.len() {
            let in_chunks = database.read_in_chunks(current, limit);
            let mut defined: Vec<usize> = database.batch(current).iter().map(|row| row.order).collect();
            read.extend(in_chunks.iter().map(|row| (*row).clone()));
            let mut found: Vec<usize> = in_chunks.iter().map(|row| row.order).collect();
            found.sort_unstable();
            defined.sort_unstable();
            prop_assert_eq!(found, defined, "tick {}", current);
        }

        let mut once: Vec<usize> = read.iter().map(|row| row.order).collect();
        once.sort_unstable();
        let committed: Vec<usize> = database.visible_rows().map(|row| row.order).collect();
        prop_assert_eq!(once, committed);
        for aggregate in 0..AGGREGATES {
            let of_aggregate = read.iter().filter(|row| row.aggregate == aggregate);
            prop_assert!(of_aggregate.map(|row| row.order).is_sorted(), "aggregate {}", aggregate);
        }
    }
}
