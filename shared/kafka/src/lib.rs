//! The Kafka topic between the outbox and the audit store: its shape, its records, and how clients are set up for it.
//!
//! Owns what relay and consumer must agree on: names, headers, the value's layout, the partition of a shard, and the client
//! properties on which "nothing lost, doubled or reordered" rests. Refuses to know what an event says.

mod class;
pub mod client;
mod headers;
mod record;
mod settings;
pub mod topic;
mod value;

pub use self::{
    class::{EventClass, UnknownClass},
    headers::{InvalidHeaders, RecordHeaders},
    record::Record,
    settings::{KafkaSettings, Mode},
    topic::{Topic, TopicError},
    value::{InvalidValue, Parts, encode_value, split_value},
};

use credo_ids::Shard;

/// The partition that a shard travels in, of `partitions` that the topic has. Always set explicitly: a partition chosen by a
/// hash of the key would spread a shard.
#[must_use]
pub fn partition_of(shard: Shard, partitions: i32) -> i32 {
    i32::from(shard.get()).rem_euclid(partitions.max(1))
}
