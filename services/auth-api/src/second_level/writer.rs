//! Writes what was read into Redis, behind whoever read it: nobody waits for it, and what cannot be written is not.

use std::{sync::Arc, time::Duration};

use credo_auth_store::Redis;
use credo_lifecycle::Shutdown;
use tokio::sync::mpsc;

use crate::cache_metrics::CacheMetrics;

/// A value on its way.
#[derive(Debug)]
pub(super) struct Write {
    pub key: String,
    pub value: String,
    pub ttl: Duration,
}

/// What became of a value.
#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    /// It stands there.
    Written,
    /// A later one stands there.
    Outdated,
    /// Redis did not take it.
    Failed,
    /// Too many waited.
    Dropped,
}

/// Writes what waits.
#[derive(Debug)]
pub struct Writer {
    redis: Arc<Redis>,
    writes: mpsc::Receiver<Write>,
    metrics: CacheMetrics,
}

impl Writer {
    pub(super) const fn new(redis: Arc<Redis>, writes: mpsc::Receiver<Write>, metrics: CacheMetrics) -> Self {
        Self { redis, writes, metrics }
    }

    /// Writes until the last request is answered.
    pub async fn run(mut self, shutdown: Shutdown) {
        let companion = shutdown.companion();
        loop {
            let write = tokio::select! {
                write = self.writes.recv() => write,
                () = companion.drained() => return,
            };
            let Some(write) = write else { return };
            let outcome = match self.redis.put(&write.key, &write.value, write.ttl).await {
                Ok(true) => Outcome::Written,
                Ok(false) => Outcome::Outdated,
                Err(_) => Outcome::Failed,
            };
            self.metrics.wrote(outcome);
        }
    }
}
