//! Sees to it that the month partitions are there before they are needed.

use std::time::Duration;

use credo_lifecycle::Shutdown;
use tokio::time::timeout;

use crate::sink::Sink;

const MONTHS_AHEAD: i32 = 3;
const INTERVAL: Duration = Duration::from_hours(24);
const RETRY_INTERVAL: Duration = Duration::from_mins(1);

/// Asks for them daily until shutdown is requested. A month without one lies in the default partition: slower, not lost.
pub(crate) async fn run(sink: Sink, shutdown: Shutdown) {
    loop {
        let wait = match sink.create_partitions(MONTHS_AHEAD).await {
            Ok(made) => {
                tracing::info!(made, "month partitions");
                INTERVAL
            }
            Err(error) => {
                tracing::warn!(%error, "month partitions could not be made; trying again");
                RETRY_INTERVAL
            }
        };
        if timeout(wait, shutdown.requested()).await.is_ok() {
            break;
        }
    }
}
