//! The relay from the outbox to Kafka.

use super::{Noun, Verb};
use crate::wire::Host;

pub static NOUN: Noun = Noun {
    name: "outbox",
    about: "The way of events out of the auth database",
    host: Host::Relay,
    id: "epoch",
    columns: &[
        ("LEADER", "leader"),
        ("PENDING", "pending"),
        ("OLDEST", "oldest_pending_age"),
        ("PAUSED", "pause.reason"),
        ("LAST PUBLISH", "last_publish_time"),
        ("ERROR", "last_error"),
    ],
    wide: &[
        ("EPOCH", "epoch"),
        ("TICK", "last_tick"),
        ("PUBLISHED TICK", "published_tick"),
        ("PUBLISHED", "published_events"),
    ],
    verbs: &[
        Verb::new(
            "status",
            "OutboxService.GetOutboxStatus",
            "How far publishing is",
            &[],
            &["outbox status"],
        ),
        Verb::new(
            "pause",
            "OutboxService.PauseOutbox",
            "Stop publishing; nothing is lost, the outbox grows",
            &[],
            &["outbox pause --reason 'Kafka is being moved'"],
        )
        .ends("The audit store gets nothing until `outbox resume`, and the outbox is bounded."),
        Verb::new(
            "resume",
            "OutboxService.ResumeOutbox",
            "Publish again from where it stood",
            &[],
            &["outbox resume"],
        ),
    ],
};
