//! Whether Kafka answers, asked for its own sake: without records to read nobody would notice.

use std::time::Duration;

use credo_kafka::Topic;
use credo_lifecycle::{Component, Shutdown};
use tokio::time::timeout;

const INTERVAL: Duration = Duration::from_secs(3);

/// Asks until shutdown is requested.
pub(crate) async fn run(topic: Topic, kafka: Component, shutdown: Shutdown) {
    while timeout(INTERVAL, shutdown.requested()).await.is_err() {
        tokio::select! {
            result = topic.partitions() => match result {
                Ok(_) => kafka.up(),
                Err(error) => kafka.degraded(error.to_string()),
            },
            () = shutdown.requested() => break,
        }
    }
}
