//! Why an administrator's call is refused.

use credo_auth_store::Fault;

use crate::refusal::Refusal;

/// A field of the request that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// As the definition names it.
    pub field: &'static str,
    /// What it must be.
    pub description: String,
}

/// Why there is no answer. The texts are for the caller.
#[derive(Debug, thiserror::Error)]
pub enum AdminRefusal {
    /// The request is malformed.
    #[error("the request is malformed")]
    Invalid(Vec<Violation>),
    /// What it names does not exist, or not for this caller.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The field's value is another's.
    #[error("the {0} is taken")]
    AlreadyExists(&'static str),
    /// Only administrators of all tenants may.
    #[error("{0}")]
    SystemOnly(&'static str),
    /// The caller would give what it does not hold.
    #[error("{0}")]
    ScopeNotHeld(&'static str),
    /// What is to be changed cannot be, or is not said.
    #[error("{0}")]
    InvalidMask(String),
    /// Of no list, or of another.
    #[error("must be the next_page_token of an answer to the same request")]
    InvalidPageToken,
    /// The call's id was another call's.
    #[error("the request_id was used for another call")]
    RequestIdReused,
    /// It has changed since the caller read it.
    #[error("the {0} has changed since it was read")]
    EtagMismatch(&'static str),
    /// Not with this server as it is set up.
    #[error("{0}")]
    FailedPrecondition(&'static str),
    /// A fault of ours.
    #[error(transparent)]
    Fault(Refusal),
}

impl AdminRefusal {
    /// One field that cannot be.
    #[must_use]
    pub fn invalid(field: &'static str, description: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation {
            field,
            description: description.into(),
        }])
    }
}

impl From<Refusal> for AdminRefusal {
    fn from(refusal: Refusal) -> Self {
        Self::Fault(refusal)
    }
}

impl From<Fault> for AdminRefusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault.into())
    }
}

/// Collects what is wrong with a request, so that the caller learns all of it at once.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<Violation>);

impl Violations {
    /// Notes that `field` is not as `description` says, unless `holds`.
    pub(super) fn require(&mut self, holds: bool, field: &'static str, description: &str) {
        if !holds {
            self.0.push(Violation {
                field,
                description: description.to_owned(),
            });
        }
    }

    /// Nothing, if nothing was wrong.
    pub(super) fn into_result(self) -> Result<(), AdminRefusal> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(AdminRefusal::Invalid(self.0))
        }
    }
}
