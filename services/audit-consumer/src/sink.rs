//! The audit database, as the consumer writes it: rows and position in one transaction, insert-only.

use credo_ids::{EventId, Shard};
use credo_kafka::InvalidHeaders;
use credo_outbox::{Head, RunningHash};
use credo_postgres::{Failure, classify};
use sqlx::{PgPool, PgTransaction};

use crate::{
    decode::{Placed, Stray},
    event_rows::EventRows,
    fence::{Facts, LaneHead, LeafHash},
    lane::{Lanes, Plan, Step},
};

/// What a connection that runs these statements sets: a plan that was made when the tables were empty stays right when they
/// are full.
pub const CONNECTION_SETTINGS: [(&str, &str); 5] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

/// The store of one topic.
#[derive(Debug, Clone)]
pub struct Sink {
    pool: PgPool,
    topic: String,
}

/// Why nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Somebody else has stored it, or this process does not know what it has stored. Read the positions again.
    #[error("another consumer was faster: {0}")]
    Fenced(String),
    /// The database does not answer, or cannot do it now. Whether a commit went through is unknown: read the positions again.
    #[error("the audit database does not answer: {0}")]
    Unavailable(sqlx::Error),
    /// The database refuses a value that it was given.
    #[error("the audit database refuses a row: {0}")]
    Refused(sqlx::Error),
    /// The database holds what it cannot hold.
    #[error("the audit database is inconsistent: {0}")]
    Inconsistent(String),
}

impl From<sqlx::Error> for SinkError {
    fn from(error: sqlx::Error) -> Self {
        match classify(&error) {
            Failure::UniqueViolation(constraint) => Self::Fenced(constraint),
            Failure::BadValue => Self::Refused(error),
            // Also a full disk or a missing grant: no fault of the rows, so none of them is put aside for it.
            _ => Self::Unavailable(error),
        }
    }
}

/// What of a batch goes into one transaction.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    /// The partition that it comes from.
    pub partition: i32,
    /// Its records that have a place.
    pub placed: &'a [&'a Placed],
    /// Which of them to store, and how far the lanes get.
    pub plan: &'a Plan,
    /// Its records that have none.
    pub strays: &'a [&'a Stray],
    /// Where the partition stood before.
    pub position_before: i64,
}

impl Sink {
    /// The store of `topic` behind `pool`.
    #[must_use]
    pub fn new(pool: PgPool, topic: String) -> Self {
        Self { pool, topic }
    }

    /// Where these partitions stand: the lanes, before the first record that may not be stored.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn positions(&self, partitions: &[i32]) -> Result<Vec<(i32, Lanes)>, SinkError> {
        // First the offsets, then the heads: what is stored in between is then seen again, as a duplicate. The other way
        // round it would be missed.
        let offsets = sqlx::query_file!("sql/kafka_position_find.sql", self.topic, partitions)
            .fetch_all(&self.pool)
            .await?;
        let heads = self.heads().await?;
        let lanes = offsets.into_iter().map(|row| {
            let next_offset = row.next_offset.unwrap_or_default();
            (row.kafka_partition, Lanes::new(heads.iter().copied(), next_offset))
        });
        Ok(lanes.collect())
    }

    /// How far each shard is stored.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn heads(&self) -> Result<Vec<(Shard, LaneHead)>, SinkError> {
        let rows = sqlx::query_file!("sql/position_heads.sql")
            .fetch_all(&self.pool)
            .await?;
        let heads = rows.into_iter().map(|row| {
            let shard = Shard::try_from(row.shard).map_err(|error| SinkError::Inconsistent(error.to_string()))?;
            let head = Head {
                next_seq: row.next_seq,
                running_hash: RunningHash::try_from(row.running_hash.as_slice())
                    .map_err(|error| SinkError::Inconsistent(error.to_string()))?,
            };
            Ok((shard, LaneHead { epoch: row.epoch, head }))
        });
        heads.collect()
    }

    /// What is stored under the numbers and the event ids of these records.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn facts(&self, records: &[&Placed]) -> Result<Facts, SinkError> {
        let headers = || records.iter().map(|record| &record.headers);
        let rows = sqlx::query_file!(
            "sql/stored_lookup.sql",
            &headers().map(|headers| headers.epoch).collect::<Vec<_>>(),
            &headers().map(|headers| headers.shard.as_i16()).collect::<Vec<_>>(),
            &headers().map(|headers| headers.seq).collect::<Vec<_>>(),
            &headers().map(|headers| headers.class.as_i16()).collect::<Vec<_>>(),
            &headers().map(|headers| headers.event_id.as_uuid()).collect::<Vec<_>>(),
        )
        .fetch_all(&self.pool)
        .await?;
        let mut facts = Facts::default();
        for row in rows {
            let index = usize::try_from(row.place - 1).unwrap_or(usize::MAX);
            let Some(claim) = records.get(index).map(|record| record.claim()) else {
                continue;
            };
            if let (Some(event_id), Some(hash)) = (row.number_event_id, row.number_hash) {
                facts
                    .at_number
                    .insert(claim.number, (EventId::from(event_id), leaf(&hash)?));
            }
            if let Some(hash) = row.event_hash {
                facts.by_event.insert((claim.class, claim.event_id), leaf(&hash)?);
            }
        }
        Ok(facts)
    }

    /// Stores the batch and how far it gets, or nothing.
    ///
    /// # Errors
    /// When somebody else was faster, or the database does not answer or refuses.
    pub async fn store(&self, write: Write<'_>) -> Result<(), SinkError> {
        let position = write.plan.after.position();
        let is_nothing_new = write.plan.steps.is_empty() && write.strays.is_empty();
        if is_nothing_new && position == write.position_before {
            return Ok(());
        }
        let mut transaction = self.pool.begin().await?;
        insert_steps(&mut transaction, &write.plan.steps).await?;
        insert_events(&mut transaction, write.placed, &write.plan.store).await?;
        for stray in write.strays {
            self.insert_stray(&mut transaction, stray).await?;
        }
        if position > write.position_before {
            sqlx::query_file!("sql/kafka_position_insert.sql", self.topic, write.partition, position)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Makes the month partitions that will be needed.
    ///
    /// # Errors
    /// When the database does not answer, or a lock was not to be had.
    pub async fn create_partitions(&self, months_ahead: i32) -> Result<i32, SinkError> {
        let row = sqlx::query_file!("sql/partitions_create.sql", months_ahead)
            .fetch_one(&self.pool)
            .await?;
        Ok(row.made)
    }

    async fn insert_stray(&self, transaction: &mut PgTransaction<'_>, stray: &Stray) -> Result<(), SinkError> {
        let (names, values): (Vec<String>, Vec<Vec<u8>>) = match &stray.record.raw_headers {
            // Text columns hold no NUL, and a header's name may.
            Ok(headers) => headers
                .iter()
                .map(|(name, value)| (name.replace('\0', "\u{fffd}"), value.clone()))
                .unzip(),
            Err(InvalidHeaders::Unreadable | _) => (vec![], vec![]),
        };
        sqlx::query_file!(
            "sql/stray_insert.sql",
            self.topic,
            stray.record.partition,
            stray.record.offset,
            stray.reason.to_string(),
            &names,
            &values,
            stray.record.key,
            stray.record.value,
        )
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}

async fn insert_steps(transaction: &mut PgTransaction<'_>, steps: &[Step]) -> Result<(), SinkError> {
    if steps.is_empty() {
        return Ok(());
    }
    sqlx::query_file!(
        "sql/position_insert.sql",
        &steps.iter().map(|step| step.after.epoch).collect::<Vec<_>>(),
        &steps.iter().map(|step| step.shard.as_i16()).collect::<Vec<_>>(),
        &steps.iter().map(|step| step.first_seq).collect::<Vec<_>>(),
        &steps.iter().map(|step| step.after.head.next_seq).collect::<Vec<_>>(),
        &steps
            .iter()
            .map(|step| step.after.head.running_hash.as_bytes().to_vec())
            .collect::<Vec<_>>(),
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn insert_events(
    transaction: &mut PgTransaction<'_>,
    placed: &[&Placed],
    store: &[usize],
) -> Result<(), SinkError> {
    if store.is_empty() {
        return Ok(());
    }
    let rows = EventRows::of(store.iter().filter_map(|index| placed.get(*index).copied()));
    sqlx::query_file!(
        "sql/events_insert.sql",
        &rows.tenant_ids,
        &rows.classes,
        &rows.event_ids,
        &rows.epochs,
        &rows.shards,
        &rows.seqs,
        &rows.hashes,
        &rows.cores,
        &rows.personals as _,
        &rows.types as _,
        &rows.severities as _,
        &rows.outcomes as _,
        &rows.occurred_ats as _,
        &rows.actor_ids as _,
        &rows.subject_ids as _,
        &rows.client_ids as _,
        &rows.session_ids as _,
        &rows.quarantines as _,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn leaf(bytes: &[u8]) -> Result<LeafHash, SinkError> {
    bytes
        .try_into()
        .map_err(|_| SinkError::Inconsistent("a leaf hash has not 32 bytes".to_owned()))
}
