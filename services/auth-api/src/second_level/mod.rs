//! What replicas share of what they read: in Redis, behind what each keeps in memory (DESIGN section 6).
//!
//! Nothing here decides. A value is of use if our seal is on it, it was read lately, after this replica last heard of a change
//! of it, and the revocation feed vouches for it; everything else is a miss, and the database is asked. What is not there
//! proves nothing. Without Redis every look is a miss that costs nothing.

mod body;
mod key;
mod sealed;
mod writer;

use std::{sync::Arc, time::Duration};

use credo_auth_domain::{client::Client, user::User};
use credo_auth_store::{AccessTokenCheck, Redis, RedisFailure};
use credo_ids::{ClientId, TenantId, UserId};
use moka::future::Cache;
use time::OffsetDateTime;
use tokio::sync::mpsc;

use self::{
    body::Body,
    sealed::{Order, Unfit, open, seal},
};
use crate::{
    cache_metrics::{CacheMetrics, Level, Look},
    feed::Feed,
    keys::Keyring,
};

pub use self::{
    key::Key,
    sealed::Unfit as UnfitValue,
    writer::{Outcome as WriteOutcome, Writer},
};

/// A change is behind us so long after its commit was seen: clocks of replicas, and how long a statement reads.
const MARGIN: Duration = Duration::from_secs(5);
/// Values that wait to be written.
const QUEUE: usize = 1_024;
/// Changes that this replica remembers.
const CHANGES: u64 = 100_000;

/// What was read, and when the reading began.
#[derive(Clone, Debug)]
pub struct Read<T> {
    /// It.
    pub value: T,
    /// By the database's clock.
    pub at: OffsetDateTime,
}

/// The second level.
#[derive(Debug)]
pub struct SecondLevel {
    redis: Option<Arc<Redis>>,
    keyring: Arc<Keyring>,
    feed: Arc<Feed>,
    metrics: CacheMetrics,
    queue: mpsc::Sender<writer::Write>,
    /// What this replica knows to have changed: nothing that was read before that instant, in microseconds, is of use.
    changed: Cache<Key, i64>,
}

impl SecondLevel {
    /// Over `redis`, if there is one. Its writer must be run.
    #[must_use]
    pub fn new(
        redis: Option<Arc<Redis>>,
        keyring: Arc<Keyring>,
        feed: Arc<Feed>,
        metrics: CacheMetrics,
    ) -> (Self, Option<Writer>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let writer = redis.clone().map(|redis| Writer::new(redis, waiting, metrics.clone()));
        let changed = Cache::builder()
            .time_to_live(Key::LONGEST + MARGIN)
            .max_capacity(CHANGES)
            .build();
        let level = Self {
            redis,
            keyring,
            feed,
            metrics,
            queue,
            changed,
        };
        (level, writer)
    }

    /// The connection, if there is one.
    #[must_use]
    pub fn redis(&self) -> Option<&Redis> {
        self.redis.as_deref()
    }

    /// An active client of an active tenant that the feed vouches for.
    pub async fn client(&self, id: ClientId) -> Option<Read<Client>> {
        let vouches = |read: &Read<Client>| {
            let client = &read.value;
            client.id == id && client.active && client.tenant.active && self.feed.vouches_for(client, read.at)
        };
        self.look(Key::Client(id), vouches).await
    }

    /// An active person, as the feed knows them.
    pub async fn user(&self, tenant: TenantId, id: UserId) -> Option<Read<User>> {
        let vouches = |read: &Read<User>| {
            let user = &read.value;
            user.id == id && self.feed.vouches_for_user((tenant, id), user.epoch, read.at)
        };
        self.look(Key::User(tenant, id), vouches).await
    }

    /// Keeps a client for the others.
    pub fn keep_client(&self, client: &Client, at: OffsetDateTime) {
        let order = Order {
            tenant_epoch: client.tenant.epoch,
            version: client.version,
            epoch: client.epoch,
            read_at: micros(at),
        };
        self.keep(Key::Client(client.id), order, client);
    }

    /// Keeps a person for the others.
    pub fn keep_user(&self, tenant: TenantId, user: &User, at: OffsetDateTime) {
        let order = Order {
            epoch: user.epoch,
            read_at: micros(at),
            ..Order::default()
        };
        self.keep(Key::User(tenant, user.id), order, user);
    }

    /// Says, after the commit, that a token or a session of `tenant` has ended, for as long as what was issued may live.
    pub fn mark_revoked(&self, key: Key, tenant: TenantId, life: Duration) {
        self.write(key, Order::default(), &tenant.to_string(), life.min(key.ttl()));
    }

    /// Whether another replica said that a token or its session has ended. No: that proves nothing.
    pub async fn knows_revoked(&self, token: &AccessTokenCheck) -> bool {
        let session = token.session_id.map(Key::EndedSession);
        for key in [Some(Key::RevokedToken(token.token_id)), session].into_iter().flatten() {
            if let Ok(Some((_, tenant))) = self.get(key).await {
                let is_ours = tenant == token.tenant_id.to_string();
                let look = if is_ours { Look::Hit } else { Look::Miss };
                self.metrics.looked((key.cache(), Level::Redis), look);
                if is_ours {
                    return true;
                }
            }
        }
        false
    }

    /// Forgets what has just changed: what was read before cannot be written back, by any replica.
    pub async fn forget(&self, key: Key) {
        let Some(redis) = &self.redis else { return };
        let read_at = micros(self.feed.database_now() + MARGIN);
        self.changed.insert(key, read_at).await;
        let order = Order {
            read_at,
            ..Order::default()
        };
        let name = key.to_string();
        let stone = seal(self.keyring.masters().active(), &name, order, "");
        let buried = redis.bury(&name, &stone, key.ttl() + MARGIN).await;
        if let Err(failure) = buried {
            tracing::debug!(
                ?failure,
                "what has changed stays in Redis: the feed tells that it is old"
            );
        }
    }

    fn keep<T: Body>(&self, key: Key, order: Order, value: &T) {
        match value.write() {
            Ok(body) => self.write(key, order, &body, key.ttl()),
            Err(error) => tracing::warn!(%error, "a value cannot be written"),
        }
    }

    fn write(&self, key: Key, order: Order, body: &str, ttl: Duration) {
        if self.redis.is_none() {
            return;
        }
        let name = key.to_string();
        let value = seal(self.keyring.masters().active(), &name, order, body);
        let write = writer::Write { key: name, value, ttl };
        if self.queue.try_send(write).is_err() {
            self.metrics.wrote(writer::Outcome::Dropped);
        }
    }

    async fn look<T: Body>(&self, key: Key, vouches: impl Fn(&Read<T>) -> bool) -> Option<Read<T>> {
        self.redis.as_ref()?;
        let (look, found) = match self.find(key).await {
            Ok(Some(read)) if vouches(&read) => (Look::Hit, Some(read)),
            Ok(Some(_)) | Err(_) => (Look::Fallback, None),
            Ok(None) => (Look::Miss, None),
        };
        self.metrics.looked((key.cache(), Level::Redis), look);
        found
    }

    async fn find<T: Body>(&self, key: Key) -> Result<Option<Read<T>>, RedisFailure> {
        let Some((order, body)) = self.get(key).await? else {
            return Ok(None);
        };
        if body.is_empty() || self.changed.get(&key).await.is_some_and(|at| order.read_at <= at) {
            return Ok(None);
        }
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(order.read_at) * 1_000);
        let (Ok(at), Ok(value)) = (at, T::read(&body)) else {
            self.metrics.unfit(Unfit::Malformed);
            return Ok(None);
        };
        if self.feed.database_now() - at > key.ttl() {
            self.metrics.unfit(Unfit::Old);
            return Ok(None);
        }
        Ok(Some(Read { value, at }))
    }

    /// What stands under a key with our seal. What has none is thrown away, so that it stands in nobody's way.
    async fn get(&self, key: Key) -> Result<Option<(Order, String)>, RedisFailure> {
        let Some(redis) = &self.redis else { return Ok(None) };
        let name = key.to_string();
        let found = match redis.get(&name).await {
            Ok(None) => return Ok(None),
            Ok(Some(value)) => Some(value),
            Err(RedisFailure::Unreadable) => None,
            Err(failure) => return Err(failure),
        };
        let opened = match &found {
            Some(value) => open(self.keyring.masters(), &name, value),
            None => Err(Unfit::Malformed),
        };
        match opened {
            Ok((order, body)) => Ok(Some((order, body.to_owned()))),
            Err(unfit) => {
                self.metrics.unfit(unfit);
                let discarded = redis.discard(&name, found.as_deref()).await;
                tracing::debug!(?unfit, ?discarded, "what is in Redis is no value");
                Ok(None)
            }
        }
    }
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}
