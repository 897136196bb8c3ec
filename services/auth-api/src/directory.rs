//! Clients, tenants and people as they were read lately.
//!
//! What is kept decides nothing alone: a hot statement compares versions and epochs, and where there is no statement the
//! revocation feed must vouch for what was kept. Only what is active is kept, so that enabling again shows at once.

use std::{sync::Arc, time::Duration};

use credo_auth_domain::{
    client::Client,
    email_address::EmailAddress,
    tenant::{Tenant, is_slug},
    user::User,
};
use credo_auth_store::{Fault, Store, Work};
use credo_ids::{ClientId, TenantId, UserId};
use moka::future::Cache;
use tokio::sync::Semaphore;

use crate::{
    feed::Feed,
    metrics::{Cache as Kept, Look, Metrics},
    refusal::Refusal,
};

/// How long a client, a tenant or a person is kept.
const TTL: Duration = Duration::from_mins(1);
/// How many of each are kept.
const CAPACITY: u64 = 100_000;

/// How many origins are asked for at one time.
const MAX_ASKING: usize = 4;

/// What was read lately.
#[derive(Debug)]
pub struct Directory {
    store: Arc<Store>,
    feed: Arc<Feed>,
    clients: Cache<ClientId, Arc<Client>>,
    tenants: Cache<String, Arc<Tenant>>,
    users: Cache<(TenantId, UserId), Arc<User>>,
    accounts: Cache<(TenantId, String), Arc<(UserId, i64)>>,
    origins: Cache<String, bool>,
    /// Origins are anybody's words: only so many are asked for at one time.
    asking: Semaphore,
    metrics: Metrics,
}

/// Nothing to keep.
#[derive(Debug, thiserror::Error)]
enum Missing {
    #[error("there is none")]
    Absent,
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Directory {
    /// An empty directory over `store`.
    #[must_use]
    pub fn new(store: Arc<Store>, feed: Arc<Feed>, metrics: Metrics) -> Self {
        fn cache<K: std::hash::Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>() -> Cache<K, V> {
            Cache::builder().time_to_live(TTL).max_capacity(CAPACITY).build()
        }
        Self {
            store,
            feed,
            clients: Cache::builder()
                .time_to_live(TTL)
                .max_capacity(CAPACITY)
                .support_invalidation_closures()
                .build(),
            tenants: cache(),
            users: cache(),
            accounts: cache(),
            origins: cache(),
            asking: Semaphore::new(MAX_ASKING),
            metrics,
        }
    }

    /// An active client of an active tenant.
    ///
    /// # Errors
    /// If the database has to be asked and gives no answer.
    pub async fn resolve_client(&self, id: ClientId) -> Result<Option<Arc<Client>>, Refusal> {
        if let Some(kept) = self.clients.get(&id).await {
            if self.feed.vouches_for(&kept) {
                self.metrics.looked(Kept::Client, Look::Hit);
                return Ok(Some(kept));
            }
            self.clients.invalidate(&id).await;
            self.metrics.looked(Kept::Client, Look::Fallback);
        } else {
            self.metrics.looked(Kept::Client, Look::Miss);
        }
        let loading = self.clients.try_get_with(id, async {
            let client = self
                .store
                .find_client(id)
                .await?
                .filter(|client| client.active && client.tenant.active);
            client.map(Arc::new).ok_or(Missing::Absent)
        });
        found(loading.await)
    }

    /// Forgets a client that a statement found to be another by now.
    pub async fn forget_client(&self, id: ClientId) {
        self.clients.invalidate(&id).await;
    }

    /// Forgets a tenant that this replica has just changed.
    pub async fn forget_tenant(&self, slug: &str) {
        self.tenants.invalidate(slug).await;
    }

    /// An active tenant.
    ///
    /// # Errors
    /// If the database has to be asked and gives no answer.
    pub async fn resolve_tenant(&self, slug: &str) -> Result<Option<Arc<Tenant>>, Refusal> {
        if !is_slug(slug) {
            return Ok(None);
        }
        if let Some(kept) = self.tenants.get(slug).await {
            if self.feed.vouches_for_tenant(kept.id, kept.epoch) {
                self.metrics.looked(Kept::Tenant, Look::Hit);
                Work::note_tenant(kept.id);
                return Ok(Some(kept));
            }
            self.tenants.invalidate(slug).await;
            self.metrics.looked(Kept::Tenant, Look::Fallback);
        } else {
            self.metrics.looked(Kept::Tenant, Look::Miss);
        }
        let loading = self.tenants.try_get_with_by_ref(slug, async {
            let tenant = self
                .store
                .find_tenant_by_slug(slug)
                .await?
                .filter(|tenant| tenant.active);
            tenant.map(Arc::new).ok_or(Missing::Absent)
        });
        found(loading.await)
    }

    /// The tenant that a slug names. It names the same one for ever, so nothing needs to vouch for it; whether the tenant is
    /// still active is for whoever judges the token.
    ///
    /// # Errors
    /// If the database has to be asked and gives no answer.
    pub async fn resolve_slug(&self, slug: &str) -> Result<Option<TenantId>, Refusal> {
        match self.tenants.get(slug).await {
            Some(kept) => Ok(Some(kept.id)),
            None => Ok(self.resolve_tenant(slug).await?.map(|tenant| tenant.id)),
        }
    }

    /// Forgets every client of a tenant that was changed here: each was read with it.
    pub fn forget_clients_of(&self, tenant: TenantId) {
        let of_tenant = move |_: &ClientId, client: &Arc<Client>| client.tenant.id == tenant;
        if let Err(error) = self.clients.invalidate_entries_if(of_tenant) {
            tracing::warn!(%error, "clients of a tenant could not be forgotten: they are kept for up to a minute");
        }
    }

    /// Forgets a person who was changed here.
    pub async fn forget_user(&self, tenant: TenantId, user: UserId) {
        self.users.invalidate(&(tenant, user)).await;
    }

    /// An active person. Whether they are still active is the token's matter: the feed tells. Another address gives them
    /// another epoch, so that none is shown that was theirs before.
    ///
    /// # Errors
    /// If the database has to be asked and gives no answer.
    pub async fn resolve_user(&self, tenant: TenantId, user: UserId) -> Result<Option<Arc<User>>, Refusal> {
        let key = (tenant, user);
        if let Some(kept) = self.users.get(&key).await {
            if !self.feed.has_overtaken(tenant, user, kept.epoch) {
                self.metrics.looked(Kept::User, Look::Hit);
                return Ok(Some(kept));
            }
            self.users.invalidate(&key).await;
            self.metrics.looked(Kept::User, Look::Fallback);
        } else {
            self.metrics.looked(Kept::User, Look::Miss);
        }
        let loading = self.users.try_get_with(key, async {
            self.store
                .find_user(tenant, user)
                .await?
                .map(Arc::new)
                .ok_or(Missing::Absent)
        });
        found(loading.await)
    }

    /// Whether any active client has registered an origin, as it was in the last minute. A stranger's origin is not asked for
    /// while too many are: then it counts as not registered.
    ///
    /// # Errors
    /// If the database has to be asked and gives no answer.
    pub async fn resolve_origin(&self, origin: &str) -> Result<bool, Refusal> {
        if let Some(kept) = self.origins.get(origin).await {
            self.metrics.looked(Kept::Origin, Look::Hit);
            return Ok(kept);
        }
        self.metrics.looked(Kept::Origin, Look::Miss);
        let Ok(_permit) = self.asking.try_acquire() else {
            return Ok(false);
        };
        let registered = self.store.is_registered_origin(origin).await?;
        self.origins.insert(origin.to_owned(), registered).await;
        Ok(registered)
    }

    /// The active person whose account has that name. Whether they are still active is for the statement that follows.
    ///
    /// # Errors
    /// If the database has to be asked and gives no answer.
    pub async fn resolve_account(&self, tenant: TenantId, email: &EmailAddress) -> Result<Option<UserId>, Refusal> {
        let key = (tenant, email.as_str().to_owned());
        if let Some(kept) = self.accounts.get(&key).await {
            let (user, epoch) = *kept;
            if !self.feed.has_overtaken(tenant, user, epoch) {
                self.metrics.looked(Kept::Account, Look::Hit);
                return Ok(Some(user));
            }
            self.accounts.invalidate(&key).await;
            self.metrics.looked(Kept::Account, Look::Fallback);
        } else {
            self.metrics.looked(Kept::Account, Look::Miss);
        }
        let loading = self.accounts.try_get_with(key, async {
            self.store
                .find_user_by_email(tenant, email)
                .await?
                .map(Arc::new)
                .ok_or(Missing::Absent)
        });
        Ok(found(loading.await)?.map(|account| account.0))
    }
}

fn found<T>(answer: Result<Arc<T>, Arc<Missing>>) -> Result<Option<Arc<T>>, Refusal> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(missing) => match &*missing {
            Missing::Absent => Ok(None),
            Missing::Fault(fault) => Err(fault.into()),
        },
    }
}
