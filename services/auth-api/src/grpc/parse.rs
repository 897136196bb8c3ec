//! Fields that every service reads.

use std::str::FromStr;

use credo_admin::TenantScope;
use credo_ids::{RequestId, TenantId};
use prost_types::Timestamp;
use time::OffsetDateTime;
use tonic::Status;
use uuid::Uuid;

use super::status;
use crate::{
    app::App,
    flows::admin::{AdminCall, AdminRefusal, OTHER_TENANT, record_denial},
};

/// The version of nothing: rows begin with 1.
const NO_VERSION: i64 = 0;

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

/// The right to act on the tenant that a request names, which is there. A deleted one is as unknown as one that never was,
/// whatever is asked of it.
pub(super) async fn tenant(app: &App, call: &AdminCall, text: &str) -> Result<TenantScope, Status> {
    let scope = maybe_tenant(app, call, text).await?;
    let is_there = app.store.is_tenant(scope.id()).await.map_err(|fault| {
        // A change that cannot even begin has not been recorded either.
        app.metrics.compliance_persist_failures.inc();
        status::failed(&fault.into())
    });
    if is_there? {
        Ok(scope)
    } else {
        Err(status::refused(AdminRefusal::NotFound("tenant")))
    }
}

/// The right to act on the tenant that a request names, which need not be there. Naming another's leaves a mark in the caller's
/// own trail.
pub(super) async fn maybe_tenant(app: &App, call: &AdminCall, text: &str) -> Result<TenantScope, Status> {
    match call.principal.tenant(id::<TenantId>("tenant_id", text)?) {
        Ok(scope) => Ok(scope),
        Err(unknown) => {
            let recorded = record_denial(app, call, OTHER_TENANT).await;
            recorded.map_err(|fault| status::failed(&fault))?;
            Err(unknown)
        }
    }
}

/// What the caller calls its call; nothing if it does not say.
pub(super) fn request_id(text: &str) -> Result<Option<Uuid>, Status> {
    match text {
        "" => Ok(None),
        text => Ok(Some(id::<RequestId>("request_id", text)?.as_uuid())),
    }
}

/// The version that an etag is of; nothing if any will do.
pub(super) fn expected_version(text: &str) -> Option<i64> {
    let version = || text.strip_prefix("\"v")?.strip_suffix('"')?.parse().ok();
    let version = version().filter(|version| etag(*version) == text);
    (!text.is_empty()).then(|| version.unwrap_or(NO_VERSION))
}

/// An instant as it travels.
pub(super) fn timestamp(at: OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: at.unix_timestamp(),
        nanos: i32::try_from(at.nanosecond()).unwrap_or_default(),
    }
}

/// The instant in `field`, which must be there.
pub(super) fn instant(field: &'static str, at: Option<Timestamp>) -> Result<OffsetDateTime, Status> {
    let read = |at: Timestamp| {
        let second = OffsetDateTime::from_unix_timestamp(at.seconds).ok()?;
        second.replace_nanosecond(at.nanos.try_into().ok()?).ok()
    };
    let malformed = || status::refused(AdminRefusal::invalid(field, "must be an instant"));
    at.and_then(read).ok_or_else(malformed)
}

/// What changes with every change.
pub(super) fn etag(version: i64) -> String {
    format!("\"v{version}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etag_is_any_the_current_one_or_none() {
        assert_eq!(expected_version(""), None);
        assert_eq!(expected_version(&etag(7)), Some(7));
        for other in ["7", "v7", "\"v07\"", "\"v+7\"", "\"v\"", "W/\"v7\"", "*", " "] {
            assert_eq!(expected_version(other), Some(NO_VERSION), "{other}");
        }
    }
}
