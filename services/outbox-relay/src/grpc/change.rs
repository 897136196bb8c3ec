//! Pausing and resuming: what a call says, and the event of it.

use aws_lc_rs::digest::{SHA256, digest};
use credo_admin::{AdminPrincipal, CallContext, ErrorReason, Problem};
use credo_events::{
    Compliance, Details, Encoded, EventDraft, EventType, Origin, Outcome, Party, PersonalPart, Severity,
};
use credo_ids::{EventId, RequestId};
use credo_proto::{
    admin::v1::{PauseOutboxRequest, ResumeOutboxRequest},
    events::v1::{ChangeDetails, Personal},
};
use credo_telemetry::TraceContext;
use prost::Message;
use serde_json::json;
use time::OffsetDateTime;
use tonic::Status as GrpcStatus;
use tracing::Span;
use uuid::Uuid;

use crate::pause::{Pause, PauseChange};

/// An operator stopped publishing, on all relays.
const OUTBOX_PAUSED: EventType<Compliance> = EventType::new("outbox_paused", Severity::Warning, Outcome::Success);
/// An operator let it go on.
const OUTBOX_RESUMED: EventType<Compliance> = EventType::new("outbox_resumed", Severity::Info, Outcome::Success);
/// What the events are about.
const OBJECT: &str = "outbox";
const MAX_REASON_CHARACTERS: usize = 500;

/// Pauses.
pub(super) fn pause(principal: &AdminPrincipal, mut message: PauseOutboxRequest) -> Result<PauseChange, GrpcStatus> {
    let (request_id, validate_only) = (
        std::mem::take(&mut message.request_id),
        std::mem::take(&mut message.validate_only),
    );
    let fingerprint = fingerprint("PauseOutbox", &message);
    let is_plain = !message.reason.chars().any(char::is_control) && !message.reason.trim().is_empty();
    if !is_plain || message.reason.chars().count() > MAX_REASON_CHARACTERS {
        let rule = "must have 1 to 500 characters, none of them a control character, and not be blank";
        return Err(invalid("reason", rule));
    }
    Ok(PauseChange {
        caller: caller(principal),
        request_id: parse_request_id(&request_id)?,
        method: "PauseOutbox",
        fingerprint,
        validate_only,
        tenant: principal.tenant_id(),
        event_id: EventId::now_v7(),
        reason: Some(message.reason),
    })
}

/// Resumes.
pub(super) fn resume(principal: &AdminPrincipal, mut message: ResumeOutboxRequest) -> Result<PauseChange, GrpcStatus> {
    let (request_id, validate_only) = (
        std::mem::take(&mut message.request_id),
        std::mem::take(&mut message.validate_only),
    );
    Ok(PauseChange {
        caller: caller(principal),
        request_id: parse_request_id(&request_id)?,
        method: "ResumeOutbox",
        fingerprint: fingerprint("ResumeOutbox", &message),
        validate_only,
        tenant: principal.tenant_id(),
        event_id: EventId::now_v7(),
        reason: None,
    })
}

/// Whose ids of calls those of this one are among: the person's, or the client's if it calls by itself.
fn caller(principal: &AdminPrincipal) -> Uuid {
    let client = principal.client_id();
    principal
        .user_id()
        .map_or_else(|| client.as_uuid(), |user| user.as_uuid())
}

/// The same as events name it.
fn actor(principal: &AdminPrincipal) -> Party {
    let client = principal.client_id();
    principal.user_id().map_or_else(|| client.into(), Party::from)
}

/// Makes the events of one call.
#[derive(Debug)]
pub(super) struct ChangeEvents {
    draft: EventDraft,
    personal: PersonalPart,
    reason: Option<String>,
}

impl ChangeEvents {
    /// Of this call, by the clock of the process.
    pub(super) fn new(
        principal: &AdminPrincipal,
        call: &CallContext,
        change: &PauseChange,
        at: OffsetDateTime,
    ) -> Result<Self, GrpcStatus> {
        let personal = PersonalPart::new(Personal {
            address: call.peer.map(|peer| peer.ip().to_string()).unwrap_or_default(),
            user_agent: call.user_agent.clone().unwrap_or_default(),
            ..Personal::default()
        });
        let personal = personal.map_err(|error| {
            tracing::error!(%error, "an admin call met a defect");
            Problem::internal().into_status()
        })?;
        let trace = TraceContext::of(&Span::current()).map(|trace| trace.to_string());
        let event = if change.reason.is_some() {
            &OUTBOX_PAUSED
        } else {
            &OUTBOX_RESUMED
        };
        let draft = EventDraft::new(event, change.event_id, change.tenant, at)
            .parties(actor(principal), Party::SYSTEM)
            .client(principal.client_id())
            .request(Origin::new(call.id, trace));
        Ok(Self {
            draft,
            personal,
            reason: change.reason.clone(),
        })
    }

    /// The event, given what was before.
    pub(super) fn after(&self, before: Option<&Pause>) -> (Encoded, PersonalPart) {
        let since = before.map(|pause| json!({ "actor_id": pause.actor_id, "reason": pause.reason }));
        let details = ChangeDetails {
            object: OBJECT.to_owned(),
            object_id: vec![],
            before_json: json!({ "paused": before.is_some(), "pause": since }).to_string(),
            after_json: json!({ "paused": self.reason.is_some() }).to_string(),
            reason: self.reason.clone().unwrap_or_default(),
        };
        let draft = self.draft.clone().details(Details::Change(details));
        (draft.encode(&self.personal), self.personal.clone())
    }
}

fn fingerprint(method: &str, message: &impl Message) -> [u8; 32] {
    let bytes = [method.as_bytes(), b"\0", &message.encode_to_vec()].concat();
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &bytes).as_ref());
    hash
}

fn parse_request_id(text: &str) -> Result<Option<Uuid>, GrpcStatus> {
    if text.is_empty() {
        return Ok(None);
    }
    let id = text.parse::<RequestId>();
    id.map(|id| Some(id.as_uuid()))
        .map_err(|_| invalid("request_id", "must be a UUID in lower case with hyphens"))
}

fn invalid(field: &'static str, rule: &str) -> GrpcStatus {
    Problem::invalid_fields(ErrorReason::InvalidField, [(field, rule.to_owned())]).into_status()
}
