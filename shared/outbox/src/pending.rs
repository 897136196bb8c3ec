//! How many events wait for publication, at most, and since when.

use credo_ids::EventId;
use sqlx::PgPool;

use crate::OutboxError;

/// The state of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// An upper bound of the events not yet published: ids handed out above the last published one.
    pub events: i64,
    /// The newest tick.
    pub last_tick: i64,
}

/// Reads it in constant time, whatever the backlog. Needs SELECT on `tick`, `progress`, `incarnation` and the sequence, and not
/// on `outbox`: whoever writes events can read it too.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn pending(pool: &PgPool) -> Result<Pending, OutboxError> {
    let row = sqlx::query_file!("sql/outbox_pending.sql").fetch_one(pool).await?;
    Ok(Pending {
        events: row.pending,
        last_tick: row.last_tick,
    })
}

/// The oldest event not yet published, in constant time; its id tells when it was made. Needs SELECT on `outbox` besides.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn oldest_pending(pool: &PgPool) -> Result<Option<EventId>, OutboxError> {
    let row = sqlx::query_file!("sql/outbox_oldest.sql").fetch_optional(pool).await?;
    Ok(row.map(|row| EventId::from(row.event_id)))
}
