//! The topic, as a member of the consumer group.
//!
//! Partitions are given by the group, positions by the audit database: a rebalance is answered at once with an empty
//! assignment, and the owner of this source assigns again, with offsets, when it has read them. What it has read before a
//! change is not its to store; the store's fence would refuse it anyway.

use std::time::Duration;

use credo_kafka::{KafkaSettings, Record, client};
use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    config::{FromClientConfigAndContext as _, RDKafkaLogLevel},
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, StreamConsumer},
    error::{KafkaError, KafkaResult},
    topic_partition_list::TopicPartitionListElem,
    types::RDKafkaRespErr,
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

const CLIENT_ID: &str = "credo-audit-consumer";
/// Records stored in one transaction at most, over all partitions.
const MAX_BATCH: usize = 1_000;
/// How long a batch waits for more.
const LINGER: Duration = Duration::from_millis(10);

/// A member of the group.
pub(crate) struct Source {
    consumer: StreamConsumer<Member>,
    changes: mpsc::UnboundedReceiver<Vec<i32>>,
    topic: String,
}

/// What happened.
pub(crate) enum Happening {
    /// These partitions are now this process's, and no others.
    Owned(Vec<i32>),
    /// A record came, the first of a batch.
    Record(Record),
    /// Kafka does not work as it should; the client goes on trying.
    Trouble(KafkaError),
}

/// The context of the consumer. Rebalances are rare: the channel needs no bound.
struct Member(mpsc::UnboundedSender<Vec<i32>>);

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka consumer");
    }
}

impl ConsumerContext for Member {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let (owned, answer) = if kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let numbers = partitions
                .elements()
                .iter()
                .map(TopicPartitionListElem::partition)
                .collect();
            (numbers, consumer.assign(&TopicPartitionList::new()))
        } else {
            (vec![], consumer.unassign())
        };
        if let Err(error) = answer {
            tracing::warn!(%error, "a rebalance could not be answered");
        }
        // Nobody listens any more while the consumer closes.
        let _ = self.0.send(owned);
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::debug!(%error, "offsets for dashboards were not committed");
        }
    }
}

impl Source {
    /// Joins the group, in the background. The topic must exist: the client looks rarely for one that does not.
    pub(crate) fn subscribe(settings: &KafkaSettings) -> KafkaResult<Self> {
        let (sender, changes) = mpsc::unbounded_channel();
        let config = client::consumer(settings, CLIENT_ID, &format!("{}.audit-consumer", settings.topic));
        let consumer = StreamConsumer::from_config_and_context(&config, Member(sender))?;
        consumer.subscribe(&[&settings.topic])?;
        Ok(Self {
            consumer,
            changes,
            topic: settings.topic.clone(),
        })
    }

    /// Waits for what happens next. May be dropped at any time: a record is then not lost.
    pub(crate) async fn next(&mut self) -> Happening {
        tokio::select! {
            biased;
            Some(owned) = self.changes.recv() => Happening::Owned(owned),
            message = self.consumer.recv() => match message {
                Ok(message) => Happening::Record(Record::from(&message)),
                Err(error) => Happening::Trouble(error),
            },
        }
    }

    /// Collects what comes soon behind `first`. Must not be dropped before it returns. `None` if ownership has changed
    /// meanwhile: whoever owns the records now reads them again.
    pub(crate) async fn collect(&mut self, first: Record) -> Option<Vec<Record>> {
        let deadline = Instant::now() + LINGER;
        let mut batch = vec![first];
        while batch.len() < MAX_BATCH {
            match timeout_at(deadline, self.consumer.recv()).await {
                Ok(Ok(message)) => batch.push(Record::from(&message)),
                Ok(Err(error)) => tracing::debug!(%error, "kafka"),
                Err(_) => break,
            }
        }
        self.changes.is_empty().then_some(batch)
    }

    /// Reads these partitions from these offsets on, and no others.
    pub(crate) fn read_from(&self, positions: impl IntoIterator<Item = (i32, i64)>) -> KafkaResult<()> {
        let mut assignment = TopicPartitionList::new();
        for (partition, offset) in positions {
            assignment.add_partition_offset(&self.topic, partition, Offset::Offset(offset))?;
        }
        self.consumer.assign(&assignment)
    }

    /// Reads nothing until [`Self::read_from`].
    pub(crate) fn hold(&self) {
        if let Err(error) = self.consumer.assign(&TopicPartitionList::new()) {
            tracing::warn!(%error, "the consumer could not be held");
        }
    }

    /// Notes for dashboards how far a partition is stored.
    pub(crate) fn note_stored(&self, partition: i32, position: i64) {
        // The last record, not the next one; and no error matters here: positions are read from the database.
        let _ = self.consumer.store_offset(&self.topic, partition, position - 1);
    }

    /// Leaves the group, on a thread where the wait hurts nobody.
    pub(crate) async fn close(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}
