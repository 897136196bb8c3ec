//! Clients, tenants and people as they were read lately.
//!
//! What is kept decides nothing alone: a hot statement compares versions and epochs, and where there is no statement the
//! revocation feed must vouch for what was kept. Only what is active is kept, so that enabling again shows at once.
//! Clients and people are also looked for in Redis, before the database is asked: one reader of each at a time.

mod kept;

use std::sync::Arc;

use credo_auth_domain::{
    client::Client,
    email_address::EmailAddress,
    rate_limit::Limits,
    tenant::{Tenant, is_slug},
    user::User,
};
use credo_auth_store::{Fault, Store, Work};
use credo_ids::{ClientId, TenantId, UserId};
use moka::future::Cache;
use tokio::sync::Semaphore;

use self::kept::{Kept, TTL, cache};
use crate::{
    cache_metrics::{Cache as Counted, CacheMetrics, Level, Look},
    feed::Feed,
    refusal::Refusal,
    second_level::{Key, SecondLevel},
};

/// How many origins are asked for at one time.
const MAX_ASKING: usize = 4;
/// Origins that are kept.
const ORIGINS: u64 = 100_000;

/// What was read lately.
#[derive(Debug)]
pub struct Directory {
    store: Arc<Store>,
    feed: Arc<Feed>,
    second_level: Arc<SecondLevel>,
    clients: Cache<ClientId, Kept<Client>>,
    tenants: Cache<String, Kept<Tenant>>,
    users: Cache<(TenantId, UserId), Kept<User>>,
    accounts: Cache<(TenantId, String), Kept<(UserId, i64)>>,
    origins: Cache<String, bool>,
    /// Origins are anybody's words: only so many are asked for at one time.
    asking: Semaphore,
    metrics: CacheMetrics,
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
    /// An empty directory over `store`, with a second level behind it.
    #[must_use]
    pub fn new(store: Arc<Store>, feed: Arc<Feed>, second_level: Arc<SecondLevel>, metrics: CacheMetrics) -> Self {
        Self {
            store,
            feed,
            second_level,
            clients: cache(),
            tenants: cache(),
            users: cache(),
            accounts: cache(),
            origins: Cache::builder().time_to_live(TTL).max_capacity(ORIGINS).build(),
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
            if self.feed.vouches_for(&kept.value, kept.read_at) {
                self.looked(Counted::Client, Look::Hit);
                return Ok(Some(kept.value));
            }
            self.clients.invalidate(&id).await;
            self.looked(Counted::Client, Look::Fallback);
        } else {
            self.looked(Counted::Client, Look::Miss);
        }
        let loading = self.clients.try_get_with(id, async {
            if let Some(shared) = self.second_level.client(id).await {
                return Ok(Kept::shared(shared.value, shared.at, TTL));
            }
            let began_at = self.feed.database_now();
            let client = self.store.find_client(id).await?;
            let client = client.filter(|client| client.active && client.tenant.active);
            let client = client.ok_or(Missing::Absent)?;
            self.second_level.keep_client(&client, began_at);
            Ok(Kept::read(client, began_at))
        });
        found(loading.await)
    }

    /// The limits of a client, as they were in the last minute: nothing needs to vouch for them.
    ///
    /// # Errors
    /// If the database has to be asked and gives no answer.
    pub async fn resolve_limits(&self, id: ClientId) -> Result<Limits, Refusal> {
        if let Some(kept) = self.clients.get(&id).await {
            return Ok(kept.value.limits);
        }
        let client = self.resolve_client(id).await?;
        Ok(client.map(|client| client.limits).unwrap_or_default())
    }

    /// Forgets a client that was changed here, or that a statement found to be another by now.
    pub async fn forget_client(&self, id: ClientId) {
        self.clients.invalidate(&id).await;
        self.second_level.forget(Key::Client(id)).await;
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
            let tenant = &kept.value;
            if self.feed.vouches_for_tenant(tenant.id, tenant.epoch, kept.read_at) {
                self.looked(Counted::Tenant, Look::Hit);
                Work::note_tenant(tenant.id);
                return Ok(Some(kept.value));
            }
            self.tenants.invalidate(slug).await;
            self.looked(Counted::Tenant, Look::Fallback);
        } else {
            self.looked(Counted::Tenant, Look::Miss);
        }
        let loading = self.tenants.try_get_with_by_ref(slug, async {
            let began_at = self.feed.database_now();
            let tenant = self.store.find_tenant_by_slug(slug).await?;
            let tenant = tenant.filter(|tenant| tenant.active).ok_or(Missing::Absent)?;
            Ok(Kept::read(tenant, began_at))
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
            Some(kept) => Ok(Some(kept.value.id)),
            None => Ok(self.resolve_tenant(slug).await?.map(|tenant| tenant.id)),
        }
    }

    /// Forgets every client of a tenant that was changed here: each was read with it.
    pub fn forget_clients_of(&self, tenant: TenantId) {
        let of_tenant = move |_: &ClientId, kept: &Kept<Client>| kept.value.tenant.id == tenant;
        if let Err(error) = self.clients.invalidate_entries_if(of_tenant) {
            tracing::warn!(%error, "clients of a tenant could not be forgotten: they are kept for up to a minute");
        }
    }

    /// Forgets a person who was changed here.
    pub async fn forget_user(&self, tenant: TenantId, user: UserId) {
        self.users.invalidate(&(tenant, user)).await;
        self.second_level.forget(Key::User(tenant, user)).await;
    }

    /// An active person. Whether they are still active is the token's matter: the feed tells. Another address gives them
    /// another epoch, so that none is shown that was theirs before.
    ///
    /// # Errors
    /// If the database has to be asked and gives no answer.
    pub async fn resolve_user(&self, tenant: TenantId, user: UserId) -> Result<Option<Arc<User>>, Refusal> {
        let key = (tenant, user);
        if let Some(kept) = self.users.get(&key).await {
            if !self.feed.has_overtaken(key, kept.value.epoch, kept.read_at) {
                self.looked(Counted::User, Look::Hit);
                return Ok(Some(kept.value));
            }
            self.users.invalidate(&key).await;
            self.looked(Counted::User, Look::Fallback);
        } else {
            self.looked(Counted::User, Look::Miss);
        }
        let loading = self.users.try_get_with(key, async {
            if let Some(shared) = self.second_level.user(tenant, user).await {
                // No epoch tells of another name: nobody is shown one that is older than a minute.
                let age = self.feed.database_now() - shared.at;
                let left = TTL.saturating_sub(age.try_into().unwrap_or_default());
                return Ok(Kept::shared(shared.value, shared.at, left));
            }
            let began_at = self.feed.database_now();
            let person = self.store.find_user(tenant, user).await?.ok_or(Missing::Absent)?;
            self.second_level.keep_user(tenant, &person, began_at);
            Ok(Kept::read(person, began_at))
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
            self.looked(Counted::Origin, Look::Hit);
            return Ok(kept);
        }
        self.looked(Counted::Origin, Look::Miss);
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
            let (user, epoch) = *kept.value;
            if !self.feed.has_overtaken((tenant, user), epoch, kept.read_at) {
                self.looked(Counted::Account, Look::Hit);
                return Ok(Some(user));
            }
            self.accounts.invalidate(&key).await;
            self.looked(Counted::Account, Look::Fallback);
        } else {
            self.looked(Counted::Account, Look::Miss);
        }
        let loading = self.accounts.try_get_with(key, async {
            let began_at = self.feed.database_now();
            let account = self.store.find_user_by_email(tenant, email).await?;
            Ok(Kept::read(account.ok_or(Missing::Absent)?, began_at))
        });
        Ok(found(loading.await)?.map(|account| account.0))
    }

    fn looked(&self, cache: Counted, look: Look) {
        self.metrics.looked((cache, Level::Memory), look);
    }
}

fn found<T>(answer: Result<Kept<T>, Arc<Missing>>) -> Result<Option<Arc<T>>, Refusal> {
    match answer {
        Ok(kept) => Ok(Some(kept.value)),
        Err(missing) => match &*missing {
            Missing::Absent => Ok(None),
            Missing::Fault(fault) => Err(fault.into()),
        },
    }
}
