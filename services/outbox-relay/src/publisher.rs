//! Records into Kafka, in their order, and how many of them from the first on are acknowledged.
//!
//! Invariants: a record is queued only behind the ones before it; nothing is counted that Kafka has not acknowledged, nor
//! what lies behind something that it has not. A publisher that has failed is dropped: its queue may hold what others
//! have published since.

use std::{future::Future, time::Duration};

use credo_kafka::{KafkaSettings, RecordHeaders, client, encode_value, partition_of};
use credo_outbox::Prefix;
use rdkafka::{
    ClientContext,
    config::{FromClientConfigAndContext as _, RDKafkaLogLevel},
    error::{KafkaError, RDKafkaErrorCode},
    message::DeliveryResult,
    producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer},
};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

const CLIENT_ID: &str = "credo-outbox-relay";
/// The client may have failed as a whole without saying so for each record.
const FATAL_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A record ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) headers: RecordHeaders,
    pub(crate) value: Vec<u8>,
}

impl Outgoing {
    pub(crate) fn value_of(core: &[u8], personal: &[u8]) -> Vec<u8> {
        encode_value(core, personal)
    }
}

/// What came of publishing.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How many records from the first on are acknowledged.
    pub(crate) acknowledged: usize,
    /// Why not all.
    pub(crate) cut_short: Option<CutShort>,
}

/// Why publishing stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CutShort {
    #[error("Kafka: {0}")]
    Kafka(KafkaError),
    #[error("Kafka client: {0}")]
    Fatal(String),
    #[error("publishing was stopped")]
    Stopped,
}

/// A producer and the acknowledgements that come back from it.
pub(crate) struct Publisher {
    producer: Option<ThreadedProducer<Acknowledgements>>,
    acknowledgements: mpsc::UnboundedReceiver<Acknowledgement>,
    topic: String,
    partitions: i32,
}

struct Acknowledgement {
    index: usize,
    result: Result<(), KafkaError>,
}

/// The context of the producer. The channel is bounded by the producer's queue.
struct Acknowledgements(mpsc::UnboundedSender<Acknowledgement>);

impl ClientContext for Acknowledgements {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka producer");
    }
}

impl ProducerContext for Acknowledgements {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        let result = result.as_ref().map(drop).map_err(|(error, _)| error.clone());
        // Nobody listens any more after a failure.
        let _ = self.0.send(Acknowledgement { index, result });
    }
}

impl Publisher {
    /// Connects in the background.
    pub(crate) fn connect(settings: &KafkaSettings, partitions: i32) -> Result<Self, KafkaError> {
        let (sender, acknowledgements) = mpsc::unbounded_channel();
        let config = client::producer(settings, CLIENT_ID);
        let producer = ThreadedProducer::from_config_and_context(&config, Acknowledgements(sender))?;
        Ok(Self {
            producer: Some(producer),
            acknowledgements,
            topic: settings.topic.clone(),
            partitions,
        })
    }

    /// Sends `records` and waits until all are acknowledged, one is refused for good, or `stop` returns.
    pub(crate) async fn publish(&mut self, records: &[Outgoing], stop: impl Future<Output = ()>) -> Outcome {
        let mut prefix = Prefix::of(records.len());
        let result = self.drive(records, &mut prefix, stop).await;
        Outcome {
            acknowledged: prefix.length(),
            cut_short: result.err(),
        }
    }

    async fn drive(
        &mut self,
        records: &[Outgoing],
        prefix: &mut Prefix,
        stop: impl Future<Output = ()>,
    ) -> Result<(), CutShort> {
        let mut queued = 0;
        let mut fatal_check = interval(FATAL_CHECK_INTERVAL);
        fatal_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(stop);
        while !prefix.is_whole() {
            queued = self.queue(records, queued)?;
            tokio::select! {
                Some(acknowledgement) = self.acknowledgements.recv() => {
                    acknowledgement.result.map_err(CutShort::Kafka)?;
                    prefix.acknowledge(acknowledgement.index);
                }
                _ = fatal_check.tick() => self.check_fatal()?,
                () = &mut stop => return Err(CutShort::Stopped),
            }
        }
        Ok(())
    }

    /// Queues records from the `queued`th on until all are, or the queue is full. Returns how many are queued.
    fn queue(&self, records: &[Outgoing], mut queued: usize) -> Result<usize, CutShort> {
        let Some(producer) = &self.producer else {
            return Err(CutShort::Stopped);
        };
        while let Some(record) = records.get(queued) {
            let to_send = BaseRecord::with_opaque_to(&self.topic, queued)
                .partition(partition_of(record.headers.shard, self.partitions))
                .key(record.headers.aggregate.as_bytes().as_slice())
                .payload(record.value.as_slice())
                .headers(record.headers.to_kafka());
            match producer.send(to_send) {
                Ok(()) => queued += 1,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => break,
                Err((error, _)) => return Err(CutShort::Kafka(error)),
            }
        }
        Ok(queued)
    }

    fn check_fatal(&self) -> Result<(), CutShort> {
        let fatal = self
            .producer
            .as_ref()
            .and_then(|producer| producer.client().fatal_error());
        fatal.map_or(Ok(()), |(code, reason)| {
            Err(CutShort::Fatal(format!("{code}: {reason}")))
        })
    }

    /// Drops the producer and what it has queued. Takes up to half a second, on a thread where that hurts nobody.
    pub(crate) async fn close(mut self) {
        let producer = self.producer.take();
        let _ = tokio::task::spawn_blocking(move || drop(producer)).await;
    }
}
