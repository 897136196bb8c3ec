//! The owner's connection to a database, with errors that name the setting.

use std::{str::FromStr as _, time::Duration};

use anyhow::{Context as _, anyhow};
use credo_postgres::schema::Database;
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use crate::settings::Settings;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects to `database` as its owner.
///
/// # Errors
/// When the URL is missing or wrong, or the server does not answer; the text names the variable, never the password.
pub async fn connect(settings: &Settings, database: Database) -> anyhow::Result<PgConnection> {
    let (url, variable) = settings.owner_url(database);
    let url = url.ok_or_else(|| anyhow!("{variable} is not set"))?;
    let options = PgConnectOptions::from_str(url.expose_secret())
        .with_context(|| format!("{variable} is not a database URL"))?
        .application_name("credo-migrate");
    let place = format!("{}:{}", options.get_host(), options.get_port());
    tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options))
        .await
        .map_err(|_| anyhow!("no answer within {CONNECT_TIMEOUT:?}"))
        .and_then(|connected| Ok(connected?))
        .with_context(|| {
            format!(
                "{variable}: cannot connect to the {} database at {place}",
                database.name()
            )
        })
}
