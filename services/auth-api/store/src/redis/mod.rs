//! Redis: an accelerator. Losing it costs latency, never an answer.
//!
//! Nobody waits for it longer than 5 ms; while it gives no answers it is not asked, but for one request in a second. What it
//! says is another's word: bounded here, and believed by nobody who has not verified it.

mod breaker;

use std::{
    pin::Pin,
    time::{Duration, Instant},
};

use fred::{
    prelude::{
        Builder, Client, ClientLike as _, Config, Error, KeysInterface as _, LuaInterface as _, ReconnectPolicy,
        TcpConfig,
    },
    types::{Expiration, Value},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;

use self::breaker::Breaker;
pub use self::breaker::BreakerState;

/// The most that anybody waits for Redis.
const DEADLINE: Duration = Duration::from_millis(5);
/// The most that a health check waits for it.
const PING_DEADLINE: Duration = Duration::from_millis(500);
/// The longest value, in bytes: what is longer is not kept, and not read to its end.
pub const MAX_REDIS_VALUE_BYTES: usize = 64 * 1024;

/// Of one byte more than a value may have, the last.
const LAST_BYTE: usize = MAX_REDIS_VALUE_BYTES;

/// A connection that heals by itself, and its breaker.
#[derive(Debug)]
pub struct Redis {
    client: Client,
    breaker: Breaker,
}

/// Why Redis was of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisFailure {
    /// It gave no answer in time, or there is no connection, or it is not asked for now.
    Unreachable,
    /// It answers, and does not do it: it is full, or still reads its file.
    Refused,
    /// What stands there is no text, of another type, or longer than anything that was put there.
    Unreadable,
}

/// What orders two values of one key, each nineteen digits wide: of the lower in any of them none is kept.
#[must_use]
pub fn redis_order(schema: char, numbers: [i64; 4]) -> String {
    let [first, second, third, fourth] = numbers.map(|number| number.max(0));
    format!("{schema}.{first:019}.{second:019}.{third:019}.{fourth:019}")
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
            .with_performance_config(|config| config.default_command_timeout = PING_DEADLINE)
            .set_policy(ReconnectPolicy::new_exponential(0, 100, 5_000, 2))
            .build()?;
        drop(client.connect());
        Ok(Self {
            client,
            breaker: Breaker::default(),
        })
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// If it does not, within half a second.
    pub async fn ping(&self) -> Result<(), Error> {
        let ping = self.client.ping::<()>(None);
        timeout(PING_DEADLINE, ping)
            .await
            .unwrap_or_else(|_| Err(Error::new(fred::error::ErrorKind::Timeout, "no answer to a ping")))
    }

    /// Whether it is asked now.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        self.breaker.state(Instant::now())
    }

    /// The value of a key.
    ///
    /// # Errors
    /// If it cannot be had.
    pub async fn get(&self, key: &str) -> Result<Option<String>, RedisFailure> {
        match self
            .ask(Box::pin(self.client.getrange::<Value, _>(key, 0, LAST_BYTE)))
            .await?
        {
            Value::Null => Ok(None),
            value => {
                let text = value.as_bytes_str().ok_or(RedisFailure::Unreadable)?;
                if text.len() > MAX_REDIS_VALUE_BYTES {
                    return Err(RedisFailure::Unreadable);
                }
                Ok(Some(text.to_string()).filter(|text| !text.is_empty()))
            }
        }
    }

    /// Puts a value that begins with its [`redis_order`], unless what is there is later. Says whether it stands there now.
    ///
    /// # Errors
    /// If it cannot be put, or is too long.
    pub async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, RedisFailure> {
        if value.len() > MAX_REDIS_VALUE_BYTES {
            return Err(RedisFailure::Refused);
        }
        let millis = ttl.as_millis().max(1).to_string();
        let put = self
            .client
            .eval::<i64, _, _, _>(include_str!("put.lua"), key, vec![value.to_owned(), millis]);
        Ok(self.ask(Box::pin(put)).await? == 1)
    }

    /// Puts a value whatever stands there; where Redis takes none, what stands there is deleted.
    ///
    /// # Errors
    /// If neither can be done.
    pub async fn bury(&self, key: &str, value: &str, ttl: Duration) -> Result<(), RedisFailure> {
        let millis = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let put = self
            .client
            .set::<(), _, _>(key, value, Some(Expiration::PX(millis)), None, false);
        match self.ask(Box::pin(put)).await {
            Err(RedisFailure::Refused) => self.ask(Box::pin(self.client.del::<i64, _>(key))).await.map(drop),
            answer => answer,
        }
    }

    /// Deletes what was found under a key and is good for nothing, if it still stands there.
    ///
    /// # Errors
    /// If it cannot be deleted.
    pub async fn discard(&self, key: &str, found: Option<&str>) -> Result<(), RedisFailure> {
        let found = found.unwrap_or_default().to_owned();
        let discard =
            self.client
                .eval::<i64, _, _, _>(include_str!("discard.lua"), key, vec![found, LAST_BYTE.to_string()]);
        self.ask(Box::pin(discard)).await.map(drop)
    }

    /// The client's futures are large, and most requests never come here: they are on the heap.
    async fn ask<T>(
        &self,
        command: Pin<Box<dyn Future<Output = Result<T, Error>> + Send + '_>>,
    ) -> Result<T, RedisFailure> {
        if !self.breaker.admits(Instant::now()) {
            return Err(RedisFailure::Unreachable);
        }
        let answer = timeout(DEADLINE, command).await;
        let outcome = match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => Err(RedisFailure::Unreachable),
        };
        let is_reached = !matches!(outcome, Err(RedisFailure::Unreachable));
        self.breaker.observe(is_reached, Instant::now());
        outcome
    }
}

/// An answer that says no is an answer: the breaker takes it for one.
fn failure(error: &Error) -> RedisFailure {
    use fred::error::ErrorKind::{InvalidArgument, InvalidCommand, NotFound, Parse, Unknown};
    match error.kind() {
        InvalidArgument | Parse => RedisFailure::Unreadable,
        InvalidCommand | NotFound | Unknown => RedisFailure::Refused,
        _ => RedisFailure::Unreachable,
    }
}
