//! `up`: roles, then migrations, then who may connect. Every step may be repeated.

use anyhow::Context as _;
use credo_postgres::{roles, schema::Database};
use sqlx::Connection as _;

use crate::{cli::Target, connect::connect, settings::Settings};

/// Brings the databases of `target` up to date.
///
/// # Errors
/// At the first step that fails; those before it stand.
pub async fn run(settings: &Settings, target: Target) -> anyhow::Result<()> {
    for database in target.databases() {
        prepare(settings, *database).await?;
    }
    Ok(())
}

async fn prepare(settings: &Settings, database: Database) -> anyhow::Result<()> {
    let name = database.name();
    let mut connection = connect(settings, database).await?;
    roles::ensure(&mut connection, &settings.roles_of(database)).await?;
    database
        .migrate(&mut connection)
        .await
        .with_context(|| format!("migrations of the {name} database"))?;
    database
        .restrict_connections(&mut connection)
        .await
        .with_context(|| format!("who may connect to the {name} database"))?;
    connection.close().await?;
    tracing::info!(
        database = name,
        migrations = database.migrator().iter().count(),
        "database is up to date"
    );
    Ok(())
}
