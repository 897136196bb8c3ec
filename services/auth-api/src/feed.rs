//! The revocation feed in memory: what must be refused although its signature is good (DESIGN section 6).
//!
//! Invariant: an answer from memory is given only while the last successful look *started* less than a second ago on the
//! monotonic clock. Otherwise the caller must ask the rows themselves, or refuse to answer.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use credo_auth_domain::client::Client;
use credo_auth_store::{AccessTokenCheck, FeedRow, RevokedKind, Store};
use credo_clock::SharedClock;
use credo_ids::{SigningKeyId, TenantId, UserId};
use credo_lifecycle::{Component, Shutdown};
use time::OffsetDateTime;
use tokio::time::timeout;
use uuid::Uuid;

/// Time between two looks.
const POLL_INTERVAL: Duration = Duration::from_millis(300);
/// A look that takes longer is given up: a database that hangs must show.
const LOOK_DEADLINE: Duration = Duration::from_secs(2);
/// The oldest look that an answer may rest on.
pub const MAX_AGE: Duration = Duration::from_secs(1);
/// Of the time in the database nothing is known yet.
const NEVER: i64 = i64::MIN;

#[derive(Default)]
struct State {
    /// When the last successful look started.
    looked_at: Option<Duration>,
    rows: HashMap<(TenantId, RevokedKind, Uuid), Vec<FeedRow>>,
}

/// What was revoked lately, and what time it is in the database.
pub struct Feed {
    state: RwLock<State>,
    /// What the database's clock is ahead of ours, in microseconds.
    offset_micros: AtomicI64,
    clock: SharedClock,
}

/// What the feed says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// The feed is too old to tell.
    Unknown,
}

impl Feed {
    /// An empty feed, which can tell nothing yet.
    #[must_use]
    pub fn new(clock: SharedClock) -> Arc<Self> {
        Arc::new(Self {
            state: RwLock::default(),
            offset_micros: AtomicI64::new(NEVER),
            clock,
        })
    }

    /// The time in the database: what was last learned, and what has elapsed since. That the wall clock of this process is
    /// stepped changes nothing; before the first look there is no other.
    #[must_use]
    pub fn database_now(&self) -> OffsetDateTime {
        match self.offset_micros.load(Ordering::Relaxed) {
            NEVER => self.clock.now(),
            offset => OffsetDateTime::UNIX_EPOCH + self.clock.monotonic() + time::Duration::microseconds(offset),
        }
    }

    /// Age of the last successful look; nothing if there was none.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.looked_at.map(|at| self.clock.monotonic().saturating_sub(at))
    }

    /// Whether a token whose signature is good is still honoured.
    #[must_use]
    pub fn verdict(&self, token: &AccessTokenCheck) -> Verdict {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if !self.is_fresh(&state) {
            return Verdict::Unknown;
        }
        let session = token.session_id.map(|session| session.as_uuid());
        let absolute = |kind, id| state.rows.contains_key(&(token.tenant_id, kind, id));
        let below = |kind, id, epoch: i64| state.is_below((token.tenant_id, kind, id), epoch, session);
        let revoked = absolute(RevokedKind::Token, token.token_id.as_uuid())
            || absolute(RevokedKind::Key, token.key_id.as_uuid())
            || session.is_some_and(|session| absolute(RevokedKind::Session, session))
            || below(RevokedKind::Tenant, token.tenant_id.as_uuid(), token.epochs.tenant)
            || below(RevokedKind::Client, token.client_id.as_uuid(), token.epochs.client)
            || token
                .user_id
                .zip(token.epochs.user)
                .is_some_and(|(user, epoch)| below(RevokedKind::User, user.as_uuid(), epoch));
        if revoked { Verdict::Revoked } else { Verdict::Good }
    }

    /// Whether a client that was read at that instant is still as it was.
    #[must_use]
    pub fn vouches_for(&self, client: &Client, read_at: OffsetDateTime) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let tenant = client.tenant.id;
        self.is_fresh(&state)
            && !state.is_below(
                (tenant, RevokedKind::Tenant, tenant.as_uuid()),
                client.tenant.epoch,
                None,
            )
            && !state.is_below((tenant, RevokedKind::Client, client.id.as_uuid()), client.epoch, None)
            && !state.is_below(
                (tenant, RevokedKind::ClientVersion, client.id.as_uuid()),
                client.version,
                None,
            )
            && !state.is_to_be_read_again((tenant, client.id.as_uuid()), read_at)
    }

    /// Whether a tenant of that epoch, read at that instant, is still as it was.
    #[must_use]
    pub fn vouches_for_tenant(&self, tenant: TenantId, epoch: i64, read_at: OffsetDateTime) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        self.is_fresh(&state)
            && !state.is_below((tenant, RevokedKind::Tenant, tenant.as_uuid()), epoch, None)
            && !state.is_to_be_read_again((tenant, tenant.as_uuid()), read_at)
    }

    /// Whether a person of that epoch, read at that instant, is known to be another by now, however old the feed is.
    #[must_use]
    pub fn has_overtaken(&self, (tenant, user): (TenantId, UserId), epoch: i64, read_at: OffsetDateTime) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.is_below((tenant, RevokedKind::User, user.as_uuid()), epoch, None)
            || state.is_to_be_read_again((tenant, user.as_uuid()), read_at)
    }

    /// Whether a person of that epoch, read at that instant, is still as they were, but for what no epoch tells.
    #[must_use]
    pub fn vouches_for_user(&self, of: (TenantId, UserId), epoch: i64, read_at: OffsetDateTime) -> bool {
        let is_fresh = self.is_fresh(&self.state.read().unwrap_or_else(PoisonError::into_inner));
        is_fresh && !self.has_overtaken(of, epoch, read_at)
    }

    /// Whether one of a tenant's keys is known to be revoked, however old the feed is.
    #[must_use]
    pub fn knows_revoked(&self, tenant: TenantId, keys: impl IntoIterator<Item = SigningKeyId>) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let known = |key: SigningKeyId| state.rows.contains_key(&(tenant, RevokedKind::Key, key.as_uuid()));
        keys.into_iter().any(known)
    }

    /// Whether none of a tenant's keys that were read before was revoked.
    #[must_use]
    pub fn vouches_for_keys(&self, tenant: TenantId, keys: impl IntoIterator<Item = SigningKeyId>) -> bool {
        let is_fresh = self.is_fresh(&self.state.read().unwrap_or_else(PoisonError::into_inner));
        is_fresh && !self.knows_revoked(tenant, keys)
    }

    /// Takes a row that this process has just written, so that it need not wait for the next look.
    pub fn learn(&self, row: FeedRow) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).insert(row);
    }

    /// Looks every 300 ms, or at once after a look that took longer, until shutdown and the last request: a slow database
    /// must not make the feed too old to vouch, which would make it slower still.
    pub async fn run(self: Arc<Self>, store: Arc<Store>, database: Component, shutdown: Shutdown) {
        let companion = shutdown.companion();
        let mut snapshot: Option<String> = None;
        loop {
            let began_at = self.clock.monotonic();
            let looked = tokio::select! {
                looked = timeout(LOOK_DEADLINE, self.look(&store, snapshot.as_deref())) => looked,
                () = companion.drained() => return,
            };
            match looked {
                Ok(Ok(next)) => {
                    database.up();
                    snapshot = Some(next);
                }
                Err(_) => {
                    tracing::warn!("the revocation feed gave no answer in time");
                    database.down("no answer in time");
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the revocation feed could not be read");
                    database.down(error.to_string());
                }
            }
            let took = self.clock.monotonic().saturating_sub(began_at);
            tokio::select! {
                () = tokio::time::sleep(POLL_INTERVAL.saturating_sub(took)) => {}
                () = companion.drained() => return,
            }
        }
    }

    /// One look. Gives the snapshot that the next one begins at.
    ///
    /// # Errors
    /// If the database gives no answer.
    pub async fn look(&self, store: &Store, since: Option<&str>) -> Result<String, credo_auth_store::Fault> {
        let started = self.clock.monotonic();
        let poll = store.poll_revocations(since).await?;
        let micros = (poll.at - OffsetDateTime::UNIX_EPOCH - self.clock.monotonic()).whole_microseconds();
        self.offset_micros
            .store(i64::try_from(micros).unwrap_or(NEVER), Ordering::Relaxed);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.rows.retain(|_, rows| {
            rows.retain(|row| row.expires_at > poll.at);
            !rows.is_empty()
        });
        for row in poll.rows {
            state.insert(row);
        }
        state.looked_at = Some(started);
        Ok(poll.snapshot)
    }

    fn is_fresh(&self, state: &State) -> bool {
        state
            .looked_at
            .is_some_and(|at| self.clock.monotonic().saturating_sub(at) < MAX_AGE)
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Feed")
    }
}

impl State {
    /// A row comes more than once: from here at once, with the next look, and for what is revoked again. Of those that spare
    /// the same session the latest epoch says what all of them do, so that many changes of one thing take the room of one.
    fn insert(&mut self, row: FeedRow) {
        let rows = self.rows.entry((row.tenant_id, row.kind, row.id)).or_default();
        let same =
            |known: &&mut FeedRow| (known.epoch.is_some(), known.except_sid) == (row.epoch.is_some(), row.except_sid);
        match rows.iter_mut().find(same) {
            Some(known) => {
                known.epoch = known.epoch.max(row.epoch);
                known.expires_at = known.expires_at.max(row.expires_at);
            }
            None => rows.push(row),
        }
    }

    /// Whether what was read of something in a tenant at that instant is not to be used any more.
    fn is_to_be_read_again(&self, (tenant, id): (TenantId, Uuid), read_at: OffsetDateTime) -> bool {
        let read_at = i64::try_from(read_at.unix_timestamp_nanos() / 1_000).unwrap_or_default();
        let ids = [
            (tenant, id),
            (tenant, tenant.as_uuid()),
            (Uuid::nil().into(), Uuid::nil()),
        ];
        ids.into_iter()
            .any(|(tenant, id)| self.is_below((tenant, RevokedKind::Read, id), read_at, None))
    }

    fn is_below(&self, row: (TenantId, RevokedKind, Uuid), epoch: i64, session: Option<Uuid>) -> bool {
        self.rows.get(&row).is_some_and(|rows| {
            let spared = |row: &FeedRow| session.is_some() && row.except_sid == session;
            rows.iter()
                .any(|row| row.epoch.is_some_and(|limit| epoch < limit) && !spared(row))
        })
    }
}
