//! The stack under test, as `credo-local` describes it.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use url::Url;

/// What is needed of `stack.json`.
#[derive(Debug, Deserialize)]
pub struct Stack {
    pub base_url: String,
    services: BTreeMap<String, Process>,
    postgres: Process,
    pub demo: Demo,
    /// The server, as its superuser.
    #[serde(skip)]
    postgres_url: String,
}

#[derive(Debug, Deserialize)]
struct Process {
    pid: Option<i32>,
}

/// The demo tenant.
#[derive(Debug, Deserialize)]
pub struct Demo {
    /// Its slug.
    pub tenant: String,
    pub tenant_id: String,
    users: Vec<User>,
    clients: Vec<Client>,
}

/// Somebody who can sign in.
#[derive(Debug, Deserialize)]
pub struct User {
    pub email: String,
    pub password: String,
}

/// A registered client.
#[derive(Debug, Deserialize)]
pub struct Client {
    pub name: String,
    #[serde(default)]
    pub first_party: bool,
    #[serde(rename = "client_id")]
    pub id: String,
    #[serde(default, rename = "client_secret")]
    pub secret: String,
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

impl Stack {
    /// The stack that the environment names.
    pub fn read() -> Result<Self> {
        let path = environment("CREDO_TEST_STACK_FILE")?;
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let mut stack: Self = serde_json::from_str(&text).context("stack.json is not what it was")?;
        stack.postgres_url = environment("CREDO_TEST_POSTGRES_URL")?;
        Ok(stack)
    }

    /// The process of a service.
    pub fn pid(&self, service: &str) -> Result<i32> {
        let process = self.services.get(service).and_then(|process| process.pid);
        process.with_context(|| format!("{service} does not run"))
    }

    /// The first process of Postgres.
    pub fn postgres_pid(&self) -> Result<i32> {
        self.postgres.pid.context("Postgres is not the stack's own")
    }

    /// A database of the server, as its superuser.
    pub fn superuser_url(&self, database: &str) -> Result<String> {
        let mut url: Url = self.postgres_url.parse()?;
        url.set_path(database);
        Ok(url.into())
    }

    /// A person with a password.
    pub fn user(&self) -> Result<&User> {
        self.demo.users.first().context("no demo user")
    }

    /// A demo client.
    pub fn client(&self, wanted: impl Fn(&Client) -> bool) -> Result<&Client> {
        let client = self.demo.clients.iter().find(|client| wanted(client));
        client.context("the demo has no such client")
    }
}

/// A variable that `credo-local` sets.
///
/// # Errors
/// If it is not set.
#[expect(
    clippy::disallowed_methods,
    reason = "the stack program says by environment where the stack is"
)]
pub fn environment(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set: `make bench` sets it"))
}
