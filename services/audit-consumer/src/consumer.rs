//! The work: own partitions, find their positions, take in batches; after any error find the positions again.

use std::{collections::BTreeMap, time::Duration};

use credo_ids::Shard;
use credo_kafka::{KafkaSettings, Record, Topic};
use credo_lifecycle::{Component, Shutdown};
use credo_postgres::{RoleError, assert_serving_role};
use futures::future::join_all;
use rdkafka::error::KafkaError;
use sqlx::PgPool;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::{
    decode::Incoming,
    fence::LaneHead,
    partition::{Batch, Next, Partition, Store},
    progress::Progress,
    sink::SinkError,
    source::{Happening, Source},
};

const SHORTEST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// How often the store is asked whether a lane that stopped was moved on by somebody else; it shows too that it is there.
const RECHECK_INTERVAL: Duration = Duration::from_secs(5);
/// The client reports a broker that is away many times a second.
const TROUBLE_PAUSE: Duration = Duration::from_millis(250);

/// Takes in the topic.
pub(crate) struct Consumer {
    pub(crate) store: Store,
    pub(crate) progress: Progress,
    pub(crate) kafka: KafkaSettings,
    pub(crate) topic: Topic,
    /// Each must be of a role that cannot change the schema.
    pub(crate) pools: [PgPool; 2],
    pub(crate) kafka_health: Component,
    pub(crate) postgres_health: Component,
    pub(crate) trail_health: Component,
    pub(crate) shutdown: Shutdown,
}

/// Why the process must not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error(transparent)]
    Role(#[from] RoleError),
    #[error("Kafka client: {0}")]
    Client(#[from] KafkaError),
}

/// What this process owns of the topic, and how far it is stored as far as is known.
struct Ownership {
    owned: Vec<i32>,
    /// Empty while the positions are not known.
    partitions: BTreeMap<i32, Partition>,
    /// When to find the positions.
    locate_at: Instant,
    backoff: Duration,
}

impl Consumer {
    /// Works until shutdown is requested.
    ///
    /// # Errors
    /// When a database role is not what it must be, or the Kafka client refuses its settings.
    pub(crate) async fn run(self) -> Result<(), Unfit> {
        self.trail_health.up();
        if !self.become_fit().await? {
            return Ok(());
        }
        let mut source = Source::subscribe(&self.kafka)?;
        let mut ownership = Ownership::none();
        let mut recheck = interval(RECHECK_INTERVAL);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.shutdown.is_requested() {
            tokio::select! {
                biased;
                () = self.shutdown.requested() => {}
                () = sleep_until(ownership.locate_at), if ownership.must_locate() => self.locate(&source, &mut ownership).await,
                _ = recheck.tick() => self.recheck(&source, &mut ownership).await,
                happening = source.next() => self.follow(&mut source, &mut ownership, happening).await,
            }
        }
        source.close().await;
        Ok(())
    }

    /// Checks the roles and waits for the topic, again while they do not answer. `false`: asked to stop before.
    async fn become_fit(&self) -> Result<bool, Unfit> {
        while !self.shutdown.is_requested() {
            let mut is_fit = true;
            for pool in &self.pools {
                match assert_serving_role(pool).await {
                    Ok(()) => self.postgres_health.up(),
                    Err(RoleError::Query(error)) => {
                        self.postgres_health.degraded(error.to_string());
                        is_fit = false;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            if let Err(error) = self.topic.partitions().await {
                self.kafka_health.degraded(error.to_string());
                is_fit = false;
            }
            if is_fit {
                self.kafka_health.up();
                return Ok(true);
            }
            let _ = timeout(SHORTEST_BACKOFF * 3, self.shutdown.requested()).await;
        }
        Ok(false)
    }

    async fn follow(&self, source: &mut Source, ownership: &mut Ownership, happening: Happening) {
        match happening {
            Happening::Owned(owned) => {
                tracing::info!(partitions = ?owned, "partitions owned");
                *ownership = Ownership::of(owned);
                self.progress.stands(&ownership.partitions);
            }
            Happening::Record(first) => {
                if let Some(records) = source.collect(first).await {
                    self.take_in(source, ownership, records).await;
                }
            }
            Happening::Trouble(error) => {
                self.kafka_health.degraded(error.to_string());
                self.progress.failed(error.to_string());
                let _ = timeout(TROUBLE_PAUSE, self.shutdown.requested()).await;
            }
        }
    }

    /// Finds where the owned partitions stand, and reads from there.
    async fn locate(&self, source: &Source, ownership: &mut Ownership) {
        match self.store.sink.positions(&ownership.owned).await {
            Ok(positions) => {
                self.postgres_health.up();
                let offsets = positions.iter().map(|(number, lanes)| (*number, lanes.position()));
                if let Err(error) = source.read_from(offsets) {
                    tracing::warn!(%error, "partitions could not be assigned");
                    ownership.locate_later();
                    return;
                }
                let partitions = positions
                    .into_iter()
                    .map(|(number, lanes)| (number, Partition::new(number, lanes)));
                ownership.partitions = partitions.collect();
                self.progress.recovered();
                self.progress.stands(&ownership.partitions);
            }
            Err(error) => {
                self.database_is_away(&error);
                ownership.locate_later();
            }
        }
    }

    /// Stores a batch, each partition's records in a transaction of their own.
    async fn take_in(&self, source: &Source, ownership: &mut Ownership, records: Vec<Record>) {
        let mut batches = by_partition(records);
        let stored_before = self.store.metrics.stored.get();
        let work = ownership.partitions.iter_mut().filter_map(|(number, partition)| {
            let batch = batches.remove(number)?;
            Some(async { (*number, partition.take_in(&self.store, batch).await) })
        });
        let results = join_all(work).await;
        let (mut must_reread, mut has_failed) = (false, false);
        for (number, result) in results {
            match result {
                Ok(next) => {
                    must_reread |= next == Next::Reread;
                    let position = ownership
                        .partitions
                        .get(&number)
                        .map(|partition| partition.lanes().position());
                    source.note_stored(number, position.unwrap_or_default());
                }
                Err(error) => {
                    self.count_failure(number, &error);
                    has_failed = true;
                }
            }
        }
        if has_failed {
            ownership.locate_later();
            return source.hold();
        }
        ownership.backoff = SHORTEST_BACKOFF;
        self.progress.stored(self.store.metrics.stored.get() - stored_before);
        self.progress.stands(&ownership.partitions);
        self.postgres_health.up();
        self.report_stopped(&ownership.partitions);
        if must_reread {
            ownership.locate_now();
            source.hold();
        }
    }

    /// A lane that stopped here may have gone on elsewhere.
    async fn recheck(&self, source: &Source, ownership: &mut Ownership) {
        match self.store.sink.heads().await {
            Ok(heads) => {
                self.postgres_health.up();
                if ownership
                    .partitions
                    .values()
                    .any(|partition| is_behind(partition, &heads))
                {
                    ownership.locate_now();
                    source.hold();
                }
            }
            Err(error) => self.database_is_away(&error),
        }
    }

    fn report_stopped(&self, partitions: &BTreeMap<i32, Partition>) {
        let metrics = &self.store.metrics;
        let stopped = partitions.values().flat_map(|partition| partition.lanes().stopped());
        let mut wanted = [0_i64; Shard::COUNT as usize];
        let mut lag = 0;
        for (shard, lane) in stopped {
            let next_seq = lane.head.head.next_seq;
            wanted[usize::from(shard.get())] = next_seq;
            lag += lane.stop.map_or(0, |stop| (stop.highest_seq - next_seq + 1).max(0));
        }
        metrics.lag.set(lag);
        for (shard, next_seq) in wanted.iter().enumerate() {
            metrics.wanted.with_label_values(&[shard.to_string()]).set(*next_seq);
        }
        match wanted.iter().filter(|next_seq| **next_seq > 0).count() {
            0 => self.trail_health.up(),
            stopped => self
                .trail_health
                .degraded(format!("{stopped} shards have stopped; see credo_audit_wanted_seq")),
        }
    }

    fn count_failure(&self, partition: i32, error: &SinkError) {
        if let SinkError::Fenced(constraint) = error {
            self.store.metrics.fenced.inc();
            tracing::info!(partition, constraint, "another consumer was faster");
            return;
        }
        self.store.metrics.store_failures.inc();
        self.database_is_away(error);
    }

    fn database_is_away(&self, error: &SinkError) {
        tracing::debug!(%error, "audit database");
        self.progress.failed(error.to_string());
        self.postgres_health.degraded(error.to_string());
    }
}

impl Ownership {
    fn none() -> Self {
        Self::of(vec![])
    }

    fn of(owned: Vec<i32>) -> Self {
        Self {
            owned,
            partitions: BTreeMap::new(),
            locate_at: Instant::now(),
            backoff: SHORTEST_BACKOFF,
        }
    }

    fn must_locate(&self) -> bool {
        !self.owned.is_empty() && self.partitions.is_empty()
    }

    fn locate_now(&mut self) {
        self.partitions.clear();
        self.locate_at = Instant::now();
    }

    fn locate_later(&mut self) {
        self.partitions.clear();
        self.locate_at = Instant::now() + self.backoff;
        self.backoff = (self.backoff * 2).min(LONGEST_BACKOFF);
    }
}

fn is_behind(partition: &Partition, heads: &[(Shard, LaneHead)]) -> bool {
    let moved =
        |(shard, lane): (Shard, crate::lane::Lane)| heads.iter().any(|(of, head)| *of == shard && *head != lane.head);
    partition.lanes().stopped().any(moved)
}

fn by_partition(records: Vec<Record>) -> BTreeMap<i32, Batch> {
    let mut batches = BTreeMap::<i32, Batch>::new();
    for record in records {
        let batch = batches.entry(record.partition).or_insert_with(|| Batch {
            records: vec![],
            next_offset: 0,
        });
        batch.next_offset = record.offset + 1;
        batch.records.push(Incoming::of(record));
    }
    batches
}
