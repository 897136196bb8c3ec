//! Forgets the ids of calls that are too old to be repeated.
//!
//! Nothing rests on it: an old id is as good as a new one whether its row is still there or not.

use std::{sync::Arc, time::Duration};

use credo_auth_store::Store;
use credo_lifecycle::Shutdown;

/// How often.
const INTERVAL: Duration = Duration::from_mins(1);
/// Rows of one statement.
const CHUNK: i64 = 1_000;
/// Statements in a row.
const MAX_CHUNKS: u32 = 60;

/// Forgets until shutdown.
pub async fn run(store: Arc<Store>, shutdown: Shutdown) {
    while !shutdown.is_requested() {
        purge(&store).await;
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = shutdown.requested() => {}
        }
    }
}

async fn purge(store: &Store) {
    for _ in 0..MAX_CHUNKS {
        match store.purge_admin_requests(CHUNK).await {
            Ok(removed) if removed >= CHUNK.unsigned_abs() => {}
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(%error, "old ids of admin calls are removed later");
                return;
            }
        }
    }
}
