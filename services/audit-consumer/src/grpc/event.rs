//! A stored event as the API shows it. Everything but its place comes out of `core`: what this version cannot read of it
//! stays in the bytes.

use std::iter::Peekable;

use credo_kafka::EventClass;
use credo_proto::{
    admin::v1::{AuditEvent, audit_event::Personal},
    events::v1::{self, ChangeDetails, Core, Outcome, PartyKind, Severity, core::Details},
};
use prost::Message as _;
use prost_types::Timestamp;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::reader::EventRow;

/// Bytes of salt in front of the personal part.
const SALT_BYTES: usize = 32;

/// An answer is not made longer than this by another event: clients refuse messages beyond 4 MiB.
pub(super) const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// As many of the events as go into one answer, at most `most` and at least one.
pub(super) fn answer_of(rows: &mut Peekable<impl Iterator<Item = EventRow>>, most: usize) -> Vec<AuditEvent> {
    let (mut events, mut bytes) = (vec![], 0);
    while events.len() < most
        && let Some(row) = rows.next_if(|_| bytes < MAX_ANSWER_BYTES)
    {
        let event = of_row(row);
        bytes += event.encoded_len();
        events.push(event);
    }
    events
}

/// The event of a row.
pub(super) fn of_row(row: EventRow) -> AuditEvent {
    let core = if row.quarantine.is_none() {
        Core::decode(row.core.as_slice()).ok()
    } else {
        None
    };
    let mut event = core.map(of_core).unwrap_or_default();
    event.event_id = row.event_id.to_string();
    event.tenant_id = row.tenant_id.to_string();
    event.tenant_seq = row.tenant_seq;
    event.event_class = EventClass::try_from(row.class)
        .map(|class| class.to_string())
        .unwrap_or_default();
    event.store_time = Some(timestamp(row.stored_at));
    event.quarantined = row.quarantine.is_some();
    event.personal = row.personal.as_deref().and_then(personal);
    event.core = row.core;
    event.leaf_hash = row.leaf_hash;
    event.epoch = row.epoch;
    event.shard = row.shard.into();
    event.seq = row.seq;
    event
}

fn of_core(core: Core) -> AuditEvent {
    let severity = core.severity();
    let outcome = core.outcome();
    let (actor, subject) = (core.actor.unwrap_or_default(), core.subject.unwrap_or_default());
    AuditEvent {
        severity: severity_name(severity).to_owned(),
        r#type: core.r#type,
        occur_time: Some(timestamp_of_micros(core.occurred_at_micros)),
        actor_kind: kind_name(actor.kind()).to_owned(),
        actor_id: id_text(&actor.id),
        subject_kind: kind_name(subject.kind()).to_owned(),
        subject_id: id_text(&subject.id),
        client_id: id_text(&core.client_id),
        session_id: id_text(&core.session_id),
        request_id: id_text(&core.request_id),
        traceparent: core.traceparent,
        outcome: outcome_name(outcome).to_owned(),
        reason: core.reason,
        details_json: core
            .details
            .map(|details| details_json(details).to_string())
            .unwrap_or_default(),
        ..AuditEvent::default()
    }
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Unspecified => "",
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unspecified => "",
        Outcome::Success => "success",
        Outcome::Refused => "refused",
    }
}

fn kind_name(kind: PartyKind) -> &'static str {
    match kind {
        PartyKind::Unspecified => "",
        PartyKind::User => "user",
        PartyKind::Client => "client",
        PartyKind::Tenant => "tenant",
        PartyKind::Session => "session",
        PartyKind::System => "system",
        PartyKind::Anonymous => "anonymous",
    }
}

fn details_json(details: Details) -> Value {
    match details {
        Details::Token(token) => json!({
            "grant_type": token.grant_type,
            "scope": token.scope,
            "generation": token.generation,
        }),
        Details::Change(change) => change_json(change),
        Details::Count(count) => json!({ "count": count.count }),
        Details::Consent(consent) => json!({ "scope": consent.scope }),
    }
}

fn change_json(change: ChangeDetails) -> Value {
    json!({
        "object": change.object,
        "object_id": id_text(&change.object_id),
        "before": embedded(change.before_json),
        "after": embedded(change.after_json),
    })
}

/// JSON inside JSON, or the text as it is if it is none.
fn embedded(text: String) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }
}

fn id_text(bytes: &[u8]) -> String {
    Uuid::from_slice(bytes).map(|id| id.to_string()).unwrap_or_default()
}

fn personal(data: &[u8]) -> Option<Personal> {
    let personal = v1::Personal::decode(data.get(SALT_BYTES..)?).ok()?;
    Some(Personal {
        address: personal.address,
        user_agent: personal.user_agent,
        email: personal.email,
        display_name: personal.display_name,
    })
}

pub(super) fn timestamp(at: OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: at.unix_timestamp(),
        nanos: i32::try_from(at.nanosecond()).unwrap_or_default(),
    }
}

fn timestamp_of_micros(micros: i64) -> Timestamp {
    Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default(),
    }
}
