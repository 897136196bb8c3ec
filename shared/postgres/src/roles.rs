//! The login roles of the serving processes: their names, and how they are made.
//!
//! A role is cluster-wide, so two databases of one server share them, and two runs may collide: every step may be
//! repeated. A password reaches the server only as a SCRAM verifier, which may stand in its log.

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, error::DatabaseError};

use crate::scram::{self, UnusablePassword};

/// auth-api, in the auth database.
pub const AUTH_API: &str = "credo_auth_api";
/// outbox-relay, in the auth database.
pub const OUTBOX_RELAY: &str = "credo_outbox_relay";
/// audit-consumer, in the audit database.
pub const AUDIT_CONSUMER: &str = "credo_audit_consumer";
/// Queries over the audit database.
pub const AUDIT_READER: &str = "credo_audit_reader";

/// Every serving role.
pub const ALL: [&str; 4] = [AUTH_API, OUTBOX_RELAY, AUDIT_CONSUMER, AUDIT_READER];

/// Held by a run, so that runs in one database come one after the other.
const ADVISORY_LOCK: i64 = 0x6372_6564_6f72_6f6c;
/// How often a step is tried that collides with runs in other databases.
const ATTEMPTS: usize = 10;

/// A serving role as it shall be.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its name, one of [`ALL`].
    pub name: &'static str,
    /// Its password; `None` leaves the one that it has.
    pub password: Option<SecretString>,
}

/// Why a role could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RolesError {
    /// It does not exist, and the owner may not make it.
    #[error(
        "role {0} does not exist and the database's owner may not create roles: create it, or give the owner CREATEROLE"
    )]
    MayNotCreate(&'static str),
    /// The password cannot be hashed here.
    #[error("the password of role {role} {reason}")]
    Password {
        /// The role.
        role: &'static str,
        /// Why not.
        reason: UnusablePassword,
    },
    /// The database refused or did not answer.
    #[error("role {role}: {source}")]
    Query {
        /// The role.
        role: &'static str,
        /// What it said.
        source: sqlx::Error,
    },
    /// The database did not answer.
    #[error("roles: {0}")]
    Database(#[from] sqlx::Error),
}

/// Makes the roles that are missing, and gives each its durable commits and its password.
///
/// An owner that may not alter a role that exists leaves it as it is, with a warning in the log: then somebody else
/// looks after the roles, and [`crate::assert_serving_role`] will say if they did not.
///
/// # Errors
/// When a role is missing and may not be made, or the database refuses.
pub async fn ensure(connection: &mut PgConnection, roles: &[Role]) -> Result<(), RolesError> {
    let mut transaction = connection.begin().await?;
    sqlx::query_file!("sql/roles_lock.sql", ADVISORY_LOCK)
        .execute(&mut *transaction)
        .await?;
    for role in roles {
        ensure_one(&mut transaction, role).await?;
    }
    Ok(transaction.commit().await?)
}

async fn ensure_one(transaction: &mut PgConnection, role: &Role) -> Result<(), RolesError> {
    let name = role.name;
    let failed = |source| RolesError::Query { role: name, source };
    if !exists(transaction, name).await.map_err(failed)? {
        match execute(transaction, format!("CREATE ROLE {name} LOGIN")).await {
            Ok(()) => {}
            Err(error) if has_code(&error, &["42501"]) => return Err(RolesError::MayNotCreate(name)),
            Err(error) if has_code(&error, &["42710", "23505"]) => {} // another run was faster
            Err(error) => return Err(failed(error)),
        }
    }
    let mut changes = vec!["SET synchronous_commit = on".to_owned()];
    if let Some(password) = &role.password {
        let verifier = scram::verifier(password).map_err(|reason| RolesError::Password { role: name, reason })?;
        // Base64, digits, `$`, `:` and `-`: nothing in it ends a literal.
        changes.push(format!("LOGIN PASSWORD '{verifier}'"));
    }
    for change in changes {
        match execute(transaction, format!("ALTER ROLE {name} {change}")).await {
            Err(error) if has_code(&error, &["42501"]) => {
                tracing::warn!(
                    role = name,
                    "the database's owner may not alter the role; left as it is"
                );
                return Ok(());
            }
            result => result.map_err(failed)?,
        }
    }
    Ok(())
}

async fn exists(transaction: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    sqlx::query_file_scalar!("sql/role_exists.sql", name)
        .fetch_one(transaction)
        .await
}

/// Runs a statement about roles in a savepoint; again when a run in another database changed the same role at the same
/// time (XX000, "tuple concurrently updated"): by then that run has committed.
async fn execute(transaction: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    let mut attempts_left = ATTEMPTS;
    loop {
        let mut savepoint = transaction.begin().await?;
        let result = sqlx::raw_sql(AssertSqlSafe(statement.clone()))
            .execute(&mut *savepoint)
            .await;
        attempts_left -= 1;
        match result {
            Ok(_) => return savepoint.commit().await,
            Err(error) if has_code(&error, &["XX000"]) && attempts_left > 0 => savepoint.rollback().await?,
            Err(error) => {
                savepoint.rollback().await?;
                return Err(error);
            }
        }
    }
}

fn has_code(error: &sqlx::Error, codes: &[&str]) -> bool {
    error
        .as_database_error()
        .and_then(DatabaseError::code)
        .is_some_and(|code| codes.contains(&code.as_ref()))
}
