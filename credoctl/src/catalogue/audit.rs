//! The audit trail.

use super::{Noun, Verb};
use crate::wire::Host;

pub static NOUN: Noun = Noun {
    name: "audit",
    about: "The audit trail; reading is itself recorded",
    host: Host::Audit,
    id: "event_id",
    columns: &[
        ("SEQ", "tenant_seq"),
        ("TIME", "occur_time"),
        ("CLASS", "event_class"),
        ("SEVERITY", "severity"),
        ("TYPE", "type"),
        ("OUTCOME", "outcome"),
        ("REASON", "reason"),
        ("ACTOR", "actor_kind"),
        ("SUBJECT", "subject_id"),
    ],
    wide: &[
        ("ACTOR ID", "actor_id"),
        ("CLIENT", "client_id"),
        ("SESSION", "session_id"),
        ("REQUEST", "request_id"),
        ("EVENT ID", "event_id"),
        ("DETAILS", "details_json"),
    ],
    verbs: &[
        Verb::new(
            "get",
            "AuditService.GetEvent",
            "One event",
            &["event_id"],
            &["audit get 0192f0c1-… --tenant acme"],
        ),
        Verb::new(
            "query",
            "AuditService.QueryEvents",
            "Events in their order",
            &[],
            &[
                "audit query --tenant acme --start-time 15m",
                "audit query --tenant acme --session 0192f0c1-… -o json",
                "audit query --tenant acme --type auth_failed --start-time 2026-11-23T00:00:00Z --limit 100",
            ],
        ),
        Verb::new(
            "tail",
            "AuditService.TailEvents",
            "Events as they are stored, without end",
            &[],
            &[
                "audit tail --tenant acme",
                "audit tail --tenant acme --from-start -o jsonl | jq .type",
            ],
        ),
        Verb::new(
            "status",
            "AuditService.GetConsumerStatus",
            "How the way into the store stands",
            &[],
            &["audit status"],
        ),
    ],
};
