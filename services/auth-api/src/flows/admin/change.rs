//! A change that an administrator asks for: who calls, under which id, on which condition, and why.

use std::convert::Infallible;

use credo_auth_store::admin::{Effect, Mutation, Taken, Unmade};

use super::{AdminCall, AdminRefusal};
use crate::{app::App, refusal::Refusal};

/// A call that changes something.
#[derive(Clone, Debug)]
pub struct Change {
    /// The call.
    pub call: AdminCall,
    /// What the database must know of it.
    pub mutation: Mutation,
    /// Why, in the words of whoever calls.
    pub reason: Option<Reason>,
}

/// Why something is changed, for its event: 1 to 500 characters, none of them a control character.
#[derive(Clone, Debug)]
pub struct Reason(String);

impl Reason {
    /// Most characters.
    const MAX_CHARACTERS: usize = 500;

    /// The reason, if it is one.
    ///
    /// # Errors
    /// If it is empty, too long or not plain text.
    pub fn parse(text: String) -> Result<Self, AdminRefusal> {
        let is_plain = !text.chars().any(char::is_control) && !text.trim().is_empty();
        if is_plain && text.chars().count() <= Self::MAX_CHARACTERS {
            Ok(Self(text))
        } else {
            Err(AdminRefusal::invalid(
                "reason",
                "must have 1 to 500 characters, none of them a control character, and not be blank",
            ))
        }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a change is to be felt: it was not only checked.
pub(super) fn is_felt(effect: Effect) -> bool {
    effect != Effect::Validated
}

/// Why a change of a `resource` was not made.
pub(super) fn not_made<R: Into<AdminRefusal>>(app: &App, resource: &'static str, unmade: Unmade<R>) -> AdminRefusal {
    match unmade {
        Unmade::NotFound => AdminRefusal::NotFound(resource),
        Unmade::VersionMismatch => AdminRefusal::EtagMismatch(resource),
        Unmade::RequestIdReused => AdminRefusal::RequestIdReused,
        Unmade::Refused(refusal) => refusal.into(),
        Unmade::Fault(fault) => {
            app.metrics.compliance_persist_failures.inc();
            Refusal::from(fault).into()
        }
    }
}

impl From<Infallible> for AdminRefusal {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<Taken> for AdminRefusal {
    fn from(taken: Taken) -> Self {
        Self::AlreadyExists(taken.field)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn reasons_are_short_and_plain() {
        let longest = "ü".repeat(500);
        assert_eq!(Reason::parse(longest.clone()).unwrap().as_str(), longest);
        for bad in ["", "  ", "a\nb", "a\u{0}", &"x".repeat(501)] {
            assert!(Reason::parse(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
