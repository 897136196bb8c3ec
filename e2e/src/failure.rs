//! Why a step failed: a line that tells the whole chain of causes.

use std::fmt;

/// What a step comes to.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// An error whose plain form is the whole chain: it is all that the report of a failed step shows.
pub struct Failure(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#}", self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Ends a step, or what it is made of, unless something holds.
macro_rules! ensure {
    ($holds:expr, $($otherwise:tt)+) => {
        if !$holds {
            return Err(anyhow::anyhow!($($otherwise)+).into());
        }
    };
}
pub(crate) use ensure;
