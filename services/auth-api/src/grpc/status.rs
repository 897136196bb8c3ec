//! The one place where refusals become gRPC answers; its twin for HTTP is `http/answer.rs`.
//!
//! No answer tells of our insides; a refusal and a fault are logged here, once.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::{
    flows::admin::{AdminRefusal, Violation},
    refusal::Refusal,
};

/// What a caller waits after a fault.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// A refusal as the caller sees it.
pub(super) fn refused(refusal: AdminRefusal) -> Status {
    let text = refusal.to_string();
    let status = match refusal {
        AdminRefusal::Fault(fault) => return failed(&fault),
        AdminRefusal::Invalid(violations) => invalid(text, violations),
        AdminRefusal::NotFound(_) => Status::not_found(text),
        AdminRefusal::AlreadyExists(_) => Status::already_exists(text),
        AdminRefusal::Forbidden(_) => Status::permission_denied(text),
        AdminRefusal::FailedPrecondition(_) => Status::failed_precondition(text),
    };
    tracing::info!(code = ?status.code(), text = status.message(), "admin call refused");
    status
}

/// A fault as the caller sees it.
pub(super) fn failed(fault: &Refusal) -> Status {
    match fault {
        Refusal::Denied(denial) => Status::failed_precondition(denial.to_string()),
        Refusal::Unavailable(text) => {
            tracing::error!(fault = text, "an admin call could not be answered");
            unavailable("the server cannot answer now, try again")
        }
        Refusal::Internal(text) => {
            tracing::error!(fault = text, "an admin call met a defect");
            Status::internal("the server met an unexpected condition")
        }
    }
}

/// `UNAVAILABLE`, with the time after which to try again.
pub(super) fn unavailable(text: &'static str) -> Status {
    let details = ErrorDetails::with_retry_info(Some(RETRY_DELAY));
    Status::with_error_details(Code::Unavailable, text, details)
}

/// `INVALID_ARGUMENT` with google.rpc.BadRequest; the message names the first field for those who do not read details.
fn invalid(text: String, violations: Vec<Violation>) -> Status {
    let message = match violations.first() {
        Some(first) => format!("{}: {}", first.field, first.description),
        None => text,
    };
    let violations = violations
        .into_iter()
        .map(|violation| FieldViolation::new(violation.field, violation.description))
        .collect::<Vec<_>>();
    Status::with_error_details(
        Code::InvalidArgument,
        message,
        ErrorDetails::with_bad_request(violations),
    )
}
