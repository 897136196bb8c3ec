//! Ticks: stored snapshots of the database, between which batches lie.
//!
//! Anybody may tick: the primary key lets one through. Invariant: each tick's snapshot was taken after the one before it
//! was committed, because the statement read that one.

use sqlx::PgPool;

use crate::{OutboxError, Snapshot};

/// The batch between two neighbouring ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The tick that ends it.
    pub tick: i64,
    pub(crate) previous: Snapshot,
    pub(crate) current: Snapshot,
    pub(crate) low: i64,
    pub(crate) high: i64,
}

/// Ticks if there is a reason to: a row committed since the newest tick, or 30 s without one.
/// Returns whether it did. Whether somebody else did meanwhile, [`window_after`] tells.
///
/// # Errors
/// When the database refuses or does not answer; whether there is a new tick is then unknown, and harmless.
pub async fn take_tick(pool: &PgPool) -> Result<bool, OutboxError> {
    let tick = sqlx::query_file_scalar!("sql/tick.sql").fetch_optional(pool).await?;
    Ok(tick.is_some())
}

/// The batch that begins where the tick `previous` ends, if there is a tick after it.
///
/// # Errors
/// When the database refuses, does not answer or holds no such snapshots.
pub async fn window_after(pool: &PgPool, previous: i64) -> Result<Option<Window>, OutboxError> {
    let Some(row) = sqlx::query_file!("sql/tick_window.sql", previous)
        .fetch_optional(pool)
        .await?
    else {
        return Ok(None);
    };
    Ok(Some(Window {
        tick: row.tick,
        previous: row
            .previous
            .parse()
            .map_err(|error| OutboxError::inconsistent(&error))?,
        current: row.current.parse().map_err(|error| OutboxError::inconsistent(&error))?,
        low: row.low,
        high: row.high,
    }))
}
