//! Redis: an accelerator. Losing it costs latency, never an answer.

use std::time::Duration;

use fred::prelude::{Builder, Client, ClientLike as _, Config, Error, ReconnectPolicy, TcpConfig};
use secrecy::{ExposeSecret as _, SecretString};

/// The most that anybody waits for Redis.
const DEADLINE: Duration = Duration::from_millis(5);
/// The most that a health check waits for it.
const PING_DEADLINE: Duration = Duration::from_millis(500);

/// A connection that heals by itself.
#[derive(Clone, Debug)]
pub struct Redis {
    client: Client,
}

impl Redis {
    /// Begins to connect in the background.
    ///
    /// # Errors
    /// If the URL is malformed.
    pub fn connect(url: &SecretString) -> Result<Self, Error> {
        let client = Builder::from_config(Config::from_url(url.expose_secret())?)
            .with_connection_config(|config| {
                config.connection_timeout = Duration::from_secs(1);
                config.internal_command_timeout = Duration::from_secs(1);
                config.max_command_attempts = 1;
                config.tcp = TcpConfig {
                    nodelay: Some(true),
                    ..TcpConfig::default()
                };
            })
            .with_performance_config(|config| config.default_command_timeout = DEADLINE)
            .set_policy(ReconnectPolicy::new_exponential(0, 100, 5_000, 2))
            .build()?;
        drop(client.connect());
        Ok(Self { client })
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// If it does not, within half a second.
    pub async fn ping(&self) -> Result<(), Error> {
        let ping = self.client.ping::<()>(None);
        tokio::time::timeout(PING_DEADLINE, ping)
            .await
            .unwrap_or_else(|_| Err(Error::new(fred::error::ErrorKind::Timeout, "no answer to a ping")))
    }
}
