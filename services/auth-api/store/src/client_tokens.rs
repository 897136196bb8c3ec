//! Tokens that clients get for themselves: no row of their own, one event each.

use credo_auth_domain::session::Epochs;
use credo_ids::{ClientId, EventId, TenantId, TokenId};
use time::OffsetDateTime;
use tracing::instrument;

use crate::{EventRow, Fault, Store, attempt::attempt, outbox::shard};

/// A token that is to be issued.
#[derive(Clone, Debug)]
pub struct Issue {
    /// The client's tenant.
    pub tenant_id: TenantId,
    /// The client.
    pub client_id: ClientId,
    /// The client's version that it was authenticated by.
    pub client_version: i64,
    /// The event.
    pub event_id: EventId,
    /// The event's parts.
    pub event: EventRow,
}

/// What it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueOutcome {
    /// Recorded.
    Issued,
    /// The tenant is suspended.
    TenantSuspended,
    /// The client is disabled.
    ClientDisabled,
    /// The client changed since it was read: nothing is decided.
    Stale,
}

/// What the statement returned.
#[derive(Clone, Copy, Debug)]
pub struct ClientToken {
    /// What it decided.
    pub outcome: IssueOutcome,
    /// The database's clock.
    pub at: OffsetDateTime,
    /// What the token is issued under.
    pub epochs: Epochs,
}

impl Store {
    /// Records that a client gets a token. Nothing if there is no such client in this tenant.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(client = %item.client_id))]
    pub async fn issue_client_token(&self, item: &Issue) -> Result<Option<ClientToken>, Fault> {
        let row = attempt(|| async {
            sqlx::query_file!(
                "sql/client_token_issue.sql",
                &[item.tenant_id.as_uuid()][..],
                &[item.client_id.as_uuid()][..],
                &[item.client_version][..],
                &[item.event_id.as_uuid()][..],
                &[self.slot()][..],
                &[shard(item.tenant_id)][..],
                &[item.event.core.clone()][..],
                &[item.event.personal.as_bytes().to_vec()][..]
            )
            .fetch_optional(&self.hot)
            .await
        })
        .await?;
        row.map(|row| {
            let outcome = match row.outcome.as_str() {
                "Issued" => IssueOutcome::Issued,
                "TenantSuspended" => IssueOutcome::TenantSuspended,
                "ClientDisabled" => IssueOutcome::ClientDisabled,
                "Stale" => IssueOutcome::Stale,
                _ => return Err(Fault::Impossible("client_token_issue.outcome")),
            };
            let epochs = Epochs {
                tenant: row.tenant_epoch,
                client: row.client_epoch,
                user: None,
            };
            Ok(ClientToken {
                outcome,
                at: row.at,
                epochs,
            })
        })
        .transpose()
    }

    /// Refuses a token that a client got for itself from now on.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(client = %client))]
    pub async fn revoke_client_token(
        &self,
        (tenant, client): (TenantId, ClientId),
        token: TokenId,
        event_id: EventId,
        event: &EventRow,
    ) -> Result<(), Fault> {
        attempt(|| async {
            sqlx::query_file!(
                "sql/client_token_revoke.sql",
                tenant.as_uuid(),
                token.as_uuid(),
                self.slot(),
                shard(tenant),
                client.as_uuid(),
                event_id.as_uuid(),
                event.core,
                event.personal.as_bytes()
            )
            .execute(&self.hot)
            .await
        })
        .await?;
        Ok(())
    }
}
