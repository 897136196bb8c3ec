//! The section `kafka` of a service's settings.

use serde::Deserialize;

/// How a service finds and treats Kafka.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSettings {
    /// Brokers to ask first: `host:port,…`.
    pub brokers: String,
    /// The topic.
    #[serde(default = "default_topic")]
    pub topic: String,
    /// How much the cluster must promise.
    #[serde(default)]
    pub mode: Mode,
}

/// How much the cluster must promise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One broker will do; the relay makes the topic.
    Development,
    /// Three replicas of which two must acknowledge, or the relay refuses to run. Somebody else makes the topic.
    #[default]
    Production,
}

impl KafkaSettings {
    /// The keys of the section, for the service's list of known settings.
    pub const KEYS: [&'static str; 3] = ["kafka.brokers", "kafka.topic", "kafka.mode"];
}

fn default_topic() -> String {
    "credo.audit.events".to_owned()
}
