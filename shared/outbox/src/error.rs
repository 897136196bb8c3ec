//! What can go wrong here.

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
    pub(crate) fn inconsistent(what: &impl ToString) -> Self {
        Self::Inconsistent(what.to_string())
    }
}
