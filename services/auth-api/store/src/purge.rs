//! Removing what is over (DESIGN section 12), a page at a time.
//!
//! Each statement walks a table by its primary key, so that nothing that requests update needs an index. It removes under
//! locks that it got at once: what somebody holds is left, and nobody waits for longer than the statement takes. Of several
//! replicas one does it at a time. Invariant: a row that goes was dead in itself, by every rule of the statements that issue.

use credo_ids::TenantId;
use tracing::instrument;
use uuid::Uuid;

use crate::{Fault, Store};

/// Held while rows are removed.
const ADVISORY_LOCK: i64 = 0x6372_6564_6f70_7531;

/// One page of a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<P> {
    /// How many rows were looked at.
    pub looked_at: u64,
    /// How many were removed.
    pub removed: u64,
    /// Where the next page begins; nothing if this was the last.
    pub next: Option<P>,
}

/// A place among the counted attempts: tenant and account.
pub type AttemptPlace = (TenantId, Vec<u8>);

impl<P> Page<P> {
    fn new((looked_at, removed): (i64, i64), limit: i64, last: Option<P>) -> Self {
        Self {
            looked_at: looked_at.unsigned_abs(),
            removed: removed.unsigned_abs(),
            next: last.filter(|_| looked_at >= limit),
        }
    }
}

impl Store {
    /// Removes sessions that ended 24 hours ago and codes that were over 10 minutes ago, of at most `limit` with ids between
    /// `after` and `until`. Nothing if another replica is at it.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn purge_sessions(&self, (after, until): (Uuid, Uuid), limit: i64) -> Result<Option<Page<Uuid>>, Fault> {
        let row = sqlx::query_file!("sql/session_purge.sql", ADVISORY_LOCK, after, until, limit)
            .fetch_one(&self.cold)
            .await?;
        Ok(row
            .held
            .then(|| Page::new((row.looked_at, row.removed), limit, row.last_id)))
    }

    /// The same of sign-ins of browsers that ended 24 hours ago.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn purge_browser_sessions(&self, after: Uuid, limit: i64) -> Result<Option<Page<Uuid>>, Fault> {
        let row = sqlx::query_file!("sql/browser_session_purge.sql", ADVISORY_LOCK, after, limit)
            .fetch_one(&self.cold)
            .await?;
        Ok(row
            .held
            .then(|| Page::new((row.looked_at, row.removed), limit, row.last_id)))
    }

    /// The same of counts of attempts to sign in that nothing follows from any more.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn purge_sign_in_attempts(
        &self,
        after: &AttemptPlace,
        limit: i64,
    ) -> Result<Option<Page<AttemptPlace>>, Fault> {
        let (tenant, account) = (after.0.as_uuid(), &after.1[..]);
        let row = sqlx::query_file!("sql/sign_in_attempt_purge.sql", ADVISORY_LOCK, tenant, account, limit)
            .fetch_one(&self.cold)
            .await?;
        let last = row.last_tenant_id.map(TenantId::from).zip(row.last_account);
        Ok(row.held.then(|| Page::new((row.looked_at, row.removed), limit, last)))
    }

    /// Of the `limit` oldest rows of the revocation feed, removes those that were over an hour ago; tells how many there were.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn purge_revocations(&self, limit: i64) -> Result<u64, Fault> {
        let done = sqlx::query_file!("sql/revocation_purge.sql", ADVISORY_LOCK, limit)
            .execute(&self.cold)
            .await?;
        Ok(done.rows_affected())
    }
}
