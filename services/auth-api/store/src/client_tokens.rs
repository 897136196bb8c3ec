//! Tokens that clients get for themselves: no row of their own, one event each.

use std::sync::Arc;

use credo_auth_domain::session::Epochs;
use credo_ids::{ClientId, EventId, TenantId, TokenId};
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use crate::{
    EventRow, Fault, Store,
    attempt::attempt,
    batch::Kind,
    hot_connection::HotConnection,
    lanes::{in_order, is_open, ride},
    outbox::{Slot, shard},
};

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

pub(crate) struct Row {
    event_id: Uuid,
    outcome: String,
    at: OffsetDateTime,
    tenant_epoch: i64,
    client_epoch: i64,
}

impl TryFrom<Row> for ClientToken {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
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
        Ok(Self {
            outcome,
            at: row.at,
            epochs,
        })
    }
}

impl Store {
    /// Records that a client gets a token. Nothing if there is no such client in this tenant.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(client = %item.client_id))]
    pub async fn issue_client_token(&self, item: Issue) -> Result<Option<ClientToken>, Fault> {
        let row = ride(&self.lanes.client_tokens, Arc::new(item)).await?;
        row.map(ClientToken::try_from).transpose()
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

/// Tokens that share a statement; each adds a row and touches no other.
pub(crate) struct ClientTokens(pub(crate) Slot);

impl Kind for ClientTokens {
    type Worker = HotConnection;
    type Item = Issue;
    type Answer = Row;
    type Error = sqlx::Error;

    const NAME: &'static str = "client_token_issue";

    fn key(_: &Issue) -> Option<Uuid> {
        None
    }

    async fn run(&self, worker: &mut HotConnection, items: &[Arc<Issue>]) -> Result<Vec<Option<Row>>, sqlx::Error> {
        let column = |id: fn(&Issue) -> Uuid| items.iter().map(|item| id(item)).collect::<Vec<_>>();
        let statement = sqlx::query_file_as!(
            Row,
            "sql/client_token_issue.sql",
            &column(|item| item.tenant_id.as_uuid()),
            &column(|item| item.client_id.as_uuid()),
            &(items.iter()).map(|item| item.client_version).collect::<Vec<_>>(),
            &column(|item| item.event_id.as_uuid()),
            &vec![self.0.get(); items.len()],
            &(items.iter()).map(|item| shard(item.tenant_id)).collect::<Vec<_>>(),
            &(items.iter()).map(|item| item.event.core.clone()).collect::<Vec<_>>(),
            &(items.iter())
                .map(|item| item.event.personal.as_bytes().to_vec())
                .collect::<Vec<_>>()
        );
        let mut connection = worker.take().await?;
        let rows = worker.answer(Self::NAME, statement.fetch_all(&mut connection)).await;
        worker.keep(connection, &rows);
        Ok(in_order(
            items,
            |item| item.event_id.as_uuid(),
            rows?,
            |row| row.event_id,
        ))
    }

    fn may_run_again(error: &sqlx::Error) -> bool {
        is_open(error)
    }
}
