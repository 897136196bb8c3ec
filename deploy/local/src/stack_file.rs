//! `stack.json`: what others read about a stack that is ready. It is there only while the stack runs, and names the
//! process ids as they are now; a part that does not run, or is not ours, has none.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::{file, layout::Layout};

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StackFile {
    /// Always `ready`.
    pub state: String,
    /// Public base URL.
    pub base_url: String,
    /// The services by name.
    pub services: BTreeMap<String, Service>,
    /// Where the services of a stack for tests send what they trace; nobody listens unless a test does.
    pub collector: String,
    /// Both databases, as their owners, for inspection.
    pub postgres: Postgres,
    /// The cache.
    pub redis: Redis,
    /// The broker.
    pub kafka: Kafka,
    /// The first admin client, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<Admin>,
    /// The demo tenant, once it is seeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demo: Option<Demo>,
}

/// One service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Service {
    pub pid: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    pub grpc: String,
    pub management: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Postgres {
    pub auth_url: String,
    pub audit_url: String,
    pub pid: Option<i32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Redis {
    pub url: String,
    pub pid: Option<i32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kafka {
    pub brokers: String,
    pub topic: String,
    pub pid: Option<i32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Admin {
    pub token_url: String,
    pub client_id: String,
    pub client_secret: String,
    pub scope: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Demo {
    pub tenant: String,
    pub tenant_id: String,
    pub issuer: String,
    pub users: Vec<DemoUser>,
    pub clients: Vec<DemoClient>,
    /// Where the clients' pages are.
    #[serde(default)]
    pub landing_url: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DemoUser {
    pub email: String,
    pub password: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DemoClient {
    pub name: String,
    #[serde(rename = "type")]
    pub client_type: String,
    #[serde(default)]
    pub application_type: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_party: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grant_types: Vec<String>,
    pub client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
}

impl StackFile {
    /// Reads the file of a stack that runs.
    ///
    /// # Errors
    /// If there is none.
    pub fn read(layout: &Layout) -> Result<Self> {
        let text = file::read(&layout.file("stack.json"))?
            .with_context(|| format!("the stack `{}` is not ready: `make run` starts it", layout.stack()))?;
        serde_json::from_str(&text).context("stack.json is damaged")
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn write(&self, layout: &Layout) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).context("the stack cannot be written as JSON")?;
        file::write_private(&layout.file("stack.json"), &text)
    }

    /// Removes the file: the stack is not ready any more.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn remove(layout: &Layout) -> Result<()> {
        file::remove(&layout.file("stack.json"))
    }

    /// The demo client of that name.
    pub fn client(&self, name: &str) -> Option<&DemoClient> {
        self.demo.as_ref()?.clients.iter().find(|client| client.name == name)
    }
}
