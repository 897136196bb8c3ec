//! How many events wait for publication, at most.

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
    /// The oldest event not yet published; its id tells when it was made.
    pub oldest: Option<EventId>,
}

/// Reads it in constant time, whatever the backlog. Needs SELECT on `outbox`, `tick`, `progress`, `incarnation` and the sequence.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn pending(pool: &PgPool) -> Result<Pending, OutboxError> {
    let row = sqlx::query_file!("sql/outbox_pending.sql").fetch_one(pool).await?;
    Ok(Pending {
        events: row.pending,
        last_tick: row.last_tick,
        oldest: row.oldest_event_id.map(EventId::from),
    })
}
