//! The one place where refusals become gRPC answers; its twin for HTTP is `http/answer.rs`.
//!
//! No answer tells of our insides; a refusal and a fault are logged here, once.

use credo_admin::{ErrorReason, Problem};
use tonic::Status;

use crate::{flows::admin::AdminRefusal, refusal::Refusal};

/// A refusal as the caller sees it.
pub(super) fn refused(refusal: AdminRefusal) -> Status {
    let text = refusal.to_string();
    let problem = match refusal {
        AdminRefusal::Fault(fault) => return failed(&fault),
        AdminRefusal::Invalid(violations) => {
            let fields = violations.into_iter().map(|one| (one.field, one.description));
            Problem::invalid_fields(ErrorReason::InvalidField, fields)
        }
        AdminRefusal::InvalidMask(rule) => {
            Problem::invalid_fields(ErrorReason::InvalidFieldMask, [("update_mask", rule)])
        }
        AdminRefusal::InvalidPageToken => {
            Problem::invalid_fields(ErrorReason::InvalidPageToken, [("page_token", text)])
        }
        AdminRefusal::NotFound(resource) => Problem::not_found(resource),
        AdminRefusal::AlreadyExists(field) => Problem::new(ErrorReason::AlreadyExists, text).with("field", field),
        AdminRefusal::SystemOnly(_) => Problem::new(ErrorReason::SystemOnly, text),
        AdminRefusal::ScopeNotHeld(_) => Problem::new(ErrorReason::ScopeNotHeld, text),
        AdminRefusal::RequestIdReused => Problem::new(ErrorReason::RequestIdReused, text),
        AdminRefusal::EtagMismatch(_) => Problem::new(ErrorReason::EtagMismatch, text),
        AdminRefusal::FailedPrecondition(_) => Problem::new(ErrorReason::FailedPrecondition, text),
    };
    let status = problem.into_status();
    tracing::info!(code = ?status.code(), text = status.message(), "admin call refused");
    status
}

/// A fault as the caller sees it.
pub(super) fn failed(fault: &Refusal) -> Status {
    let problem = match fault {
        Refusal::Denied(denial) => Problem::new(ErrorReason::FailedPrecondition, denial.to_string()),
        Refusal::Unavailable(text) => {
            tracing::error!(fault = text, "an admin call could not be answered");
            Problem::unavailable("the server cannot answer now, try again")
        }
        Refusal::Internal(text) => {
            tracing::error!(fault = text, "an admin call met a defect");
            Problem::internal()
        }
    };
    problem.into_status()
}
