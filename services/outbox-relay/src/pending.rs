//! Keeps watch over what is not yet published and over the pause, on every relay, leader or not.

use std::time::Duration;

use credo_lifecycle::{Component, Shutdown};
use credo_outbox::{oldest_pending, pending};
use sqlx::PgPool;
use tokio::time::timeout;

use crate::{metrics::Metrics, pause, status::Status};

const INTERVAL: Duration = Duration::from_secs(1);

/// What is kept up to date.
pub(crate) struct Watch {
    pub(crate) pool: PgPool,
    pub(crate) metrics: Metrics,
    pub(crate) status: Status,
    /// Degraded while publishing is paused: the process is ready, and whoever looks sees it.
    pub(crate) publishing: Component,
    pub(crate) shutdown: Shutdown,
}

impl Watch {
    /// Reads until shutdown is requested. While the database does not answer, the last values stand.
    pub(crate) async fn run(self) {
        loop {
            if let Err(error) = self.look().await {
                tracing::debug!(%error, "pending events are unknown");
            }
            if timeout(INTERVAL, self.shutdown.requested()).await.is_ok() {
                break;
            }
        }
    }

    async fn look(&self) -> Result<(), credo_outbox::OutboxError> {
        let pause = pause::find(&self.pool).await?;
        self.metrics.paused.set(pause.is_some().into());
        match pause {
            Some(pause) => self.publishing.degraded(format!("paused since {}", pause.paused_at)),
            None => self.publishing.up(),
        }
        let pending = pending(&self.pool).await?;
        let oldest = oldest_pending(&self.pool).await?;
        let oldest = oldest.map_or(0, |event| self.status.age_of(event).as_secs());
        self.metrics.pending.set(pending.events);
        self.metrics
            .oldest_pending_seconds
            .set(i64::try_from(oldest).unwrap_or(i64::MAX));
        Ok(())
    }
}
