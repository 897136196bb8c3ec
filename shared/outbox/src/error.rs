//! What can go wrong here.

use credo_postgres::classify;

/// Why the outbox could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The database refused or did not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The database holds what it cannot hold. Nothing may be published before somebody has looked.
    #[error("the outbox is inconsistent: {0}")]
    Inconsistent(String),
}

impl OutboxError {
    /// Whether the same may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Database(error) if classify(error).is_transient())
    }

    pub(crate) fn inconsistent(what: &impl ToString) -> Self {
        Self::Inconsistent(what.to_string())
    }
}
