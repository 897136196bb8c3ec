//! The parts of a stack.

use std::{fmt, time::Duration};

use clap::ValueEnum;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

/// How long a part may take to end in good order before it is killed.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// One process of the stack, in the order in which they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The database server with both databases.
    Postgres,
    /// The cache.
    Redis,
    /// The broker.
    Kafka,
    /// The authorization server.
    AuthApi,
    /// A second replica of it, in stacks for tests: it has the same public address and answers at one of its own.
    #[value(name = "auth-api-2")]
    #[serde(rename = "auth-api-2")]
    AuthApi2,
    /// From the outbox to Kafka.
    OutboxRelay,
    /// From Kafka to the audit store.
    AuditConsumer,
}

impl Part {
    /// All parts in starting order; they stop in the reverse one.
    pub const ALL: [Self; 7] = [
        Self::Postgres,
        Self::Redis,
        Self::Kafka,
        Self::AuthApi,
        Self::AuthApi2,
        Self::OutboxRelay,
        Self::AuditConsumer,
    ];
    /// The parts that this repository builds.
    pub const SERVICES: [Self; 4] = [Self::AuthApi, Self::AuthApi2, Self::OutboxRelay, Self::AuditConsumer];

    /// The name on the command line and of the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Kafka => "kafka",
            Self::AuthApi => "auth-api",
            Self::AuthApi2 => "auth-api-2",
            Self::OutboxRelay => "outbox-relay",
            Self::AuditConsumer => "audit-consumer",
        }
    }

    /// The program of a service.
    pub const fn program(self) -> &'static str {
        match self {
            Self::AuthApi2 => Self::AuthApi.name(),
            part => part.name(),
        }
    }

    /// What asks it to end in good order.
    pub const fn stop_signal(self) -> Signal {
        match self {
            Self::Postgres => Signal::INT, // "fast": TERM would wait for every client to leave
            _ => Signal::TERM,
        }
    }

    /// How long it may take until it answers. A busy machine needs far more than an idle one.
    pub const fn start_timeout(self) -> Duration {
        match self {
            Self::Redis => Duration::from_secs(15),
            Self::Postgres | Self::AuthApi | Self::AuthApi2 | Self::OutboxRelay | Self::AuditConsumer => {
                Duration::from_mins(1)
            }
            Self::Kafka => Duration::from_mins(2),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
