//! Connection pools of the serving processes.

use std::{str::FromStr as _, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{
    Connection as _, PgConnection, PgPool,
    pool::PoolConnectionMetadata,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

/// How long a caller waits for a connection before the pool says that it has none.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection that was not used for so long is pinged first. Much longer than the pause between two statements under load.
const TRUSTED_IDLE: Duration = Duration::from_millis(100);
/// A connection that does not answer a ping within this is given up for a new one, while there is still time to wait for that.
const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// What a pool is made of.
#[derive(Debug, Clone, Copy)]
pub struct PoolSpec<'a> {
    /// `postgres://role:password@host:port/database`.
    pub url: &'a SecretString,
    /// What the server's views and logs call the connections.
    pub application_name: &'a str,
    /// The most connections at one time.
    pub max_connections: u32,
    /// After this the server cancels a statement.
    pub statement_timeout: Duration,
    /// After this the server gives up waiting for a lock.
    pub lock_timeout: Duration,
    /// Further settings of each connection, such as `("plan_cache_mode", "force_generic_plan")`.
    pub settings: &'a [(&'a str, &'a str)],
}

/// A database URL that cannot be read. Does not repeat it: it holds a password.
#[derive(Debug, thiserror::Error)]
#[error("not a database URL such as postgres://role:password@host:5432/database: {0}")]
pub struct InvalidUrl(String);

/// A pool that connects when it is first asked for a connection, and waits at most two seconds for one.
///
/// Connections in steady use are not pinged: a dead one shows itself in the statement, which is retried. Those that were idle
/// are: after a restart of the server all of them are dead, more than any retry would go through.
///
/// # Errors
/// When the URL cannot be read. An unreachable server is not an error here.
pub fn connect_lazy(spec: &PoolSpec<'_>) -> Result<PgPool, InvalidUrl> {
    let options = connect_options(spec)?;
    Ok(PgPoolOptions::new()
        .max_connections(spec.max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| Box::pin(is_alive(connection, metadata)))
        .connect_lazy_with(options))
}

/// What one connection of such a pool is opened with.
///
/// # Errors
/// When the URL cannot be read.
pub fn connect_options(spec: &PoolSpec<'_>) -> Result<PgConnectOptions, InvalidUrl> {
    let options = PgConnectOptions::from_str(spec.url.expose_secret())
        .map_err(|error| InvalidUrl(without_prefix(&error)))?
        .application_name(spec.application_name)
        .options([
            ("statement_timeout", milliseconds(spec.statement_timeout)),
            ("lock_timeout", milliseconds(spec.lock_timeout)),
        ])
        .options(spec.settings.iter().copied());
    Ok(options)
}

async fn is_alive(connection: &mut PgConnection, metadata: PoolConnectionMetadata) -> Result<bool, sqlx::Error> {
    if metadata.idle_for < TRUSTED_IDLE {
        return Ok(true);
    }
    match timeout(PING_TIMEOUT, connection.ping()).await {
        Ok(Ok(())) => return Ok(true),
        Ok(Err(error)) => tracing::info!(%error, "an idle connection is dead"),
        Err(_) => tracing::info!("an idle connection gives no answer"),
    }
    Ok(false)
}

fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

/// The parser's own words, without "error with configuration:".
fn without_prefix(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(reason) => reason.to_string(),
        other => other.to_string(),
    }
}
