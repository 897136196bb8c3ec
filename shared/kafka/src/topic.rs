//! The topic: made in development, checked in production.

use std::{sync::Arc, time::Duration};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::Client,
    config::FromClientConfigAndContext as _,
    error::{KafkaError, RDKafkaErrorCode},
    metadata::MetadataTopic,
};

use crate::{
    KafkaSettings, Mode,
    client::{self, Quiet},
};

/// Partitions of a topic that is made here.
pub const PARTITIONS: i32 = 12;
/// The largest record, headers and all. An event is at most 60 KiB.
pub const MAX_MESSAGE_BYTES: usize = 128 * 1024;
/// How long records stay. The store has them within a second; the outbox keeps them until it does.
const RETENTION: Duration = Duration::from_hours(7 * 24);
/// What production needs.
const MIN_REPLICAS: usize = 3;
const MIN_INSYNC_REPLICAS: usize = 2;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the topic is not ready.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The cluster did not answer. Try again.
    #[error("Kafka does not answer: {0}")]
    Unreachable(KafkaError),
    /// The topic does not exist, and it is not made here. Try again, or make it.
    #[error("topic {0} does not exist")]
    Missing(String),
    /// The topic promises less than it must. Somebody has to change it.
    #[error("topic {topic} {problem}; set kafka.mode = development if this is no production system")]
    TooWeak {
        /// Its name.
        topic: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// The topic, over a connection that stays open. Clones share it.
#[derive(Clone)]
pub struct Topic {
    client: Arc<AdminClient<Quiet>>,
    name: String,
    mode: Mode,
}

struct Shape {
    partitions: i32,
    least_replicas: usize,
}

impl Topic {
    /// Connects in the background: an unreachable cluster is no error here.
    ///
    /// # Errors
    /// When the client library refuses the settings.
    pub fn connect(settings: &KafkaSettings, client_id: &str) -> Result<Self, KafkaError> {
        let client = AdminClient::from_config_and_context(&client::admin(settings, client_id), Quiet)?;
        Ok(Self {
            client: Arc::new(client),
            name: settings.topic.clone(),
            mode: settings.mode,
        })
    }

    /// Makes the topic if it is missing (development) or checks what it promises (production). Returns its partition count.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses, or the topic is missing or too weak in production.
    pub async fn ensure(&self) -> Result<i32, TopicError> {
        let found = self.find().await?;
        match (found, self.mode) {
            (Some(shape), Mode::Development) => Ok(shape.partitions),
            (Some(shape), Mode::Production) => self.check(&shape).await.map(|()| shape.partitions),
            (None, Mode::Production) => Err(self.missing()),
            (None, Mode::Development) => {
                self.create().await?;
                self.partitions().await
            }
        }
    }

    /// The topic's partition count.
    ///
    /// # Errors
    /// When the cluster does not answer, or has no such topic (yet: making it takes a moment).
    pub async fn partitions(&self) -> Result<i32, TopicError> {
        let found = self.find().await?;
        found.map(|shape| shape.partitions).ok_or_else(|| self.missing())
    }

    /// The offsets after the last records of these partitions.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn end_offsets(&self, partitions: Vec<i32>) -> Result<Vec<(i32, i64)>, TopicError> {
        let (client, topic) = (Arc::clone(&self.client), self.name.clone());
        let offsets = tokio::task::spawn_blocking(move || {
            let inner: &Client<Quiet> = client.inner();
            let end = |partition| {
                let (_, end) = inner.fetch_watermarks(&topic, partition, REQUEST_TIMEOUT)?;
                Ok((partition, end))
            };
            partitions.into_iter().map(end).collect::<Result<Vec<_>, KafkaError>>()
        });
        offsets
            .await
            .map_err(|_| TopicError::Unreachable(KafkaError::Canceled))?
            .map_err(TopicError::Unreachable)
    }

    async fn find(&self) -> Result<Option<Shape>, TopicError> {
        let (client, topic) = (Arc::clone(&self.client), self.name.clone());
        let metadata = tokio::task::spawn_blocking(move || {
            let inner: &Client<Quiet> = client.inner();
            inner.fetch_metadata(Some(&topic), REQUEST_TIMEOUT)
        });
        let metadata = metadata
            .await
            .map_err(|_| TopicError::Unreachable(KafkaError::Canceled))?;
        let metadata = metadata.map_err(TopicError::Unreachable)?;
        let found = metadata.topics().iter().find(|found| found.name() == self.name);
        Ok(found.filter(|found| found.error().is_none()).and_then(Shape::of))
    }

    async fn create(&self) -> Result<(), TopicError> {
        let retention_ms = RETENTION.as_millis().to_string();
        let max_message_bytes = MAX_MESSAGE_BYTES.to_string();
        let topic = NewTopic::new(&self.name, PARTITIONS, TopicReplication::Fixed(1))
            .set("retention.ms", &retention_ms)
            .set("max.message.bytes", &max_message_bytes);
        let results = self
            .client
            .create_topics([&topic], &options())
            .await
            .map_err(TopicError::Unreachable)?;
        match results.into_iter().next() {
            None | Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(()),
            Some(Err((_, code))) => Err(TopicError::Unreachable(KafkaError::AdminOp(code))),
        }
    }

    async fn check(&self, shape: &Shape) -> Result<(), TopicError> {
        if shape.least_replicas < MIN_REPLICAS {
            return Err(self.too_weak(format!("has {} replicas, not {MIN_REPLICAS}", shape.least_replicas)));
        }
        let resource = ResourceSpecifier::Topic(&self.name);
        let results = self
            .client
            .describe_configs([&resource], &options())
            .await
            .map_err(TopicError::Unreachable)?;
        let config = match results.into_iter().next() {
            Some(Ok(config)) => config,
            Some(Err(code)) => return Err(TopicError::Unreachable(KafkaError::AdminOp(code))),
            None => return Err(self.missing()),
        };
        for (name, least) in [
            ("min.insync.replicas", MIN_INSYNC_REPLICAS),
            ("max.message.bytes", MAX_MESSAGE_BYTES),
        ] {
            let value = config
                .get(name)
                .and_then(|entry| entry.value.as_deref())
                .unwrap_or("nothing");
            if value.parse::<usize>().is_ok_and(|value| value >= least) {
                continue;
            }
            return Err(self.too_weak(format!("has {name} = {value}, not {least}")));
        }
        Ok(())
    }

    fn missing(&self) -> TopicError {
        TopicError::Missing(self.name.clone())
    }

    fn too_weak(&self, problem: String) -> TopicError {
        TopicError::TooWeak {
            topic: self.name.clone(),
            problem,
        }
    }
}

impl Shape {
    /// `None` while the cluster is still making it.
    fn of(topic: &MetadataTopic) -> Option<Self> {
        let partitions = i32::try_from(topic.partitions().len())
            .ok()
            .filter(|count| *count > 0)?;
        let least_replicas = topic
            .partitions()
            .iter()
            .map(|partition| partition.replicas().len())
            .min()?;
        Some(Self {
            partitions,
            least_replicas,
        })
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(REQUEST_TIMEOUT))
        .operation_timeout(Some(REQUEST_TIMEOUT))
}
