//! The work: tick, read, number, publish, record; again.

use std::{future::Future, time::Duration};

use credo_kafka::{EventClass, KafkaSettings, RecordHeaders, Topic, TopicError, UnknownClass};
use credo_lifecycle::{Component, Shutdown};
use credo_outbox::{
    Fence, Numbering, OutboxError, OutboxRow, Place, Window,
    advance::{Published, advance},
    read_batch, record_advance, resume, take_tick, window_after,
};
use credo_postgres::{RoleError, assert_serving_role};
use rdkafka::error::KafkaError;
use sqlx::PgPool;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::{
    metrics::Metrics,
    pause,
    publisher::{CutShort, Outgoing, Publisher},
    status::Status,
    trace,
};

/// Rows read and published at a time. At most 60 MiB, if all are as large as they may be; usually half a megabyte.
const CHUNK: u16 = 1_000;
const SHORTEST_IDLE: Duration = Duration::from_millis(5);
const LONGEST_IDLE: Duration = Duration::from_millis(100);
const SHORTEST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);
/// What is in flight when the process is asked to stop may still be acknowledged for this long.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);

/// Publishes while this relay leads.
pub(crate) struct Relay {
    pub(crate) pool: PgPool,
    pub(crate) topic: Topic,
    pub(crate) kafka: KafkaSettings,
    pub(crate) kafka_health: Component,
    pub(crate) postgres_health: Component,
    pub(crate) status: Status,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
}

/// Why the process must not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error(transparent)]
    Role(RoleError),
    #[error(transparent)]
    Topic(TopicError),
}

/// Why publishing begins anew.
#[derive(Debug, thiserror::Error)]
enum Interruption {
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    #[error("Kafka client: {0}")]
    Client(KafkaError),
    #[error(transparent)]
    Topic(#[from] TopicError),
    #[error(transparent)]
    Publishing(#[from] CutShort),
    #[error("another relay has published the same events")]
    Fenced,
    #[error("row {0}: {1}")]
    Class(i64, UnknownClass),
}

/// Where publishing stands.
struct Position {
    epoch: i64,
    place: Place,
    numbering: Numbering,
}

enum Step {
    Published,
    NothingNew,
}

impl Relay {
    /// Works until shutdown is requested.
    ///
    /// # Errors
    /// When the database role or the topic is not what it must be.
    pub(crate) async fn run(&self, mut leads: watch::Receiver<bool>) -> Result<(), Unfit> {
        let mut backoff = SHORTEST_BACKOFF;
        if !self.become_fit().await? {
            return Ok(());
        }
        while self.wait_for_leadership(&mut leads).await {
            match self.lead(&leads).await {
                Ok(()) => backoff = SHORTEST_BACKOFF,
                Err(Interruption::Fenced) => self.metrics.fence_held.inc(),
                Err(Interruption::Publishing(CutShort::Stopped)) => {}
                Err(interruption) => {
                    self.metrics.restarts.inc();
                    self.status.failed(interruption.to_string());
                    tracing::warn!(reason = %interruption, "publishing begins anew from recorded progress");
                    self.pause(backoff).await;
                    backoff = (backoff * 2).min(LONGEST_BACKOFF);
                }
            }
        }
        Ok(())
    }

    /// Checks the role and the topic, again while the database or Kafka does not answer. `false`: asked to stop before.
    async fn become_fit(&self) -> Result<bool, Unfit> {
        let mut is_role_checked = false;
        while !self.shutdown.is_requested() {
            if !is_role_checked {
                match assert_serving_role(&self.pool).await {
                    Ok(()) => is_role_checked = true,
                    Err(RoleError::Query(error)) => self.postgres_health.degraded(error.to_string()),
                    Err(error) => return Err(Unfit::Role(error)),
                }
            }
            match self.topic.ensure().await {
                Ok(_) => {
                    self.kafka_health.up();
                    if is_role_checked {
                        return Ok(true);
                    }
                }
                Err(error @ TopicError::TooWeak { .. }) => return Err(Unfit::Topic(error)),
                Err(error) => self.kafka_health.degraded(error.to_string()),
            }
            self.pause(SHORTEST_BACKOFF * 5).await;
        }
        Ok(false)
    }

    /// `false`: asked to stop.
    async fn wait_for_leadership(&self, leads: &mut watch::Receiver<bool>) -> bool {
        tokio::select! {
            biased;
            () = self.shutdown.requested() => false,
            result = leads.wait_for(|leads| *leads) => result.is_ok(),
        }
    }

    async fn lead(&self, leads: &watch::Receiver<bool>) -> Result<(), Interruption> {
        let partitions = self.topic.partitions().await?;
        let mut publisher = Publisher::connect(&self.kafka, partitions).map_err(Interruption::Client)?;
        let result = self.publish_while_leading(&mut publisher, leads).await;
        publisher.close().await;
        result
    }

    async fn publish_while_leading(
        &self,
        publisher: &mut Publisher,
        leads: &watch::Receiver<bool>,
    ) -> Result<(), Interruption> {
        let start = resume(&self.pool).await?;
        tracing::info!(epoch = start.epoch, place = ?start.place, "publishing from recorded progress");
        let mut position = Position {
            epoch: start.epoch,
            place: start.place,
            numbering: start.numbering,
        };
        let mut idle = SHORTEST_IDLE;
        while *leads.borrow() && !self.shutdown.is_requested() {
            // Asked before each chunk: a pause is obeyed from the next one on. Without ticks the pause makes one batch, which is
            // read in chunks as after an outage.
            if pause::find(&self.pool).await.map_err(OutboxError::from)?.is_some() {
                self.status.recovered();
                self.pause(LONGEST_IDLE).await;
                continue;
            }
            match self.step(publisher, &mut position, leads).await? {
                Step::Published => idle = SHORTEST_IDLE,
                Step::NothingNew => {
                    self.status.recovered();
                    self.pause(idle).await;
                    idle = (idle * 2).min(LONGEST_IDLE);
                }
            }
        }
        Ok(())
    }

    /// Publishes one chunk, and records how far that went.
    async fn step(
        &self,
        publisher: &mut Publisher,
        position: &mut Position,
        leads: &watch::Receiver<bool>,
    ) -> Result<Step, Interruption> {
        let Some(window) = self.next_window(position.place).await? else {
            return Ok(Step::NothingNew);
        };
        let rows = read_batch(&self.pool, &window, position.place.after_id(), CHUNK).await?;
        let (marks, records) = number(position, &rows)?;
        let spans = trace::spans(&records, self.status.now());
        let outcome = publisher.publish(&records, self.must_stop(leads)).await;
        drop(spans);
        let prefix = &marks[..outcome.acknowledged];
        let is_whole = rows.len() < usize::from(CHUNK) && outcome.cut_short.is_none();
        if let Some(step) = advance(window.tick, prefix, is_whole) {
            match record_advance(&self.pool, position.epoch, &step).await? {
                Fence::Passed => position.place = step.place,
                Fence::Held => return Err(Interruption::Fenced),
            }
            self.account_for(&rows[..outcome.acknowledged]);
        }
        outcome
            .cut_short
            .map_or(Ok(Step::Published), |reason| Err(reason.into()))
    }

    async fn next_window(&self, place: Place) -> Result<Option<Window>, OutboxError> {
        let previous = place.previous_tick();
        if let Some(window) = window_after(&self.pool, previous).await? {
            return Ok(Some(window));
        }
        take_tick(&self.pool).await?;
        window_after(&self.pool, previous).await
    }

    /// Returns when acknowledgements are to be waited for no longer.
    fn must_stop(&self, leads: &watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
        let (shutdown, mut leads) = (self.shutdown.clone(), leads.clone());
        async move {
            let lost = async { drop(leads.wait_for(|leads| !*leads).await) };
            tokio::select! {
                () = lost => {}
                () = async { shutdown.requested().await; sleep(DRAIN_TIMEOUT).await } => {}
            }
        }
    }

    fn account_for(&self, rows: &[OutboxRow]) {
        self.status.published(rows.len());
        for row in rows {
            self.status.acknowledged(row.event_id.as_uuid());
        }
    }

    async fn pause(&self, duration: Duration) {
        let _ = timeout(duration, self.shutdown.requested()).await;
    }
}

/// Gives the rows their numbers, and makes the records. The same rows from the same position make the same bytes.
fn number(position: &mut Position, rows: &[OutboxRow]) -> Result<(Vec<Published>, Vec<Outgoing>), Interruption> {
    let (mut marks, mut records) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        let value = Outgoing::value_of(&row.core, &row.personal);
        let number = position.numbering.number(row.shard, &value);
        let headers = RecordHeaders {
            tenant: row.tenant,
            shard: row.shard,
            epoch: position.epoch,
            seq: number.seq,
            running_hash: number.running_hash,
            event_id: row.event_id,
            class: EventClass::try_from(row.class).map_err(|error| Interruption::Class(row.id, error))?,
            aggregate: row.aggregate,
            traceparent: trace::of(&row.core),
        };
        marks.push(Published {
            id: row.id,
            shard: row.shard,
            number,
        });
        records.push(Outgoing { headers, value });
    }
    Ok((marks, records))
}
