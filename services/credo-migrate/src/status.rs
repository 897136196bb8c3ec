//! `status`: which migrations are applied. Changes nothing, so it also works before the first `up`.

use std::{collections::HashMap, io::Write as _};

use anyhow::Context as _;
use credo_postgres::schema::Database;
use sqlx::{
    PgConnection,
    migrate::{AppliedMigration, Migrate as _},
};

use crate::{cli::Target, connect::connect, settings::Settings};

/// Prints one line per migration: database, version, description, state.
///
/// # Errors
/// When a database does not answer.
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    let mut lines = String::new();
    for database in Target::All.databases() {
        let mut connection = connect(settings, *database).await?;
        lines.push_str(&lines_of(*database, &applied(&mut connection, *database).await?));
    }
    std::io::stdout().write_all(lines.as_bytes())?;
    Ok(())
}

async fn applied(connection: &mut PgConnection, database: Database) -> anyhow::Result<HashMap<i64, AppliedMigration>> {
    let table = &database.migrator().table_name;
    let exists = sqlx::query_file_scalar!("sql/table_exists.sql", table.as_ref())
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        return Ok(HashMap::new());
    }
    let applied = connection
        .list_applied_migrations(table)
        .await
        .with_context(|| format!("migrations of the {} database", database.name()))?;
    Ok(applied
        .into_iter()
        .map(|migration| (migration.version, migration))
        .collect())
}

fn lines_of(database: Database, applied: &HashMap<i64, AppliedMigration>) -> String {
    let migrations = database.migrator();
    let known = migrations.iter().map(|migration| {
        let state = match applied.get(&migration.version) {
            Some(applied) if applied.checksum == migration.checksum => "applied",
            Some(_) => "applied, but changed since",
            None => "pending",
        };
        format!(
            "{:<5}  {}  {:<30}  {state}\n",
            database.name(),
            migration.version,
            migration.description
        )
    });
    let mut newer: Vec<_> = applied
        .keys()
        .filter(|version| !migrations.version_exists(**version))
        .collect();
    newer.sort();
    let newer = newer.into_iter().map(|version| {
        format!(
            "{:<5}  {version}  {:<30}  applied by a newer program\n",
            database.name(),
            ""
        )
    });
    known.chain(newer).collect()
}
