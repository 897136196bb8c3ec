//! A gRPC refusal as a failure: google.rpc's details become reason, lines and the next step.

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Failure, Kind, advice};

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let info = status.get_details_error_info();
        let reason = info.as_ref().map_or_else(
            || code_name(status.code()),
            |info| info.reason.trim_start_matches("ERROR_REASON_").to_owned(),
        );
        let mut failure = Self::new(kind(status.code()), message(&status));
        for violation in status
            .get_details_bad_request()
            .into_iter()
            .flat_map(|bad| bad.field_violations)
        {
            failure = failure.detail(format!("{}: {}", violation.field, violation.description));
        }
        for (name, value) in info.iter().flat_map(|info| &info.metadata) {
            failure = failure.detail(format!("{name}: {value}"));
        }
        if let Some(next) = advice::after(&reason, status.code()) {
            failure = failure.next(next);
        }
        let request_id = status.get_details_request_info().map(|request| request.request_id);
        let request_id = request_id.or_else(|| header(&status, "x-request-id"));
        failure.request_id(request_id).reason(reason)
    }
}

fn header(status: &Status, name: &str) -> Option<String> {
    Some(status.metadata().get(name)?.to_str().ok()?.to_owned())
}

fn message(status: &Status) -> String {
    let mut cause = std::error::Error::source(status);
    let mut deepest = None;
    while let Some(error) = cause {
        deepest = Some(error.to_string());
        cause = error.source();
    }
    // Only what happened on this side has a cause.
    if let Some(cause) = deepest {
        return format!("it does not answer: {cause}");
    }
    match (status.message(), status.code()) {
        (_, Code::Unimplemented) => "the server does not know this call".to_owned(),
        ("", code) => code.description().to_owned(),
        (said, _) => crate::console::harmless(said),
    }
}

fn kind(code: Code) -> Kind {
    match code {
        Code::NotFound => Kind::NotFound,
        Code::PermissionDenied | Code::Unauthenticated => Kind::Denied,
        Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => Kind::Conflict,
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => Kind::Unavailable,
        Code::InvalidArgument => Kind::Usage,
        _ => Kind::Error,
    }
}

/// `FailedPrecondition` as `FAILED_PRECONDITION`.
fn code_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn details_of_a_refusal_are_told() {
        let mut details = ErrorDetails::with_error_info(
            "SCOPE_MISSING",
            "credo",
            HashMap::from([("scope".to_owned(), "credo.tenant.write".to_owned())]),
        );
        details.add_bad_request_violation("slug", "is too long");
        let status = Status::with_error_details(Code::PermissionDenied, "the token lacks a scope", details);
        let failure = Failure::from(status);
        assert_eq!(failure.kind, Kind::Denied);
        let text = failure.to_string();
        for needed in [
            "(SCOPE_MISSING)",
            "slug: is too long",
            "scope: credo.tenant.write",
            "credoctl login",
        ] {
            assert!(text.contains(needed), "{needed} is missing in {text}");
        }
    }

    #[test]
    fn every_code_has_an_exit_code_and_a_name() {
        for (code, exit, name) in [
            (Code::NotFound, 3, "NOT_FOUND"),
            (Code::Unauthenticated, 4, "UNAUTHENTICATED"),
            (Code::FailedPrecondition, 5, "FAILED_PRECONDITION"),
            (Code::DeadlineExceeded, 6, "DEADLINE_EXCEEDED"),
            (Code::InvalidArgument, 2, "INVALID_ARGUMENT"),
            (Code::Internal, 1, "INTERNAL"),
        ] {
            let failure = Failure::from(Status::new(code, "no"));
            assert_eq!(failure.kind.code(), exit, "{code:?}");
            assert_eq!(failure.why(), Some(name));
        }
    }
}
