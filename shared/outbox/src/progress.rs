//! What is published, as the database knows it.

use credo_ids::Shard;
use credo_postgres::{Failure, classify};
use sqlx::PgPool;

use crate::{Advance, Head, Numbering, OutboxError, Place, RunningHash};

/// Where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The database's life.
    pub epoch: i64,
    /// Everything before it is published.
    pub place: Place,
    /// Where the shards stand there.
    pub numbering: Numbering,
}

/// What came of recording a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fence {
    /// It is recorded.
    Passed,
    /// Somebody else recorded a step from the same place; this one changed nothing. Read [`resume`] again.
    Held,
}

/// Reads where publishing stands.
///
/// # Errors
/// When the database refuses, does not answer, or holds no start of the epoch.
pub async fn resume(pool: &PgPool) -> Result<Resume, OutboxError> {
    let rows = sqlx::query_file!("sql/progress_resume.sql").fetch_all(pool).await?;
    let first = rows
        .first()
        .ok_or_else(|| OutboxError::inconsistent(&"the epoch has no start in progress"))?;
    let (epoch, place) = (
        first.epoch,
        Place {
            tick: first.tick,
            last_id: first.last_id,
        },
    );
    let mut numbering = Numbering::default();
    for row in rows {
        let (Some(shard), Some(next_seq), Some(hash)) = (row.shard, row.next_seq, row.running_hash) else {
            continue;
        };
        let shard = Shard::try_from(shard).map_err(|error| OutboxError::inconsistent(&error))?;
        let running_hash = RunningHash::try_from(hash.as_slice()).map_err(|error| OutboxError::inconsistent(&error))?;
        numbering.restore(shard, Head { next_seq, running_hash });
    }
    Ok(Resume {
        epoch,
        place,
        numbering,
    })
}

/// Records a step, whole or not at all.
///
/// # Errors
/// When the database refuses or does not answer. Whether the step is recorded is then unknown: read [`resume`] again.
pub async fn record_advance(pool: &PgPool, epoch: i64, advance: &Advance) -> Result<Fence, OutboxError> {
    let (mut shards, mut first_seqs, mut next_seqs, mut hashes) = (vec![], vec![], vec![], vec![]);
    for step in &advance.shards {
        shards.push(step.shard);
        first_seqs.push(step.first_seq);
        next_seqs.push(step.next_seq);
        hashes.push(step.running_hash.as_bytes().to_vec());
    }
    let result = sqlx::query_file!(
        "sql/progress_insert.sql",
        epoch,
        advance.place.tick,
        advance.place.last_id,
        &shards,
        &first_seqs,
        &next_seqs,
        &hashes,
    )
    .execute(pool)
    .await;
    match result {
        Ok(_) => Ok(Fence::Passed),
        Err(error) if matches!(classify(&error), Failure::UniqueViolation(_)) => Ok(Fence::Held),
        Err(error) => Err(error.into()),
    }
}
