//! The stack under test, as `stack.json` describes it. Read once; refuses to guess where a stack might be.

use std::{collections::BTreeMap, path::PathBuf, sync::OnceLock};

use anyhow::{Context as _, Result};
use serde::Deserialize;

static STACK: OnceLock<Stack> = OnceLock::new();

/// Addresses and credentials.
#[derive(Debug, Deserialize)]
pub struct Stack {
    /// Public base URL; every issuer begins with it.
    pub base_url: String,
    services: BTreeMap<String, Service>,
    /// `host:port`: the services send there what they trace.
    pub collector: String,
    /// Both databases, as their owners: for inspection.
    pub postgres: Postgres,
    /// The cache.
    pub redis: Redis,
    /// The broker.
    pub kafka: Kafka,
    /// The first admin client.
    pub admin: AdminClient,
    /// The program that owns the stack, and the stack's name there.
    #[serde(skip)]
    pub local_program: PathBuf,
    #[serde(skip)]
    pub name: String,
    /// What tests use from npm and `PyPI`.
    #[serde(skip)]
    pub tools: PathBuf,
}

/// One service.
#[derive(Debug, Deserialize)]
pub struct Service {
    /// The public endpoints, of auth-api alone.
    #[serde(default)]
    pub http: Option<String>,
    /// Admin gRPC.
    pub grpc: String,
    /// Health and metrics.
    pub management: String,
}

/// Both databases.
#[derive(Debug, Deserialize)]
pub struct Postgres {
    /// The auth database.
    pub auth_url: String,
    /// The audit database.
    pub audit_url: String,
}

/// The cache.
#[derive(Debug, Deserialize)]
pub struct Redis {
    /// `redis://…`.
    pub url: String,
}

/// The broker.
#[derive(Debug, Deserialize)]
pub struct Kafka {
    /// `host:port`.
    pub brokers: String,
    /// The topic of audit events.
    pub topic: String,
}

/// The first admin client.
#[derive(Debug, Deserialize)]
pub struct AdminClient {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Everything that it may do.
    pub scope: String,
}

impl Stack {
    /// Reads where the stack is from the environment and its file, once for the process.
    ///
    /// # Errors
    /// If there is no stack: what starts one.
    pub fn read() -> Result<()> {
        let path = variable("CREDO_TEST_STACK_FILE").context("there is no stack to test: run `make test`")?;
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{path} cannot be read: run `make test`, which starts a stack"))?;
        let mut stack: Self = serde_json::from_str(&text).with_context(|| format!("{path} describes no stack"))?;
        stack.local_program = variable("CREDO_TEST_LOCAL_BIN")
            .context("CREDO_TEST_LOCAL_BIN is not set: run `make test`")?
            .into();
        stack.tools = variable("CREDO_TEST_TOOLS").unwrap_or_default().into();
        stack.name = variable("CREDO_TEST_STACK").unwrap_or_else(|| "test".to_owned());
        STACK.set(stack).ok().context("the stack was read before")
    }

    /// The stack.
    ///
    /// # Errors
    /// If it was not read.
    pub fn get() -> Result<&'static Self> {
        STACK.get().context("the stack was not read")
    }

    /// A service by name.
    ///
    /// # Errors
    /// If the stack has none of that name.
    pub fn service(&self, name: &str) -> Result<&Service> {
        self.services
            .get(name)
            .with_context(|| format!("the stack has no {name}"))
    }

    /// Every service.
    pub fn services(&self) -> impl Iterator<Item = (&str, &Service)> {
        self.services.iter().map(|(name, service)| (name.as_str(), service))
    }

    /// The issuer of a tenant.
    pub fn issuer(&self, slug: &str) -> String {
        format!("{}/t/{slug}", self.base_url)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the stack program tells a test in the environment where the stack is"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
