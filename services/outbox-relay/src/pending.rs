//! Keeps the gauge of events not yet published, on every relay, leader or not.

use std::time::Duration;

use credo_lifecycle::Shutdown;
use credo_outbox::pending;
use sqlx::PgPool;
use tokio::time::timeout;

use crate::metrics::Metrics;

const INTERVAL: Duration = Duration::from_secs(1);

/// Reads until shutdown is requested. While the database does not answer, the last value stands.
pub(crate) async fn run(pool: PgPool, metrics: Metrics, shutdown: Shutdown) {
    loop {
        match pending(&pool).await {
            Ok(pending) => metrics.pending.set(pending.events),
            Err(error) => tracing::debug!(%error, "pending events are unknown"),
        }
        if timeout(INTERVAL, shutdown.requested()).await.is_ok() {
            break;
        }
    }
}
