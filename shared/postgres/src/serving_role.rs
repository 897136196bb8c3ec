//! What a serving process checks about its own role before it serves.

use sqlx::PgPool;

/// Why a role must not serve.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// An acknowledged commit could be lost, and its event with it.
    #[error("role {role} has synchronous_commit = {value}; ALTER ROLE {role} SET synchronous_commit = on")]
    MayLoseCommits {
        /// The role.
        role: String,
        /// The setting's value.
        value: String,
    },
    /// Row-level security and grants do not bind it.
    #[error("role {0} is a superuser; serve under the role that credo-migrate made")]
    Superuser(String),
    /// It could replace the tables that it reads.
    #[error("role {0} may create objects in schema public; serve under the role that credo-migrate made")]
    CanChangeSchema(String),
    /// The database did not answer.
    #[error("the role could not be checked: {0}")]
    Query(#[from] sqlx::Error),
}

/// Checks that the pool's role commits durably, cannot change the schema and is no superuser.
///
/// # Errors
/// [`RoleError::Query`] when the database does not answer (try again), else what is wrong with the role.
pub async fn assert_serving_role(pool: &PgPool) -> Result<(), RoleError> {
    let found = sqlx::query_file!("sql/serving_role.sql").fetch_one(pool).await?;
    let role = found.role;
    // `remote_write` and `remote_apply` wait for the local disk too; `local` would survive a crash, but not a failover.
    if !matches!(
        found.synchronous_commit.as_str(),
        "on" | "remote_write" | "remote_apply"
    ) {
        return Err(RoleError::MayLoseCommits {
            role,
            value: found.synchronous_commit,
        });
    }
    if found.is_superuser {
        return Err(RoleError::Superuser(role));
    }
    if found.can_create {
        return Err(RoleError::CanChangeSchema(role));
    }
    Ok(())
}
