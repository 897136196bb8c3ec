//! What to do after a refusal, by its reason. A test holds every reason of `error_reason.proto` against it.

use tonic::Code;

/// The next step, if there is one that is not in the message already.
pub fn after(reason: &str, code: Code) -> Option<&'static str> {
    Some(match reason {
        "INVALID_FIELD" => "mend the fields above; --help of the command says what each may be",
        "INVALID_FIELD_MASK" => "give at least one option that says what to change; --help lists them",
        "INVALID_PAGE_TOKEN" => "begin again from the first page",
        "REQUEST_ID_REUSED" => "leave --request-id away, and one is drawn",
        "UNAUTHENTICATED" => "credoctl login",
        "SCOPE_MISSING" => "credoctl login with an account or a client that holds this scope, or ask for it by --scope",
        "SYSTEM_ONLY" => "use a context whose login is at the tenant `system`",
        "SCOPE_NOT_HELD" => "let somebody do it who holds the permission that is given",
        "NOT_FOUND" => "`list` of the same noun shows what there is; is --tenant the right one?",
        "ALREADY_EXISTS" => "look at what is there with `get` or `list`, or take another name",
        "ETAG_MISMATCH" => "`get` it again, look at what changed, and give the new --etag or none",
        "FAILED_PRECONDITION" => "`get` it and see in which state it is",
        "UNAVAILABLE" => "credoctl status says what is down; the same command with the same --request-id is safe",
        "INTERNAL" => "look for the request in the service's log; credoctl status says how it is",
        "SLOW_READER" => "go on with --resume-token and the token above",
        "METHOD_CLOSED" => "whoever runs this service lets nobody call it: its configuration says so",
        "TOO_MANY_CALLS" => "wait a little and call again",
        "DEADLINE_EXCEEDED" => "credoctl status says what is slow; a longer --timeout may help",
        _ if code == Code::Unimplemented => {
            "the server is older than this program, or the address is another service's: credoctl doctor"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use credo_proto::admin::v1::ErrorReason;

    use super::*;

    #[test]
    fn every_reason_has_a_next_step() {
        let mut known = 0;
        for number in 1.. {
            let Ok(reason) = ErrorReason::try_from(number) else {
                break;
            };
            let name = reason.as_str_name().trim_start_matches("ERROR_REASON_");
            assert!(after(name, Code::Unknown).is_some(), "{name} has no next step");
            known += 1;
        }
        assert!(known > 10);
    }
}
