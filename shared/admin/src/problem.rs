//! What a caller is told when a call is refused: google.rpc.Status with google.rpc.ErrorInfo, always.
//!
//! The reasons are those of `error_reason.proto`, all of them and no others; a reason names its code. Whoever programs against
//! these APIs branches on the reason; the message is for people.

use std::{collections::HashMap, time::Duration};

pub use credo_proto::admin::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// `domain` of google.rpc.ErrorInfo.
const DOMAIN: &str = "credo";
/// What a caller waits before it calls again.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// In front of every name of the definition.
const PREFIX: &str = "ERROR_REASON_";

/// A refusal on its way to the caller.
#[derive(Clone, Debug)]
pub struct Problem {
    reason: ErrorReason,
    message: String,
    metadata: HashMap<String, String>,
    violations: Vec<FieldViolation>,
}

impl Problem {
    /// A refusal for that reason, told in that sentence.
    #[must_use]
    pub fn new(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            metadata: HashMap::new(),
            violations: Vec::new(),
        }
    }

    /// Fields that cannot be, each with what it must be. The message names the first, for those who read no details.
    #[must_use]
    pub fn invalid_fields(reason: ErrorReason, fields: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let violations: Vec<_> = fields
            .into_iter()
            .map(|(field, description)| FieldViolation::new(field, description))
            .collect();
        let message = match violations.first() {
            Some(first) => format!("{}: {}", first.field, first.description),
            None => "the request is malformed".to_owned(),
        };
        Self {
            violations,
            ..Self::new(reason, message)
        }
    }

    /// What is named does not exist, or not for this caller.
    #[must_use]
    pub fn not_found(resource: &str) -> Self {
        Self::new(ErrorReason::NotFound, format!("no such {resource}")).with("resource", resource)
    }

    /// A fault that may pass.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorReason::Unavailable, message)
    }

    /// A defect. What it is stands in the log alone.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(ErrorReason::Internal, "the server met an unexpected condition")
    }

    /// No token, or none that counts.
    #[must_use]
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(ErrorReason::Unauthenticated, message)
    }

    /// Too many calls at one time.
    #[must_use]
    pub fn too_many_calls() -> Self {
        Self::new(ErrorReason::TooManyCalls, "too many calls at one time, try again")
    }

    /// Adds a member to the metadata of google.rpc.ErrorInfo.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// The answer.
    #[must_use]
    pub fn into_status(self) -> Status {
        let reason = self.reason.as_str_name();
        let reason = reason.strip_prefix(PREFIX).unwrap_or(reason);
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, self.metadata);
        if !self.violations.is_empty() {
            details.set_bad_request(self.violations);
        }
        if matches!(self.reason, ErrorReason::Unavailable | ErrorReason::TooManyCalls) {
            details.set_retry_info(Some(RETRY_DELAY));
        }
        Status::with_error_details(code(self.reason), self.message, details)
    }
}

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        problem.into_status()
    }
}

/// The code that goes with a reason.
fn code(reason: ErrorReason) -> Code {
    match reason {
        ErrorReason::InvalidField
        | ErrorReason::InvalidFieldMask
        | ErrorReason::InvalidPageToken
        | ErrorReason::RequestIdReused => Code::InvalidArgument,
        ErrorReason::Unauthenticated => Code::Unauthenticated,
        ErrorReason::ScopeMissing | ErrorReason::SystemOnly | ErrorReason::ScopeNotHeld | ErrorReason::MethodClosed => {
            Code::PermissionDenied
        }
        ErrorReason::NotFound => Code::NotFound,
        ErrorReason::AlreadyExists => Code::AlreadyExists,
        ErrorReason::EtagMismatch => Code::Aborted,
        ErrorReason::FailedPrecondition => Code::FailedPrecondition,
        ErrorReason::Unavailable => Code::Unavailable,
        ErrorReason::SlowReader => Code::OutOfRange,
        ErrorReason::TooManyCalls => Code::ResourceExhausted,
        ErrorReason::Internal | ErrorReason::Unspecified => Code::Internal,
    }
}
