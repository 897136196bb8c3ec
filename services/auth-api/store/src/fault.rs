//! What goes wrong with the database, apart from what it decides.

use credo_postgres::classify;

/// A statement that gave no answer. Its text is for the log, never for a client.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database did not answer in time, or not at all; asking again later may help.
    #[error("the database gave no answer: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Too much is asked of it at once; nothing was changed, or what was is found by running it again.
    #[error("too much to do: {0}")]
    Overloaded(&'static str),
    /// A row or an answer that cannot be.
    #[error("the database gave an impossible answer: {0}")]
    Impossible(&'static str),
    /// A statement that the database refused: a defect.
    #[error("the database refused a statement: {0}")]
    Refused(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        if classify(&error).is_transient() {
            Self::Unavailable(error)
        } else {
            Self::Refused(error)
        }
    }
}
