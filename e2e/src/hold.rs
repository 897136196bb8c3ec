//! What a session of the test keeps from the services: a row, or every connection that is left. Never writes.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

/// More than any server of the stack lets in.
const MAX_CONNECTIONS: usize = 1_000;
/// So often in a row must the server refuse a connection.
const REFUSALS: usize = 3;

/// What is held until this is dropped.
#[derive(Debug)]
pub struct Hold(Vec<PgConnection>);

impl Hold {
    /// Locks the row of a session.
    ///
    /// # Errors
    /// If there is none.
    pub async fn session(auth_url: &str, session: &str) -> Result<Self> {
        let mut connection = PgConnection::connect(auth_url).await?;
        sqlx::query("BEGIN READ WRITE").execute(&mut connection).await?;
        let session: Uuid = session.parse()?;
        let found = sqlx::query("SELECT 1 FROM session WHERE id = $1 FOR UPDATE")
            .bind(session)
            .fetch_optional(&mut connection)
            .await?;
        ensure!(found.is_some(), "there is no row of the session");
        Ok(Self(vec![connection]))
    }

    /// Takes every connection that the server has left.
    ///
    /// # Errors
    /// If it does not refuse one for want of room.
    pub async fn every_connection(url: &str) -> Result<Self> {
        let (mut held, mut refusals) = (Vec::new(), 0);
        while refusals < REFUSALS {
            ensure!(held.len() < MAX_CONNECTIONS, "the server lets everybody in");
            match PgConnection::connect(url).await {
                Ok(connection) => held.push(connection),
                Err(error) => {
                    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
                    ensure!(
                        code.as_deref() == Some("53300"),
                        "the server refuses for another reason: {error}"
                    );
                    refusals += 1;
                    tokio::time::sleep(Duration::from_millis(50)).await; // one that was closing may be free
                }
            }
        }
        held.first().context("there was no connection to take")?;
        Ok(Self(held))
    }

    /// How many sessions hold it.
    pub const fn sessions(&self) -> usize {
        self.0.len()
    }
}
