//! The proved caller, and the proved right to touch a tenant.

use std::{collections::BTreeSet, sync::Arc};

use credo_ids::{ClientId, TenantId, UserId};
use time::OffsetDateTime;
use tonic::{Request, Status};

use crate::{ErrorReason, Problem};

/// A caller whose token was verified and who holds the method's scope.
#[derive(Debug, Clone)]
pub struct AdminPrincipal {
    client_id: ClientId,
    user_id: Option<UserId>,
    tenant_id: TenantId,
    is_system: bool,
    scopes: Arc<BTreeSet<String>>,
    expires_at: OffsetDateTime,
}

/// The right to act on one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantScope {
    id: TenantId,
}

impl AdminPrincipal {
    pub(crate) fn new(
        (client_id, user_id): (ClientId, Option<UserId>),
        (tenant_id, is_system): (TenantId, bool),
        scope: &str,
        expires_at: OffsetDateTime,
    ) -> Self {
        let scopes = scope
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect();
        Self {
            client_id,
            user_id,
            tenant_id,
            is_system,
            scopes: Arc::new(scopes),
            expires_at,
        }
    }

    /// The caller of a request that came through the [`crate::AdminLayer`].
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if it did not.
    pub fn of<T>(request: &Request<T>) -> Result<&Self, Status> {
        request
            .extensions()
            .get()
            .ok_or_else(|| Problem::unauthenticated("the call needs an access token").into_status())
    }

    /// The OAuth client that calls.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// The person who acts by means of the client; nobody if it acts by itself.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        self.user_id
    }

    /// Their own tenant.
    #[must_use]
    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// Whether it acts on all tenants.
    #[must_use]
    pub fn is_system(&self) -> bool {
        self.is_system
    }

    /// Whether the token carries `scope`.
    #[must_use]
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }

    /// When its token ends: what outlives a call must not outlive that.
    #[must_use]
    pub fn expires_at(&self) -> OffsetDateTime {
        self.expires_at
    }

    /// Whether it acts on all tenants, as what concerns all of them needs.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` for other tenants' callers.
    pub fn require_system(&self) -> Result<(), Status> {
        if self.is_system {
            return Ok(());
        }
        Err(Problem::new(ErrorReason::SystemOnly, "only the system tenant may").into_status())
    }

    /// The right to act on tenant `id`, which need not exist.
    ///
    /// # Errors
    /// `NOT_FOUND` for another's tenant, as if it did not exist.
    pub fn tenant(&self, id: TenantId) -> Result<TenantScope, Status> {
        if self.is_system || self.tenant_id == id {
            Ok(TenantScope { id })
        } else {
            Err(Problem::not_found("tenant").into_status())
        }
    }
}

impl TenantScope {
    /// The tenant.
    #[must_use]
    pub fn id(&self) -> TenantId {
        self.id
    }
}
