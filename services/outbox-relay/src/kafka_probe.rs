//! Whether Kafka answers, asked for its own sake: without events to publish nobody would notice.

use std::time::Duration;

use credo_kafka::Topic;
use credo_lifecycle::{Component, Shutdown};
use tokio::time::timeout;

use crate::status::Status;

const INTERVAL: Duration = Duration::from_secs(3);

/// Asks until shutdown is requested.
pub(crate) async fn run(topic: Topic, kafka: Component, status: Status, shutdown: Shutdown) {
    while timeout(INTERVAL, shutdown.requested()).await.is_err() {
        tokio::select! {
            result = topic.partitions() => match result {
                Ok(_) => kafka.up(),
                Err(error) => {
                    kafka.degraded(error.to_string());
                    status.failed(error.to_string());
                }
            },
            () = shutdown.requested() => break,
        }
    }
}
