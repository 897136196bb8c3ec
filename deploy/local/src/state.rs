//! What a stack remembers between runs: ports, passwords and the clients whose secrets are shown once.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::{file, layout::Layout, ports::Ports, random};

/// The memory of a stack, in `state.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Where everything listens.
    pub ports: Ports,
    /// Database passwords by role.
    pub passwords: BTreeMap<String, String>,
    /// The folder of the database server, where it is not the usual one.
    pub postgres_data: Option<std::path::PathBuf>,
    /// The id of the Kafka cluster.
    pub kafka_id: Option<String>,
    /// The first client of the tenant `system`.
    pub admin: Option<AdminClient>,
    /// Clients of the demo tenant by display name.
    pub demo_clients: BTreeMap<String, DemoClient>,
}

/// What `credo-migrate bootstrap` printed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AdminClient {
    /// The OAuth `client_id`.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// All that it may ask for, space-delimited.
    pub scope: String,
}

/// What cannot be read again about a demo client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DemoClient {
    /// The OAuth `client_id`.
    pub client_id: String,
    /// Its secret, unless it is public.
    pub client_secret: Option<String>,
}

impl State {
    /// Reads what the stack remembers; nothing at first.
    ///
    /// # Errors
    /// If the file cannot be read or is not one of ours.
    pub fn load(layout: &Layout) -> Result<Self> {
        let path = layout.file("state.json");
        match file::read(&path)? {
            None => Ok(Self::default()),
            Some(text) => serde_json::from_str(&text)
                .with_context(|| format!("{} is damaged: `make reset` begins anew", path.display())),
        }
    }

    /// Remembers it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, layout: &Layout) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).context("the state cannot be written as JSON")?;
        file::write_private(&layout.file("state.json"), &text)
    }

    /// The password of a database role, drawn when first asked for.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn password(&mut self, role: &str) -> Result<String> {
        if let Some(password) = self.passwords.get(role) {
            return Ok(password.clone());
        }
        let password = random::password()?;
        self.passwords.insert(role.to_owned(), password.clone());
        Ok(password)
    }
}
