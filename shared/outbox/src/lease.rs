//! Who of several relays works. It saves work: two at once would publish the same records twice, and nothing worse.

use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

use crate::OutboxError;

/// A named lease, as one process competes for it.
#[derive(Debug, Clone)]
pub struct Lease {
    name: &'static str,
    holder: Uuid,
    ttl: Duration,
}

/// The number of a holding: it rises when the lease changes hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term(i64);

impl Lease {
    /// The lease `name` for `holder`, an id that this process alone has; an unrenewed holding ends after `ttl`.
    #[must_use]
    pub const fn new(name: &'static str, holder: Uuid, ttl: Duration) -> Self {
        Self { name, holder, ttl }
    }

    /// Takes or renews it. `None`: somebody else holds it.
    ///
    /// # Errors
    /// When the database refuses or does not answer; a holding then ends with its time.
    pub async fn take(&self, pool: &PgPool) -> Result<Option<Term>, OutboxError> {
        let term = sqlx::query_file_scalar!("sql/lease_take.sql", self.name, self.holder, self.ttl.as_secs_f64())
            .fetch_optional(pool)
            .await?;
        Ok(term.map(Term))
    }

    /// Ends the holding `term` now, so that nobody has to wait for its time.
    ///
    /// # Errors
    /// When the database refuses or does not answer; the holding then ends with its time.
    pub async fn resign(&self, pool: &PgPool, term: Term) -> Result<(), OutboxError> {
        sqlx::query_file!("sql/lease_resign.sql", self.name, self.holder, term.0)
            .execute(pool)
            .await?;
        Ok(())
    }
}
