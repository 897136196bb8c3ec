//! Where databases, cache and broker are: private ones of this stack, or those that the environment names.

use anyhow::{Context as _, Result, anyhow};
use reqwest::Url;

use crate::{
    part::Part,
    ports::{Port, Ports},
    postgres,
    state::State,
};

/// What replaces the private parts, which are then neither started nor stopped.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct External {
    /// Owner's URL of the auth database; with the audit one it replaces the private Postgres.
    #[arg(long, env = "CREDO_AUTH_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    auth_database_url: Option<String>,
    /// Owner's URL of the audit database.
    #[arg(long, env = "CREDO_AUDIT_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    audit_database_url: Option<String>,
    /// Replaces the private Redis.
    #[arg(long, env = "CREDO_REDIS_URL", hide_env_values = true, value_name = "URL")]
    redis_url: Option<String>,
    /// Replaces the private Kafka.
    #[arg(long, env = "CREDO_KAFKA_BROKERS", value_name = "HOST:PORT,…")]
    kafka_brokers: Option<String>,
}

impl External {
    /// Whether a part is replaced.
    pub fn replaces(&self, part: Part) -> bool {
        match part {
            Part::Postgres => self.auth_database_url.is_some() && self.audit_database_url.is_some(),
            Part::Redis => self.redis_url.is_some(),
            Part::Kafka => self.kafka_brokers.is_some(),
            Part::AuthApi | Part::AuthApi2 | Part::OutboxRelay | Part::AuditConsumer => false,
        }
    }
}

/// The addresses that the services get.
#[derive(Debug, Clone)]
pub struct Backing {
    /// The auth database, as its owner.
    pub auth_owner_url: String,
    /// The audit database, as its owner.
    pub audit_owner_url: String,
    /// The cache.
    pub redis_url: String,
    /// The broker.
    pub kafka_brokers: String,
}

impl Backing {
    /// External addresses where given, else those of the private parts.
    ///
    /// # Errors
    /// If the system has no random bytes for a password.
    pub fn new(external: &External, state: &mut State) -> Result<Self> {
        let private = |state: &mut State, (database, owner)| postgres::url(state, owner, database);
        Ok(Self {
            auth_owner_url: external
                .auth_database_url
                .clone()
                .map_or_else(|| private(state, postgres::AUTH), Ok)?,
            audit_owner_url: external
                .audit_database_url
                .clone()
                .map_or_else(|| private(state, postgres::AUDIT), Ok)?,
            redis_url: external
                .redis_url
                .clone()
                .unwrap_or_else(|| format!("redis://{}", state.ports.address(Port::Redis))),
            kafka_brokers: external
                .kafka_brokers
                .clone()
                .unwrap_or_else(|| state.ports.address(Port::Kafka)),
        })
    }

    /// The same servers as the second replica of a stack for tests reaches them: through wires that can be broken.
    pub fn on_wires(&self, ports: &Ports) -> Result<Self> {
        let through = |url: &str, port: Port| -> Result<String> {
            let mut url = Url::parse(url).context("a URL cannot be read")?;
            url.set_host(Some("127.0.0.1")).context("a URL names no server")?;
            url.set_port(Some(ports.number(port)))
                .map_err(|()| anyhow!("a URL names no server"))?;
            Ok(url.into())
        };
        Ok(Self {
            auth_owner_url: through(&self.auth_owner_url, Port::WireToPostgres)?,
            redis_url: through(&self.redis_url, Port::WireToRedis)?,
            ..self.clone()
        })
    }

    /// The auth database as one of the roles that `credo-migrate` makes.
    ///
    /// # Errors
    /// If the owner's URL is none.
    pub fn auth_url_of(&self, state: &mut State, role: &str) -> Result<String> {
        as_role(&self.auth_owner_url, role, &state.password(role)?)
    }

    /// The audit database as one of the roles that `credo-migrate` makes.
    ///
    /// # Errors
    /// If the owner's URL is none.
    pub fn audit_url_of(&self, state: &mut State, role: &str) -> Result<String> {
        as_role(&self.audit_owner_url, role, &state.password(role)?)
    }
}

fn as_role(owner_url: &str, role: &str, password: &str) -> Result<String> {
    let mut url = Url::parse(owner_url).context("a database URL cannot be read")?;
    let refused = |()| anyhow!("a database URL has no room for a user");
    url.set_username(role).map_err(refused)?;
    url.set_password(Some(password)).map_err(refused)?;
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_replaces_the_owner_and_keeps_the_rest() {
        let url = as_role(
            "postgres://owner:old@db.example:5433/credo?sslmode=require",
            "serving",
            "new",
        )
        .unwrap();
        assert_eq!(url, "postgres://serving:new@db.example:5433/credo?sslmode=require");
    }

    #[test]
    fn half_a_database_replaces_nothing() {
        let external = External {
            auth_database_url: Some("postgres://x/y".into()),
            ..External::default()
        };
        assert!(!external.replaces(Part::Postgres));
    }
}
