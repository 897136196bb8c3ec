//! What the auth database has committed to tell: read as the owner, and never written.

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use uuid::Uuid;

use crate::stack::Stack;

/// A row of the outbox.
#[derive(Debug)]
pub struct Committed {
    /// In the order in which decisions were taken, within an aggregate.
    pub id: i64,
    pub event_id: Uuid,
    pub tenant_id: Uuid,
    pub aggregate: Uuid,
    pub core: Vec<u8>,
}

/// Every event of a tenant, or of all, in order of id.
///
/// # Errors
/// If the database gives no answer.
pub async fn committed(stack: &Stack, tenant_id: Option<Uuid>) -> Result<Vec<Committed>> {
    let mut connection = open(&stack.postgres.auth_url).await?;
    let rows: Vec<(i64, Uuid, Uuid, Uuid, Vec<u8>)> = sqlx::query_as(
        "SELECT id, event_id, tenant_id, aggregate, core FROM outbox WHERE $1 IS NULL OR tenant_id = $1 ORDER BY id",
    )
    .bind(tenant_id)
    .fetch_all(&mut connection)
    .await?;
    let row = |(id, event_id, tenant_id, aggregate, core)| Committed {
        id,
        event_id,
        tenant_id,
        aggregate,
        core,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// How many events the audit store holds, of all tenants.
///
/// # Errors
/// If the database gives no answer.
pub async fn stored_events(stack: &Stack) -> Result<i64> {
    let mut connection = open(&stack.postgres.audit_url).await?;
    let count = sqlx::query_scalar("SELECT count(*) FROM event")
        .fetch_one(&mut connection)
        .await?;
    Ok(count)
}

/// How often the refresh token of a session was rotated.
///
/// # Errors
/// If there is no such session.
pub async fn generation(stack: &Stack, session: Uuid) -> Result<i32> {
    let mut connection = open(&stack.postgres.auth_url).await?;
    let generation = sqlx::query_scalar("SELECT generation FROM session WHERE id = $1")
        .bind(session)
        .fetch_one(&mut connection)
        .await?;
    Ok(generation)
}

/// Everything that the auth database holds in a table, row by row, as text.
///
/// # Errors
/// If the database gives no answer.
pub async fn dump(stack: &Stack, table: &str) -> Result<Vec<String>> {
    let mut connection = open(&stack.postgres.auth_url).await?;
    let statement = format!("SELECT row_to_json(r)::text FROM {table} r");
    Ok(sqlx::query_scalar(AssertSqlSafe(statement))
        .fetch_all(&mut connection)
        .await?)
}

async fn open(url: &str) -> Result<PgConnection> {
    let mut connection = PgConnection::connect(url)
        .await
        .context("the database cannot be inspected")?;
    sqlx::query("SET default_transaction_read_only = on")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}
