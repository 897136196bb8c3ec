//! The private database server with both databases. The owners may make roles and nothing else may.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::process::Command;

use crate::{
    account::{Account, is_open_to_all},
    file, fingerprint,
    layout::Layout,
    part::Part,
    ports::Port,
    probe::Probe,
    process::Launch,
    stack::Purpose,
    state::State,
};

/// The superuser of the private server.
pub const SUPERUSER: &str = "postgres";
/// Database and owner of what auth-api and outbox-relay use.
pub const AUTH: (&str, &str) = ("credo_auth", "credo_auth_owner");
/// Database and owner of what audit-consumer uses.
pub const AUDIT: (&str, &str) = ("credo_audit", "credo_audit_owner");

/// Durable, with room for 256 connections of a load beside those of the services, and no checkpoint in the middle.
const BENCHED: [&str; 5] = [
    "max_connections=600",
    "shared_buffers=1GB",
    "max_wal_size=8GB",
    "checkpoint_timeout=30min",
    "wal_compression=lz4",
];

/// A server that is ready to be started.
#[derive(Debug)]
pub struct Postgres {
    /// How it starts.
    pub launch: Launch,
    /// How it is asked.
    pub probe: Probe,
    superuser_url: String,
}

/// The installed server programs that can serve, by version: 15 or later, with the extension that counts statements.
pub fn find_programs() -> BTreeMap<u32, PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let complete = versions.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let programs = entry.path().join("bin");
        let extension = format!("/usr/share/postgresql/{version}/extension/pg_stat_statements.control");
        let complete = programs.join("initdb").is_file() && Path::new(&extension).is_file();
        (version >= 15 && complete).then_some((version, programs))
    });
    complete.collect()
}

/// The URL of `role` for `database` of the private server.
///
/// # Errors
/// If the system has no random bytes for the role's password.
pub fn url(state: &mut State, role: &str, database: &str) -> Result<String> {
    let password = state.password(role)?;
    Ok(format!(
        "postgres://{role}:{password}@{}/{database}",
        state.ports.address(Port::Postgres)
    ))
}

impl Postgres {
    /// Makes the data folder if it is missing. What tests commit need not outlive a crash of the machine.
    ///
    /// # Errors
    /// If there is no server program, or the folder cannot be made.
    pub async fn prepare(layout: &Layout, state: &mut State, purpose: Purpose) -> Result<Self> {
        let account = Account::unprivileged()?;
        let data = data_folder(layout, state, account);
        if !data.join("PG_VERSION").is_file() {
            let newest = find_programs().into_values().next_back();
            let programs = newest.context("no Postgres 15 or later under /usr/lib/postgresql")?;
            let password = state.password(SUPERUSER)?;
            initialise(layout, &programs, account, &data, &password).await?;
        }
        let version = fs::read_to_string(data.join("PG_VERSION")).context("the data folder has no version")?;
        let version = version.trim();
        let programs = version
            .parse()
            .ok()
            .and_then(|version| find_programs().remove(&version));
        let programs = programs.with_context(|| {
            format!("Postgres {version}, which made the data, is not installed any more: `make reset` begins anew")
        })?;
        let superuser_url = url(state, SUPERUSER, "postgres")?;
        let launch = Launch {
            part: Part::Postgres,
            program: programs.join("postgres"),
            arguments: arguments(layout, &data, state.ports.number(Port::Postgres), purpose),
            environment: vec![("LC_ALL".to_owned(), "C".to_owned())],
            account,
            log: layout.log(Part::Postgres.name()),
        };
        let probe = Probe::Postgres {
            url: superuser_url.clone(),
            data,
        };
        Ok(Self {
            launch,
            probe,
            superuser_url,
        })
    }

    /// Makes the two databases with their owners, where they are missing.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn make_databases(&self, state: &mut State) -> Result<()> {
        let mut server = PgConnection::connect(&self.superuser_url).await?;
        for (database, owner) in [AUTH, AUDIT] {
            let password = state.password(owner)?;
            let role: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_roles WHERE rolname = $1")
                .bind(owner)
                .fetch_optional(&mut server)
                .await?;
            let verb = if role.is_some() { "ALTER" } else { "CREATE" };
            execute(
                &mut server,
                format!("{verb} ROLE {owner} LOGIN CREATEROLE PASSWORD '{password}'"),
            )
            .await?;
            let made: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
                .bind(database)
                .fetch_optional(&mut server)
                .await?;
            if made.is_none() {
                execute(&mut server, format!("CREATE DATABASE {database} OWNER {owner}")).await?;
            }
        }
        // counts of statements: the tests hold what a request costs against a table
        let (database, owner) = AUTH;
        let mut auth = PgConnection::connect(&url(state, SUPERUSER, database)?).await?;
        execute(
            &mut auth,
            "CREATE EXTENSION IF NOT EXISTS pg_stat_statements".to_owned(),
        )
        .await?;
        execute(
            &mut auth,
            format!("GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO {owner}"),
        )
        .await?;
        execute(&mut auth, format!("GRANT pg_read_all_stats TO {owner}")).await?;
        auth.close().await?;
        server.close().await.map_err(Into::into)
    }
}

/// Asks whether the server answers and keeps its data in `data`.
///
/// # Errors
/// If it does not.
pub async fn ask(url: &str, data: &Path) -> Result<()> {
    let mut server = PgConnection::connect(url)
        .await
        .context("does not accept connections")?;
    let found: String = sqlx::query_scalar("SHOW data_directory").fetch_one(&mut server).await?;
    server.close().await?;
    ensure!(
        Path::new(&found) == data,
        "another server answers on the port: its data are in {found}"
    );
    Ok(())
}

/// Removes the data folder if it lies outside of the stack's.
///
/// # Errors
/// If the file system refuses.
pub fn remove_data(state: &State) -> Result<()> {
    state.postgres_data.as_deref().map_or(Ok(()), file::remove_folder)
}

/// Inside the stack's folder, unless another account must reach it and cannot enter the checkout.
fn data_folder(layout: &Layout, state: &mut State, account: Option<Account>) -> PathBuf {
    if let Some(remembered) = &state.postgres_data {
        return remembered.clone();
    }
    let data = layout.file("postgres");
    if account.is_none() || is_open_to_all(&layout.folder()) {
        return data;
    }
    let name = fingerprint::of(layout.folder().as_os_str().as_encoded_bytes());
    let outside = PathBuf::from(format!("/var/tmp/credo-{name}"));
    state.postgres_data = Some(outside.clone());
    outside
}

async fn initialise(
    layout: &Layout,
    programs: &Path,
    account: Option<Account>,
    data: &Path,
    password: &str,
) -> Result<()> {
    let unfinished = data.with_extension("new");
    file::remove_folder(&unfinished)?;
    fs::create_dir_all(&unfinished).with_context(|| format!("cannot make {}", unfinished.display()))?;
    fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o700))?;
    let password_file = unfinished.with_extension("password");
    file::write_private(&password_file, password.as_bytes())?;
    let mut command = Command::new(programs.join("initdb"));
    if let Some(account) = account {
        for path in [&unfinished, &password_file] {
            chown(path, Some(account.uid), Some(account.gid))?;
        }
        command.uid(account.uid).gid(account.gid);
    }
    let output = command
        .arg("--pgdata")
        .arg(&unfinished)
        .arg("--pwfile")
        .arg(&password_file)
        .args([
            "--username",
            SUPERUSER,
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        ])
        .current_dir("/")
        .env("LC_ALL", "C")
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run initdb");
    file::remove(&password_file)?;
    let output = output?;
    fs::write(layout.log("initdb"), [&*output.stdout, &*output.stderr].concat())?;
    if !output.status.success() {
        bail!("initdb failed:\n{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    fs::rename(&unfinished, data).with_context(|| format!("cannot make {}", data.display()))
}

fn arguments(layout: &Layout, data: &Path, port: u16, purpose: Purpose) -> Vec<std::ffi::OsString> {
    let mut settings = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "unix_socket_directories=".to_owned(), // a socket's path could be too long, and nobody needs one
        format!("cluster_name=credo-{}", layout.stack()),
        "password_encryption=scram-sha-256".to_owned(),
        "shared_preload_libraries=pg_stat_statements".to_owned(),
        "log_line_prefix=%m [%p] %a ".to_owned(),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
    ];
    let of_purpose: &[&str] = match purpose {
        Purpose::Run => &["max_connections=300"],
        Purpose::Test => &["max_connections=300", "fsync=off", "full_page_writes=off"],
        Purpose::Bench => &BENCHED,
    };
    settings.extend(of_purpose.iter().map(|&setting| setting.to_owned()));
    let settings = settings.into_iter().flat_map(|setting| ["-c".into(), setting.into()]);
    ["-D".into(), data.into()].into_iter().chain(settings).collect()
}

async fn execute(server: &mut PgConnection, statement: String) -> Result<()> {
    // roles, databases and passwords are our own names and random base64: nothing of a stranger is in the text
    server.execute(AssertSqlSafe(statement)).await?;
    Ok(())
}
