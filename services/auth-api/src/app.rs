//! The wiring: the same in production and in tests.

use std::sync::Arc;

use credo_auth_store::{BatchSpec, HOT_CONNECTION_SETTINGS, Redis, Store, Work};
use credo_clock::SharedClock;
use credo_lifecycle::{Component, Health, Shutdown, Tasks};
use credo_postgres::{PoolSpec, RoleError, connect_lazy, connect_options};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::{
    audit::Refusals,
    budget::Budget,
    directory::Directory,
    feed::Feed,
    http,
    keys::{Keyring, MasterKeyMissing, MasterKeys, Upkeep},
    limiter::Limiter,
    metrics::Metrics,
    passwords::Passwords,
    purge,
    refusal::Refusal,
    request_purge,
    second_level::SecondLevel,
    settings::Settings,
    verified_tokens::VerifiedTokens,
};

/// Times out a statement before the request that waits for it (DESIGN section 3.2).
const STATEMENT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(4);
/// Times out a wait for a row of a session.
const LOCK_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(1);
/// Times out an administrator's wait for a row that requests share.
const ADMIN_LOCK_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(3);
/// How often Redis is asked whether it is there.
const PING_INTERVAL: std::time::Duration = std::time::Duration::from_secs(1);

/// How often a database that does not answer is asked again.
const RETRY_INTERVAL: std::time::Duration = std::time::Duration::from_millis(500);
/// How often pending events are counted.
const PENDING_INTERVAL: std::time::Duration = std::time::Duration::from_secs(1);

/// Everything that a request needs.
#[derive(Debug)]
pub struct App {
    /// What was set.
    pub settings: Settings,
    /// The auth database.
    pub store: Arc<Store>,
    /// What was revoked lately, and the database's time.
    pub feed: Arc<Feed>,
    /// Clients, tenants and people.
    pub directory: Directory,
    /// What replicas share of what they read.
    pub second_level: Arc<SecondLevel>,
    /// Keys.
    pub keyring: Arc<Keyring>,
    /// Access tokens that were verified lately.
    pub verified_tokens: VerifiedTokens,
    /// Argon2.
    pub passwords: Passwords,
    /// How often what may be asked for.
    pub limiter: Arc<Limiter>,
    /// The writer of refusals.
    pub refusals: Refusals,
    /// Numbers.
    pub metrics: Metrics,
    /// Time.
    pub clock: SharedClock,
    /// Requests whose caller may have gone: what they began is finished.
    work: TaskTracker,
}

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The database URL.
    #[error("CREDO_AUTH_API_DATABASE_URL: {0}")]
    Database(#[from] credo_postgres::InvalidUrl),
    /// The Redis URL.
    #[error("CREDO_AUTH_API_REDIS_URL: {0}")]
    Redis(String),
    /// Argon2.
    #[error("passwords cannot be hashed: {0}")]
    Passwords(String),
    /// Metrics.
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// Why the service must not serve.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// The database role.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// The master keys.
    #[error(transparent)]
    MasterKeys(#[from] MasterKeyMissing),
}

impl App {
    /// Puts the parts together and starts their background tasks.
    ///
    /// # Errors
    /// If a setting cannot be used. An unreachable database is not an error here.
    pub fn build(
        settings: Settings,
        masters: MasterKeys,
        clock: SharedClock,
        (tasks, shutdown, health): (&Tasks, &Shutdown, &Health),
    ) -> Result<Arc<Self>, BuildError> {
        let metrics = Metrics::new(&http::ROUTES)?;
        let store = Arc::new(open_store(&settings, &metrics)?);
        let feed = Feed::new(Arc::clone(&clock));
        metrics.show_feed(&feed)?;
        let (keyring, due) = Keyring::new(
            masters,
            Arc::clone(&store),
            Arc::clone(&feed),
            Arc::clone(&clock),
            settings.keys.spans(),
        );
        let redis = open_redis(&settings)?;
        let (second_level, cache_writer) = SecondLevel::new(
            redis.clone(),
            Arc::clone(&keyring),
            Arc::clone(&feed),
            metrics.caches.clone(),
        );
        let second_level = Arc::new(second_level);
        let (refusals, writer) = Refusals::new(Arc::clone(&store), Arc::clone(&clock));
        let app = Arc::new(Self {
            directory: Directory::new(
                Arc::clone(&store),
                Arc::clone(&feed),
                Arc::clone(&second_level),
                metrics.caches.clone(),
            ),
            second_level,
            verified_tokens: VerifiedTokens::new(Arc::clone(&keyring), Arc::clone(&clock), metrics.caches.clone()),
            keyring,
            passwords: Passwords::new(settings.password.hash_threads, settings.password.rehash_below)
                .map_err(|error| BuildError::Passwords(error.to_string()))?
                .observed_by(&metrics),
            limiter: Arc::new(Limiter::new(Arc::clone(&feed), metrics.limits.clone())),
            metrics,
            work: TaskTracker::new(),
            settings,
            store,
            feed,
            refusals,
            clock,
        });
        let shutdown = shutdown.clone();
        let feed = Arc::clone(&app.feed);
        tasks.spawn(
            "revocation-feed",
            feed.run(Arc::clone(&app.store), health.component("postgres"), shutdown.clone()),
        );
        let upkeep = Upkeep::new(Arc::clone(&app.keyring), due, app.metrics.key_upkeep.clone());
        tasks.spawn("signing-keys", upkeep.run(shutdown.clone()));
        let limiter = Arc::clone(&app.limiter);
        tasks.spawn("limits", limiter.run(Arc::clone(&app.store), shutdown.clone()));
        tasks.spawn("refusal-writer", writer.run(shutdown.clone()));
        app.start_purges(tasks, &shutdown);
        tasks.spawn("pending", watch_pending(Arc::clone(&app), shutdown.clone()));
        if let Some(writer) = cache_writer {
            tasks.spawn("cache-writer", writer.run(shutdown.clone()));
        }
        if let Some(redis) = redis {
            tasks.spawn("redis-health", watch_redis(redis, health.component("redis"), shutdown));
        }
        Ok(app)
    }

    fn start_purges(&self, tasks: &Tasks, shutdown: &Shutdown) {
        let requests = request_purge::run(Arc::clone(&self.store), shutdown.clone());
        tasks.spawn("request-purge", requests);
        let (clock, metrics) = (Arc::clone(&self.clock), self.metrics.purged.clone());
        let ended = purge::run(Arc::clone(&self.store), clock, metrics, shutdown.clone());
        tasks.spawn("purge", ended);
    }

    /// Waits until the database answers, and makes sure that its role loses no commit and can change no schema, and that the
    /// master keys are there which the signing keys need. `false`: told to stop before.
    ///
    /// # Errors
    /// If the role must not serve, or a master key is missing.
    pub async fn become_fit(&self, shutdown: &Shutdown) -> Result<bool, Unfit> {
        while !shutdown.is_requested() {
            match self.store.assert_serving_role().await {
                Ok(()) => match self.keyring.check_master_keys().await {
                    Ok(checked) => return Ok(checked.map(|()| true)?),
                    Err(error) => tracing::warn!(%error, "waiting for the signing keys"),
                },
                Err(RoleError::Query(error)) => tracing::warn!(%error, "waiting for the database"),
                Err(error) => return Err(error.into()),
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY_INTERVAL) => {}
                () = shutdown.requested() => {}
            }
        }
        Ok(false)
    }

    /// Runs a use case to its end, even if its caller goes away in the middle: a code is never burnt by half.
    /// The place of its request is taken until then.
    ///
    /// # Errors
    /// Those of the use case; a panic in it is a defect.
    pub async fn finish<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.work
            .spawn(Budget::scope(Budget::current(), Work::scope(Work::current(), work)).in_current_span())
            .await
            .unwrap_or_else(|error| Err(Refusal::internal(&error.to_string())))
    }

    /// Waits for work whose callers have gone.
    pub async fn drain(&self) {
        self.work.close();
        self.work.wait().await;
    }
}

/// Redis, where one is set. It need not be there yet.
fn open_redis(settings: &Settings) -> Result<Option<Arc<Redis>>, BuildError> {
    let redis = settings.redis.url.as_ref().map(Redis::connect).transpose();
    Ok(redis
        .map_err(|error| BuildError::Redis(error.to_string()))?
        .map(Arc::new))
}

/// Shows whether Redis answers: without it everything works, slower.
async fn watch_redis(redis: Arc<Redis>, component: Component, shutdown: Shutdown) {
    while !shutdown.is_requested() {
        match redis.ping().await {
            Ok(()) => component.up(),
            Err(error) => component.degraded(error.to_string()),
        }
        tokio::select! {
            () = tokio::time::sleep(PING_INTERVAL) => {}
            () = shutdown.requested() => {}
        }
    }
}

/// Keeps the gauge of events not yet published. While the database does not answer, the last value stands.
async fn watch_pending(app: Arc<App>, shutdown: Shutdown) {
    while !shutdown.is_requested() {
        match app.store.pending_events().await {
            Ok(events) => app.metrics.pending.set(events),
            Err(error) => tracing::debug!(%error, "pending events are unknown"),
        }
        tokio::select! {
            () = tokio::time::sleep(PENDING_INTERVAL) => {}
            () = shutdown.requested() => {}
        }
    }
}

fn open_store(settings: &Settings, metrics: &Metrics) -> Result<Store, BuildError> {
    let hot = PoolSpec {
        url: &settings.database.url,
        application_name: "auth-api hot",
        max_connections: settings.database.hot_connections,
        statement_timeout: STATEMENT_TIMEOUT,
        lock_timeout: LOCK_TIMEOUT,
        settings: &HOT_CONNECTION_SETTINGS,
    };
    let cold = PoolSpec {
        application_name: "auth-api cold",
        max_connections: settings.database.cold_connections,
        lock_timeout: ADMIN_LOCK_TIMEOUT,
        settings: &[],
        ..hot
    };
    let batches = BatchSpec {
        options: connect_options(&PoolSpec {
            application_name: "auth-api batches",
            ..hot
        })?,
        workers: settings.database.batch_connections,
    };
    Ok(Store::new(
        connect_lazy(&hot)?,
        connect_lazy(&cold)?,
        batches,
        &metrics.statements,
    ))
}
