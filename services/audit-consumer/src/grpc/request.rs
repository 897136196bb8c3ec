//! What callers may ask, checked before anything is read.

use credo_admin::{ErrorReason, Problem};
use credo_ids::{EventId, TenantId};
use credo_proto::admin::v1::{QueryEventsRequest, TailEventsRequest};
use prost_types::Timestamp;
use time::{Duration, OffsetDateTime};
use tonic::Status;
use uuid::Uuid;

use super::page_token;

const DEFAULT_PAGE_SIZE: i64 = 100;
const MAX_PAGE_SIZE: i64 = 1_000;
const MAX_TYPE_BYTES: usize = 100;

/// The filters of a query.
#[derive(Debug, Clone)]
pub(crate) struct Filters {
    pub(crate) tenant: TenantId,
    pub(crate) event_type: Option<String>,
    pub(crate) actor_id: Option<Uuid>,
    pub(crate) subject_id: Option<Uuid>,
    pub(crate) session_id: Option<Uuid>,
    pub(crate) start_at: Option<OffsetDateTime>,
    pub(crate) end_at: Option<OffsetDateTime>,
}

impl Filters {
    /// Reads the filters; an empty one does not filter.
    pub(crate) fn read(request: &QueryEventsRequest) -> Result<Self, Status> {
        let event_type = Some(request.r#type.clone()).filter(|event_type| !event_type.is_empty());
        if event_type
            .as_ref()
            .is_some_and(|event_type| event_type.len() > MAX_TYPE_BYTES || event_type.contains('\0'))
        {
            return Err(invalid("type"));
        }
        Ok(Self {
            tenant: tenant(&request.tenant_id)?,
            event_type,
            actor_id: optional_id("actor_id", &request.actor_id)?,
            subject_id: optional_id("subject_id", &request.subject_id)?,
            session_id: optional_id("session_id", &request.session_id)?,
            start_at: instant("start_time", request.start_time)?,
            end_at: instant("end_time", request.end_time)?,
        })
    }

    /// Reads those of a tail: a query's, without times.
    pub(crate) fn read_tail(request: &TailEventsRequest) -> Result<Self, Status> {
        Self::read(&QueryEventsRequest {
            tenant_id: request.tenant_id.clone(),
            r#type: request.r#type.clone(),
            actor_id: request.actor_id.clone(),
            subject_id: request.subject_id.clone(),
            session_id: request.session_id.clone(),
            ..QueryEventsRequest::default()
        })
    }
}

/// Where a tail begins; `None`: at the end of the trail.
pub(crate) fn tail_start(filters: &Filters, request: &TailEventsRequest) -> Result<Option<i64>, Status> {
    match (request.resume_token.as_str(), request.from_start) {
        ("", false) => Ok(None),
        ("", true) => Ok(Some(0)),
        (_, true) => Err(invalid("from_start")),
        (token, false) => page_token::decode_resume(filters, token)
            .map(Some)
            .map_err(|_| invalid_token("resume_token")),
    }
}

pub(crate) fn tenant(text: &str) -> Result<TenantId, Status> {
    text.parse().map_err(|_| invalid("tenant_id"))
}

pub(crate) fn event(text: &str) -> Result<EventId, Status> {
    text.parse().map_err(|_| invalid("event_id"))
}

pub(crate) fn page_size(asked: i32) -> Result<i64, Status> {
    match i64::from(asked) {
        0 => Ok(DEFAULT_PAGE_SIZE),
        size @ 1..=MAX_PAGE_SIZE => Ok(size),
        _ => Err(invalid("page_size")),
    }
}

pub(crate) fn invalid(field: &'static str) -> Status {
    invalid_for(ErrorReason::InvalidField, field)
}

/// A token that is not of this call.
pub(crate) fn invalid_token(field: &'static str) -> Status {
    invalid_for(ErrorReason::InvalidPageToken, field)
}

fn invalid_for(reason: ErrorReason, field: &'static str) -> Status {
    Problem::invalid_fields(reason, [(field, "is not valid".to_owned())]).into_status()
}

/// Actors and subjects are of several kinds, so their ids have no type of their own; the form is the same.
fn optional_id(field: &'static str, text: &str) -> Result<Option<Uuid>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse::<EventId>()
        .map(|id| Some(id.as_uuid()))
        .map_err(|_| invalid(field))
}

fn instant(field: &'static str, timestamp: Option<Timestamp>) -> Result<Option<OffsetDateTime>, Status> {
    let Some(timestamp) = timestamp else { return Ok(None) };
    if !(0..1_000_000_000).contains(&timestamp.nanos) {
        return Err(invalid(field));
    }
    let seconds = OffsetDateTime::from_unix_timestamp(timestamp.seconds).map_err(|_| invalid(field))?;
    // Before this, Postgres has no instants.
    if seconds.year() < -4_000 {
        return Err(invalid(field));
    }
    Ok(Some(seconds + Duration::nanoseconds(timestamp.nanos.into())))
}
