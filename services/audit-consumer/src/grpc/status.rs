//! How the way into the store stands: this process's own view of Kafka, and the store's positions.

use credo_kafka::Topic;
use credo_proto::admin::v1::{GetConsumerStatusResponse, ShardStatus};

use super::event::timestamp;
use crate::{
    lane::StopReason,
    progress::{Progress, Report},
    sink::{Sink, SinkError},
};

/// Where the answers come from.
pub(crate) struct Standing {
    pub(crate) progress: Progress,
    pub(crate) topic: Topic,
    pub(crate) sink: Sink,
}

impl Standing {
    /// All of it. While Kafka does not answer, the lag is the one last known, and the answer says so.
    pub(super) async fn read(&self) -> Result<GetConsumerStatusResponse, SinkError> {
        let heads = self.sink.heads().await?;
        let mut report = self.progress.report();
        let partitions: Vec<i32> = report.positions.keys().copied().collect();
        match self.topic.end_offsets(partitions).await {
            Ok(ends) => {
                report.lag = lag(&report, &ends);
                self.progress.lags(report.lag);
            }
            Err(error) => {
                report.last_error.get_or_insert_with(|| error.to_string());
            }
        }
        let shards = heads.into_iter().map(|(shard, head)| ShardStatus {
            shard: shard.get().into(),
            epoch: head.epoch,
            next_seq: head.head.next_seq,
            stopped: report
                .stopped
                .get(&shard.get())
                .map_or("", |reason| name(*reason))
                .to_owned(),
        });
        Ok(GetConsumerStatusResponse {
            shards: shards.collect(),
            lag: report.lag,
            last_store_time: report.last_store_at.map(timestamp),
            last_error: report.last_error.unwrap_or_default(),
        })
    }
}

fn lag(report: &Report, ends: &[(i32, i64)]) -> i64 {
    let behind = ends.iter().map(|(partition, end)| {
        let position = report.positions.get(partition).copied().unwrap_or_default();
        (end - position).max(0)
    });
    behind.sum()
}

fn name(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Gap => "gap",
        StopReason::Broken => "broken_hash",
        StopReason::Fork => "fork",
    }
}
