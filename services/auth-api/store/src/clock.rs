//! The database's clock, which dates every row.

use time::OffsetDateTime;

use crate::{Fault, Store};

impl Store {
    /// The time in the database, now and not as it was last learned.
    ///
    /// # Errors
    /// If the database gives no answer.
    pub async fn now(&self) -> Result<OffsetDateTime, Fault> {
        let row = sqlx::query_file!("sql/clock.sql").fetch_one(&self.hot).await?;
        Ok(row.now)
    }
}
