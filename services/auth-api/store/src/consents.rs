//! What people let clients have.

use credo_auth_domain::scope::Scope;
use credo_ids::{BrowserSessionId, ClientId, EventId, TenantId, UserId};
use tracing::instrument;

use crate::{EventRow, Fault, Store, attempt::attempt, outbox::shard};

/// A consent that is to be recorded.
#[derive(Clone, Debug)]
pub struct GrantConsent {
    /// The client's tenant.
    pub tenant_id: TenantId,
    /// The signed-in browser that says it: it also says whose consent it is.
    pub browser_session_id: BrowserSessionId,
    /// The client.
    pub client_id: ClientId,
    /// What it may have from now on, beside what it may have already.
    pub scope: Scope,
    /// The id of the event.
    pub event_id: EventId,
    /// The event's parts.
    pub event: EventRow,
}

/// What recording a consent came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentGrant {
    /// The tenant is suspended.
    TenantSuspended,
    /// The client is disabled.
    ClientDisabled,
    /// Nobody is signed in with the browser any more.
    SignedOut,
    /// Recorded.
    Granted,
}

impl ConsentGrant {
    fn find(name: &str) -> Option<Self> {
        match name {
            "TenantSuspended" => Some(Self::TenantSuspended),
            "ClientDisabled" => Some(Self::ClientDisabled),
            "SignedOut" => Some(Self::SignedOut),
            "Granted" => Some(Self::Granted),
            _ => None,
        }
    }
}

impl Store {
    /// What a person lets a client have now, of what it asks for.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%user, %client))]
    pub async fn find_consent(
        &self,
        (tenant, client): (TenantId, ClientId),
        user: UserId,
        asked: &Scope,
    ) -> Result<Scope, Fault> {
        let row = sqlx::query_file!(
            "sql/consent_find.sql",
            tenant.as_uuid(),
            user.as_uuid(),
            client.as_uuid()
        )
        .fetch_optional(&self.hot)
        .await?;
        // All that was ever allowed may be more than one request can ask for.
        let granted = row.map(|row| row.scope).unwrap_or_default();
        Ok(asked.only(|token| granted.split(' ').any(|known| known == token)))
    }

    /// Records a consent and its event.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(browser_session = %item.browser_session_id, client = %item.client_id))]
    pub async fn grant_consent(&self, item: &GrantConsent) -> Result<ConsentGrant, Fault> {
        let row = attempt(|| {
            sqlx::query_file!(
                "sql/consent_grant.sql",
                item.tenant_id.as_uuid(),
                item.browser_session_id.as_uuid(),
                item.client_id.as_uuid(),
                item.scope.to_string(),
                self.slot(),
                shard(item.tenant_id),
                item.event_id.as_uuid(),
                item.event.core,
                item.event.personal.as_bytes()
            )
            .fetch_optional(&self.hot)
        })
        .await?;
        // No row: neither the browser nor the client is of this tenant.
        row.map_or(Ok(ConsentGrant::SignedOut), |row| {
            ConsentGrant::find(&row.outcome).ok_or(Fault::Impossible("consent_grant.outcome"))
        })
    }
}
