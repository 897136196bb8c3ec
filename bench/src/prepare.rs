//! What a benchmark needs beside the demo: people enough that no two requests meet, limits that run and do not bind, and a
//! database of its own for what is no part of Credo.

use anyhow::{Context as _, Result, ensure};
use sqlx::{Connection as _, PgConnection};
use tokio::process::Command;

use crate::{floor::programs, stack::Stack};

/// People of each connection: one is never asked for twice at a time.
pub const PEOPLE_OF_EACH: usize = 8;
/// The benchmark's own database.
pub const DATABASE: &str = "credo_bench";

/// The tenant trusts bare addresses; everybody has the demo person's password; nothing is limited below a million a minute.
const SEED: &str = "
    UPDATE tenant SET dangerous_trust_email = true, version = version + 1 WHERE id = $1;
    INSERT INTO rate_limit (tenant_id, client_id, class, per_minute)
    SELECT $1, NULL, class, 1000000 FROM generate_series(1, 6) AS class
    ON CONFLICT DO NOTHING;
    WITH person AS (
        INSERT INTO app_user (id, tenant_id, email, email_verified, display_name)
        SELECT gen_random_uuid(), $1, 'bench-' || number || '@demo.example', true, 'Bench ' || number
        FROM generate_series(0, $2 - 1) AS number
        RETURNING id
    )
    INSERT INTO password (user_id, tenant_id, hash)
    SELECT person.id, $1, known.hash
    FROM person, (SELECT p.hash FROM password p JOIN app_user u ON u.id = p.user_id
                  WHERE u.tenant_id = $1 AND u.email = $3) known";

/// The addresses of the people of a connection.
pub fn emails(connection: usize) -> Vec<String> {
    let first = connection * PEOPLE_OF_EACH;
    (first..first + PEOPLE_OF_EACH)
        .map(|number| format!("bench-{number}@demo.example"))
        .collect()
}

/// Makes people and limits in auth-api's database, before anybody has asked for them.
pub async fn seed(stack: &Stack, connections: usize) -> Result<()> {
    let mut auth = PgConnection::connect(&stack.superuser_url("credo_auth")?).await?;
    let tenant: sqlx::types::Uuid = stack.demo.tenant_id.parse()?;
    for statement in SEED.split(';') {
        let mut query = sqlx::query(statement).bind(tenant);
        if statement.contains("$3") {
            let people = i32::try_from(connections * PEOPLE_OF_EACH)?;
            query = query.bind(people).bind(&stack.user()?.email);
        }
        query.execute(&mut auth).await?;
    }
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut auth).await?;
    Ok(())
}

/// Makes the benchmark's own database with the tables of auth-api's, all of them empty.
pub async fn make_database(stack: &Stack) -> Result<()> {
    let mut server = PgConnection::connect(&stack.superuser_url("postgres")?).await?;
    sqlx::raw_sql("CREATE DATABASE credo_bench TEMPLATE template0")
        .execute(&mut server)
        .await?;
    let programs = programs()?;
    let dumped = Command::new(programs.join("pg_dump"))
        .args(["--schema-only", "--no-owner", "--no-privileges"])
        .arg(stack.superuser_url("credo_auth")?)
        .output()
        .await
        .context("pg_dump")?;
    ensure!(
        dumped.status.success(),
        "pg_dump: {}",
        String::from_utf8_lossy(&dumped.stderr)
    );
    let schema = String::from_utf8(dumped.stdout)?;
    // Lines for psql alone, as newer versions write them.
    let schema: String = schema
        .lines()
        .filter(|line| !line.starts_with('\\'))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut bench = PgConnection::connect(&stack.superuser_url(DATABASE)?).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(schema)).execute(&mut bench).await?;
    Ok(())
}
