//! The only SQL and Redis of the authorization server: one file per statement in `sql/`, one module per noun here.
//!
//! Hot statements take arrays and give one outcome per row, and carry the tenant in each row. They run on connections
//! whose plans are fixed (DESIGN section 5). Refuses to decide: what a statement decides is a CASE in it and an enum of
//! the domain.

mod access_tokens;
pub mod admin;
mod attempt;
mod authorization_codes;
mod authorizations;
mod batch;
mod browser_ends;
mod browser_sessions;
mod client_tokens;
mod clients;
mod clock;
mod connected_apps;
mod consents;
mod fault;
mod hot_connection;
mod lanes;
mod observed;
mod outbox;
mod passwords;
mod purge;
mod rate_windows;
mod redis;
mod refresh_tokens;
mod revocations;
mod security_events;
mod sessions;
mod sign_in_attempts;
mod signing_keys;
mod tenants;
mod users;
mod work;

use credo_postgres::{RoleError, assert_serving_role};
use sqlx::PgPool;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use self::{hot_connection::HotConnection, lanes::Lanes, outbox::Slot};

pub use access_tokens::{AccessTokenCheck, AccessTokenStanding};
pub use authorization_codes::{Redeem, Redeemed};
pub use authorizations::{Authorization, Authorize};
pub use browser_ends::EndBrowser;
pub use browser_sessions::{NewBrowserSession, SignedIn, StoredBrowserSession};
pub use client_tokens::{ClientToken, Issue, IssueOutcome};
pub use connected_apps::ConsentChange;
pub use consents::{ConsentGrant, GrantConsent};
pub use fault::Fault;
pub use lanes::BatchSpec;
pub use observed::{STATEMENTS, StatementMetrics};
pub use outbox::EventRow;
pub use passwords::PasswordChange;
pub use purge::{AttemptPlace, Page};
pub use rate_windows::{Tally, WindowKey};
pub use redis::{BreakerState, MAX_REDIS_VALUE_BYTES, Redis, RedisFailure, redis_order};
pub use refresh_tokens::{IntrospectedRefreshToken, RefreshTokenKey, Rotate, Rotated, SessionWindow};
pub use revocations::{FeedRow, Poll, RevokedKind};
pub use security_events::SecurityEvent;
pub use sessions::{EndAll, Revoke, SessionOwner};
pub use sign_in_attempts::{Account, Reservation};
pub use signing_keys::{
    KeyChange, NewKeyEvent, NewSigningKey, Resealed, SealedUnder, SigningKeyRecord, StoredKeys, StoredSigningKey,
};
pub use work::Work;

use observed::Observed;

/// Settings of the connections that hot statements run on: a plan that was prepared while a table was empty must still
/// be an index plan when it is full. What is switched off has a price of ten thousand million, wherever a plan cannot do
/// without it: the look at the feed was compiled to machine code for it, for 140 to 450 ms each time.
pub const HOT_CONNECTION_SETTINGS: [(&str, &str); 5] = [
    ("jit", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// Statements in their waiting form that may run at once; each holds a connection for up to the lock time-out.
const MAX_WAITING_FORMS: usize = 4;

/// The auth database.
#[derive(Debug)]
pub struct Store {
    hot: Observed,
    cold: Observed,
    waiting: Semaphore,
    slot: Slot,
    lanes: Lanes,
    /// Its own, so that no look at the revocations waits for a connection or a ping.
    looking: Mutex<HotConnection>,
}

impl Store {
    /// `hot` has [`HOT_CONNECTION_SETTINGS`] and serves what requests wait for alone; `cold` serves administration and look-ups.
    #[must_use]
    pub fn new(hot: PgPool, cold: PgPool, batches: BatchSpec, metrics: &StatementMetrics) -> Self {
        let slot = Slot::default();
        Self {
            hot: Observed::new(hot, "hot", metrics),
            cold: Observed::new(cold, "cold", metrics),
            waiting: Semaphore::new(MAX_WAITING_FORMS),
            looking: Mutex::new(HotConnection::new(batches.options.clone(), metrics.clone())),
            lanes: Lanes::new(batches, &slot, metrics),
            slot,
        }
    }

    /// The turn of a statement in its waiting form.
    async fn wait_turn(&self) -> Result<SemaphorePermit<'_>, Fault> {
        let permit = self.waiting.acquire().await;
        permit.map_err(|_| Fault::Impossible("a closed semaphore"))
    }

    /// Whether the role of this store may serve.
    ///
    /// # Errors
    /// If it may not, or the database gives no answer.
    pub async fn assert_serving_role(&self) -> Result<(), RoleError> {
        assert_serving_role(self.cold.pool()).await
    }
}
