//! Client properties. Each that matters for what is promised says why.

use rdkafka::{ClientConfig, ClientContext, config::RDKafkaLogLevel, error::KafkaError};

use crate::{KafkaSettings, topic::MAX_MESSAGE_BYTES};

/// Writes a line of the client library to the log. A service says once that Kafka is away; the library says it at each try,
/// so what is not critical is for who looks closely.
pub fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(facility, message, "librdkafka");
        }
        _ => tracing::debug!(facility, message, "librdkafka"),
    }
}

/// The context of a client whose errors come back from its calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka");
    }
}

/// The properties of the relay's producer.
#[must_use]
pub fn producer(settings: &KafkaSettings, client_id: &str) -> ClientConfig {
    let mut config = common(settings, client_id);
    config
        // Retries inside the client neither double nor reorder; this implies acks=all and at most five requests in flight.
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("max.in.flight.requests.per.connection", "5")
        // A record that cannot be sent must stop the ones behind it, not make room for them.
        .set("enable.gapless.guarantee", "true")
        // With a limit, the client drops what is too old and goes on with what is younger.
        .set("message.timeout.ms", "0")
        .set("message.max.bytes", MAX_MESSAGE_BYTES.to_string())
        // The topic's limit is one of batches. The client's own default would build larger ones, which are refused for good.
        .set("batch.size", (MAX_MESSAGE_BYTES * 3 / 4).to_string())
        // Records come in chunks already: wait only long enough for a chunk to be queued whole.
        .set("linger.ms", "2")
        .set("queue.buffering.max.messages", "20000")
        .set("queue.buffering.max.kbytes", "65536")
        // In the client library as it is built here; zstd is not.
        .set("compression.type", "lz4");
    config
}

/// The properties of a member of the consumer group `group`.
#[must_use]
pub fn consumer(settings: &KafkaSettings, client_id: &str, group: &str) -> ClientConfig {
    let mut config = common(settings, client_id);
    config
        .set("group.id", group)
        // Positions live in the audit database; what is committed here, of what was noted as stored, is for dashboards.
        .set("enable.auto.commit", "true")
        .set("enable.auto.offset.store", "false")
        // A position that the topic no longer has: read what is there. Numbers tell what is missing.
        .set("auto.offset.reset", "earliest")
        .set("partition.assignment.strategy", "range")
        // A killed member's partitions move after this.
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "2000")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.message.max.bytes", "1048576")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.queue.backoff.ms", "50")
        .set("fetch.error.backoff.ms", "100");
    config
}

/// The properties of a client that only administers.
#[must_use]
pub fn admin(settings: &KafkaSettings, client_id: &str) -> ClientConfig {
    common(settings, client_id)
}

fn common(settings: &KafkaSettings, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &settings.brokers)
        .set("client.id", client_id)
        .set("allow.auto.create.topics", "false")
        .set("topic.metadata.refresh.interval.ms", "30000")
        .set("reconnect.backoff.ms", "100")
        .set("reconnect.backoff.max.ms", "2000")
        .set("socket.keepalive.enable", "true")
        .set("log.connection.close", "false");
    config
}
