//! The two databases: their migrations, and who may connect to them.
//!
//! The one place that knows how a database is prepared; the migration program and the tests use it alike.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, PgConnection,
    migrate::{MigrateError, Migrator},
};
use tokio::time::sleep;

use crate::roles;

static AUTH: Migrator = sqlx::migrate!("../../migrations/auth");
static AUDIT: Migrator = sqlx::migrate!("../../migrations/audit");

/// Held by the run that migrates.
const TURN: i64 = 0x6372_6564_6f6d_6967;
/// How often a run that waits for another asks whether it is over.
const TURN_POLL: Duration = Duration::from_millis(100);

/// One of Credo's databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// Tenants, clients, users, sessions and the outbox.
    Auth,
    /// The audit trail.
    Audit,
}

impl Database {
    /// Its short name: `auth` or `audit`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Audit => "audit",
        }
    }

    /// Its migrations, in order.
    #[must_use]
    pub fn migrator(self) -> &'static Migrator {
        match self {
            Self::Auth => &AUTH,
            Self::Audit => &AUDIT,
        }
    }

    /// The serving roles that work in it.
    #[must_use]
    pub fn roles(self) -> &'static [&'static str] {
        match self {
            Self::Auth => &[roles::AUTH_API, roles::OUTBOX_RELAY],
            Self::Audit => &[roles::AUDIT_CONSUMER, roles::AUDIT_READER],
        }
    }

    /// Lets its roles connect, and nobody else but owners and superusers.
    ///
    /// # Errors
    /// When the connection is not the owner's.
    pub async fn restrict_connections(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let database = sqlx::query_file_scalar!("sql/database_name.sql")
            .fetch_one(&mut *connection)
            .await?;
        let roles = self.roles().join(", ");
        let statement =
            format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC; GRANT CONNECT ON DATABASE {database} TO {roles}");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(connection)
            .await
            .map(drop)
    }

    /// Applies the migrations that are missing. The roles must exist. Two runs at once are safe: one waits.
    ///
    /// # Errors
    /// When a migration fails, or one that was applied is not the one that is here now.
    pub async fn migrate(self, connection: &mut PgConnection) -> Result<(), MigrateError> {
        // Asked for again and again: a statement that waits for the lock holds a snapshot, and an index that is built
        // concurrently waits for every snapshot, so that the two would wait for each other.
        while !try_turn(connection).await? {
            sleep(TURN_POLL).await;
        }
        let done = self.migrator().run(&mut *connection).await;
        sqlx::query("SELECT pg_advisory_unlock($1)")
            .bind(TURN)
            .execute(connection)
            .await?;
        done
    }
}

async fn try_turn(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(TURN)
        .fetch_one(connection)
        .await
}
