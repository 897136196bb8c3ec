//! `credo-migrate` as this program calls it: the schema, the serving roles, the first admin client.

use std::{fs, process::Output};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::{
    backing::Backing,
    layout::{self, Layout},
    state::{AdminClient, State},
};

/// What `bootstrap` exits with when the admin client exists already.
const EXISTS: i32 = 3;
/// The roles that services have in the databases.
pub const ROLES: [&str; 4] = ["auth_api", "outbox_relay", "audit_consumer", "audit_reader"];

/// The name that the database knows a role by.
pub fn role_name(role: &str) -> String {
    format!("credo_{role}")
}

/// Brings both databases to the newest schema, and gives the serving roles the passwords of this stack.
///
/// # Errors
/// If a migration fails: what it said.
pub async fn up(layout: &Layout, state: &mut State, backing: &Backing) -> Result<()> {
    let output = run(layout, state, backing, &["up", "all"]).await?;
    if !output.status.success() {
        bail!("the migration failed ({}):\n{}", output.status, said(&output));
    }
    Ok(())
}

/// Makes the first admin client, unless it is remembered. One that exists but is not remembered gets a new secret.
///
/// # Errors
/// If `credo-migrate` refuses: what it said.
pub async fn bootstrap(layout: &Layout, state: &mut State, backing: &Backing) -> Result<AdminClient> {
    let mut output = run(layout, state, backing, &["bootstrap"]).await?;
    if output.status.code() == Some(EXISTS) {
        if let Some(admin) = &state.admin {
            return Ok(admin.clone());
        }
        output = run(layout, state, backing, &["bootstrap", "--replace"]).await?;
    }
    if !output.status.success() {
        bail!(
            "the first admin client could not be made ({}):\n{}",
            output.status,
            said(&output)
        );
    }
    let admin: AdminClient =
        serde_json::from_slice(&output.stdout).context("credo-migrate bootstrap printed no client")?;
    state.admin = Some(admin.clone());
    state.save(layout)?; // at once: the secret is shown this one time
    Ok(admin)
}

async fn run(layout: &Layout, state: &mut State, backing: &Backing, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(layout::program("credo-migrate")?);
    command
        .args(arguments)
        .env("CREDO_MIGRATE_AUTH_DATABASE_URL", &backing.auth_owner_url)
        .env("CREDO_MIGRATE_AUDIT_DATABASE_URL", &backing.audit_owner_url)
        .kill_on_drop(true);
    for role in ROLES {
        let password = state.password(&role_name(role))?;
        command.env(
            format!("CREDO_MIGRATE_ROLES_{}_PASSWORD", role.to_uppercase()),
            password,
        );
    }
    let output = command.output().await.context("cannot run credo-migrate")?;
    fs::write(layout.log("migrate"), &output.stderr).context("cannot write the log of credo-migrate")?;
    Ok(output)
}

/// What it said to a person: its log, which is JSON, lies in `logs/migrate.log`.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('{')).collect();
    lines.join("\n")
}
