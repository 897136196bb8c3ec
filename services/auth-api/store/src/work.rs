//! What one request costs the database and whom it turned out to be about: for its log line.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use credo_ids::{ClientId, TenantId};

tokio::task_local! {
    static WORK: Arc<Work>;
}

/// The work of one request, filled in while it is served.
#[derive(Debug, Default)]
pub struct Work {
    statements: AtomicU32,
    database_micros: AtomicU64,
    tenant: OnceLock<TenantId>,
    client: OnceLock<ClientId>,
}

impl Work {
    /// That of the request that this task serves, if it serves one.
    #[must_use]
    pub fn current() -> Option<Arc<Self>> {
        WORK.try_with(Arc::clone).ok()
    }

    /// Runs a part of the request.
    pub async fn scope<T>(work: Option<Arc<Self>>, part: impl Future<Output = T>) -> T {
        match work {
            Some(work) => WORK.scope(work, part).await,
            None => part.await,
        }
    }

    /// Notes whose client is about to act. The first stands.
    pub fn note_client(tenant: TenantId, client: ClientId) {
        Self::note_tenant(tenant);
        let _ = WORK.try_with(|work| work.client.set(client));
    }

    /// Notes the tenant in play. The first stands.
    pub fn note_tenant(tenant: TenantId) {
        let _ = WORK.try_with(|work| work.tenant.set(tenant));
    }

    /// Statements so far.
    #[must_use]
    pub fn statements(&self) -> u32 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Time that statements took, the wait for a connection included.
    #[must_use]
    pub fn database_time(&self) -> Duration {
        Duration::from_micros(self.database_micros.load(Ordering::Relaxed))
    }

    /// The tenant in play.
    #[must_use]
    pub fn tenant(&self) -> Option<TenantId> {
        self.tenant.get().copied()
    }

    /// The client in play.
    #[must_use]
    pub fn client(&self) -> Option<ClientId> {
        self.client.get().copied()
    }

    pub(crate) fn count(took: Duration) {
        let _ = WORK.try_with(|work| {
            work.statements.fetch_add(1, Ordering::Relaxed);
            let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            work.database_micros.fetch_add(micros, Ordering::Relaxed);
        });
    }
}
