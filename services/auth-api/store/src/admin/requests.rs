//! The ids of calls that are too old to be repeated.

use tracing::instrument;

use crate::{Fault, Store};

/// Held while rows are removed: of several replicas one does it.
const ADVISORY_LOCK: i64 = 0x6372_6564_6f72_7131;

impl Store {
    /// Removes at most `limit` ids of calls that are older than 24 hours, and tells how many there were; none while another
    /// replica does it.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn purge_admin_requests(&self, limit: i64) -> Result<u64, Fault> {
        let done = sqlx::query_file!("sql/admin_request_purge.sql", ADVISORY_LOCK, limit)
            .execute(&self.cold)
            .await?;
        Ok(done.rows_affected())
    }
}
