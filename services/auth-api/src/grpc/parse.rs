//! Fields that every service reads.

use std::str::FromStr;

use credo_admin::TenantScope;
use credo_ids::TenantId;
use prost_types::Timestamp;
use time::OffsetDateTime;
use tonic::Status;

use super::status;
use crate::flows::admin::{AdminCall, AdminRefusal};

/// The id in `field`.
pub(super) fn id<Id: FromStr>(field: &'static str, text: &str) -> Result<Id, Status> {
    let malformed = |_| {
        status::refused(AdminRefusal::invalid(
            field,
            "must be a UUID in lower case with hyphens",
        ))
    };
    text.parse().map_err(malformed)
}

/// The id in `field`, which may be empty.
pub(super) fn optional_id<Id: FromStr>(field: &'static str, text: &str) -> Result<Option<Id>, Status> {
    if text.is_empty() {
        Ok(None)
    } else {
        id(field, text).map(Some)
    }
}

/// The right to act on the tenant that a request names.
pub(super) fn tenant(call: &AdminCall, text: &str) -> Result<TenantScope, Status> {
    call.principal.tenant(id::<TenantId>("tenant_id", text)?)
}

/// An instant as it travels.
pub(super) fn timestamp(at: OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: at.unix_timestamp(),
        nanos: i32::try_from(at.nanosecond()).unwrap_or_default(),
    }
}

/// What changes with every change.
pub(super) fn etag(version: i64) -> String {
    format!("\"v{version}\"")
}
