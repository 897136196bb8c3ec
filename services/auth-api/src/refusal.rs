//! Why a use case gave no answer: a denial of the domain, or a fault of ours.
//!
//! The text of a fault is logged where it is answered and never shown.

use credo_auth_domain::Denial;
use credo_auth_store::Fault;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The rules refuse it.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// Something that we need gives no answer, or we have too much to do; later it may work.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A defect.
    #[error("internal: {0}")]
    Internal(String),
}

impl Refusal {
    /// A defect, with what is to be logged of it.
    #[must_use]
    pub fn internal(text: &str) -> Self {
        Self::Internal(text.to_owned())
    }

    /// Too much to do, with what is to be logged of it.
    #[must_use]
    pub fn overloaded(text: &str) -> Self {
        Self::Unavailable(text.to_owned())
    }
}

impl From<&Fault> for Refusal {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Unavailable(_) | Fault::Overloaded(_) => Self::Unavailable(fault.to_string()),
            Fault::Impossible(_) | Fault::Refused(_) => Self::Internal(fault.to_string()),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::from(&fault)
    }
}

impl From<aws_lc_rs::error::Unspecified> for Refusal {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::internal("the system has no randomness")
    }
}
