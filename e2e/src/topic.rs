//! The records of the topic as any consumer sees them, and what must hold of them.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    message::{BorrowedMessage, Headers as _},
};
use uuid::Uuid;

use crate::{
    digest::{hex, sha256},
    stack::Stack,
};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A record.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    pub partition: i32,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub headers: HashMap<String, String>,
}

impl Record {
    fn of(message: &BorrowedMessage<'_>) -> Result<Self> {
        let mut headers = HashMap::new();
        for header in message.headers().context("a record has no headers")?.iter() {
            let value = std::str::from_utf8(header.value.context("a header is empty")?)?;
            headers.insert(header.key.to_owned(), value.to_owned());
        }
        Ok(Self {
            partition: message.partition(),
            key: message.key().unwrap_or_default().to_vec(),
            value: message.payload().unwrap_or_default().to_vec(),
            headers,
        })
    }

    fn header(&self, name: &str) -> Result<&str> {
        self.headers
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("a record has no header {name}"))
    }

    fn number(&self, name: &str) -> Result<i64> {
        Ok(self.header(name)?.parse()?)
    }

    /// The part of the value that is proved: it stands behind its length.
    fn core(&self) -> Result<&[u8]> {
        let (length, rest) = self
            .value
            .split_first_chunk::<4>()
            .context("a value without a length")?;
        rest.get(..u32::from_be_bytes(*length) as usize)
            .context("a value shorter than it says")
    }
}

/// Every record of the topic up to now: within a partition in order.
///
/// # Errors
/// If the broker gives no answer.
pub async fn read_all(stack: &'static Stack) -> Result<Vec<Record>> {
    tokio::task::spawn_blocking(|| read_blocking(stack)).await?
}

fn read_blocking(stack: &Stack) -> Result<Vec<Record>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &stack.kafka.brokers)
        .set("group.id", "credo-e2e")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "false")
        .create()?;
    let topic = stack.kafka.topic.as_str();
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let partitions = metadata.topics().first().context("there is no topic")?.partitions();
    let mut assignment = TopicPartitionList::new();
    let mut missing: i64 = 0;
    for partition in partitions {
        let (low, high) = consumer.fetch_watermarks(topic, partition.id(), TIMEOUT)?;
        missing += high - low;
        assignment.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;
    let mut records = Vec::new();
    while missing > 0 {
        let message = consumer.poll(TIMEOUT).context("the broker is silent")??;
        records.push(Record::of(&message)?);
        missing -= 1;
    }
    Ok(records)
}

/// Whether the records are what DESIGN section 8 says, and returns the ids of their events. A record may come twice, with
/// the same bytes under the same number; numbers of an epoch and shard are contiguous and chained by their hashes.
///
/// # Errors
/// The first record that is not.
pub fn check(records: &[Record], partitions: i64) -> Result<Vec<Uuid>> {
    let mut shards: BTreeMap<(i64, i64), Vec<&Record>> = BTreeMap::new();
    for record in records {
        check_record(record, partitions)?;
        let (epoch, shard, seq) = (record.number("epoch")?, record.number("shard")?, record.number("seq")?);
        let known = shards.entry((epoch, shard)).or_default();
        let position = usize::try_from(seq - 1).context("numbers begin at 1")?;
        if let Some(first) = known.get(position) {
            ensure!(*first == record, "two records of shard {shard} have the number {seq}");
        } else {
            ensure!(
                known.len() == position,
                "shard {shard} goes on with {seq} after {}",
                known.len()
            );
            known.push(record);
        }
    }
    let mut events = Vec::new();
    for ((_, shard), records) in shards {
        let mut running = [0; 32];
        for record in records {
            running = sha256(&[&running, &sha256(&[&record.value])]);
            ensure!(
                record.header("hash")? == hex(&running),
                "the chain of shard {shard} is broken"
            );
            events.push(record.header("event-id")?.parse()?);
        }
    }
    Ok(events)
}

fn check_record(record: &Record, partitions: i64) -> Result<()> {
    let aggregate: Uuid = record.header("aggregate")?.parse()?;
    let tenant: Uuid = record.header("tenant")?.parse()?;
    let hash = sha256(&[tenant.as_bytes()]);
    let shard = i64::from(u16::from_be_bytes([hash[0], hash[1]]) % 64);
    ensure!(
        record.number("shard")? == shard,
        "a record is in another shard than its tenant"
    );
    ensure!(
        i64::from(record.partition) == shard % partitions,
        "a record is in another partition than its shard"
    );
    ensure!(
        record.key == aggregate.as_bytes(),
        "a record has another key than its aggregate"
    );
    record.core().map(|_| ())
}

/// How many partitions the topic has.
///
/// # Errors
/// If the broker gives no answer.
pub async fn partitions(stack: &'static Stack) -> Result<i64> {
    let count = tokio::task::spawn_blocking(|| -> Result<usize> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &stack.kafka.brokers)
            .create()?;
        let metadata = consumer.fetch_metadata(Some(&stack.kafka.topic), TIMEOUT)?;
        Ok(metadata
            .topics()
            .first()
            .context("there is no topic")?
            .partitions()
            .len())
    });
    Ok(i64::try_from(count.await??)?)
}
