//! The rows of a batch, in their order, in chunks.

use credo_ids::{EventId, Shard, TenantId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{OutboxError, Window, batch_contains};

/// An event as it lies in the outbox.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// Its place inside its tick.
    pub id: i64,
    /// Whose event it is.
    pub tenant: TenantId,
    /// The tenant's shard, as the writer computed it.
    pub shard: Shard,
    /// What keeps order.
    pub aggregate: Uuid,
    /// The event.
    pub event_id: EventId,
    /// Its class: 1 compliance, 2 security, 3 ops.
    pub class: i16,
    /// The part that is hashed and proved.
    pub core: Vec<u8>,
    /// The part that can be erased.
    pub personal: Vec<u8>,
}

/// The next rows of the batch: at most `limit`, by ascending id, above `after_id`. Fewer than `limit` means that the batch
/// ends with them.
///
/// # Errors
/// When the database refuses, does not answer, or returns a row that does not belong here.
pub async fn read_batch(
    pool: &PgPool,
    window: &Window,
    after_id: i64,
    limit: u16,
) -> Result<Vec<OutboxRow>, OutboxError> {
    let rows = sqlx::query_file!(
        "sql/outbox_batch.sql",
        window.previous.to_string(),
        window.current.to_string(),
        after_id,
        window.low,
        window.high,
        i64::from(limit),
    )
    .fetch_all(pool)
    .await?;
    let mut last_id = after_id;
    let mut batch = Vec::with_capacity(rows.len());
    for row in rows {
        let xid = row
            .xid
            .parse::<u64>()
            .map_err(|error| OutboxError::inconsistent(&error))?;
        if row.id <= last_id || !batch_contains(&window.previous, &window.current, xid) {
            let reason = format!(
                "row {} of transaction {xid} does not belong to tick {}",
                row.id, window.tick
            );
            return Err(OutboxError::Inconsistent(reason));
        }
        last_id = row.id;
        batch.push(OutboxRow {
            id: row.id,
            tenant: TenantId::from(row.tenant_id),
            shard: Shard::try_from(row.shard).map_err(|error| OutboxError::inconsistent(&error))?,
            aggregate: row.aggregate,
            event_id: EventId::from(row.event_id),
            class: row.class,
            core: row.core,
            personal: row.personal,
        });
    }
    Ok(batch)
}
