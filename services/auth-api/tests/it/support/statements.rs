//! What a request costs: the statements that the server saw, by the name in front of each.

use std::collections::BTreeMap;

use credo_testkit::sqlx;

use super::World;

/// Statements of the role since the last reset, but for the feed's and those that tell of limits: they run by themselves.
const COUNT: &str = "
    SELECT coalesce(substring(s.query FROM '^/\\* (\\w+) \\*/'), s.query) AS name, sum(s.calls)::bigint AS calls
    FROM pg_stat_statements s
    WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND s.userid = 'credo_auth_api'::regrole
      AND s.query NOT LIKE '/* revocation_poll */%' AND s.query NOT LIKE '/* rate_window_%'
    GROUP BY 1";
/// Above this many entries the server begins to forget some.
const MAX_ENTRIES: i64 = 3_000;

/// Names and numbers of statements.
pub type Statements = BTreeMap<String, i64>;

impl World {
    /// Prepares the database for [`World::statements_of`].
    pub async fn count_statements(&self) {
        self.sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await;
        if self.number("SELECT count(*) FROM pg_stat_statements").await > MAX_ENTRIES {
            self.sql("SELECT pg_stat_statements_reset()").await;
        }
    }

    /// What `work` gives, and the statements that the service ran meanwhile.
    pub async fn statements_of<T>(&self, work: impl Future<Output = T>) -> (T, Statements) {
        self.sql(
            "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)",
        )
        .await;
        let result = work.await;
        let rows: Vec<(String, i64)> = sqlx::query_as(COUNT).fetch_all(self.owner()).await.unwrap();
        (result, rows.into_iter().collect())
    }
}

/// A table of expected statements.
pub fn statements<const N: usize>(expected: [(&str, i64); N]) -> Statements {
    expected.map(|(name, calls)| (name.to_owned(), calls)).into()
}
