//! What the replicas let through, added up bucket by bucket.
//!
//! Off the way of every request. A lost answer may be added a second time: that makes a limit stricter, never looser.

use credo_ids::TenantId;
use time::OffsetDateTime;
use tracing::instrument;

use crate::{Fault, Store};

/// What is counted: one thing of one tenant, in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowKey {
    /// Whose limit it is.
    pub tenant_id: TenantId,
    /// SHA-256 of what is counted.
    pub bucket: [u8; 32],
    /// When the window began.
    pub begins_at: OffsetDateTime,
}

/// Requests that were let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// In which window.
    pub key: WindowKey,
    /// How many.
    pub count: u32,
}

impl Store {
    /// Adds what this replica let through, each window once, and gives what all replicas did.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(count = tallies.len()))]
    pub async fn add_to_rate_windows(&self, tallies: &[Tally]) -> Result<Vec<Tally>, Fault> {
        let count = |tally: &Tally| i32::try_from(tally.count).unwrap_or(i32::MAX);
        let keys = || tallies.iter().map(|tally| tally.key);
        let rows = sqlx::query_file!(
            "sql/rate_window_add.sql",
            &keys().map(|key| key.tenant_id.as_uuid()).collect::<Vec<_>>(),
            &keys().map(|key| key.begins_at).collect::<Vec<_>>(),
            &keys().map(|key| key.bucket.to_vec()).collect::<Vec<_>>(),
            &tallies.iter().map(count).collect::<Vec<_>>()
        )
        .fetch_all(&self.cold)
        .await?;
        let totals = rows.into_iter().map(|row| {
            let bucket = row.bucket.try_into();
            Ok(Tally {
                key: WindowKey {
                    tenant_id: row.tenant_id.into(),
                    bucket: bucket.map_err(|_| Fault::Impossible("rate_window.bucket"))?,
                    begins_at: row.begins_at,
                },
                count: u32::try_from(row.count).map_err(|_| Fault::Impossible("rate_window.count"))?,
            })
        });
        totals.collect()
    }

    /// Forgets the windows that are over.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn purge_rate_windows(&self) -> Result<(), Fault> {
        sqlx::query_file!("sql/rate_window_purge.sql")
            .execute(&self.cold)
            .await?;
        Ok(())
    }
}
