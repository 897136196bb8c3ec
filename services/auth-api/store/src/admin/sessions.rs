//! Sessions as administrators see them, whatever became of them.

use credo_auth_domain::session::Standing;
use credo_ids::{ClientId, SessionId, TenantId, UserId};
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use super::PageQuery;
use crate::{Fault, Store};

/// A session, without what secrets are compared with.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// The `sid`.
    pub id: SessionId,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Who authorized it.
    pub user_id: UserId,
    /// For which client.
    pub client_id: ClientId,
    /// 0 pending, 1 active, 2 revoked.
    pub state: i16,
    /// Whether the epochs of its tenant, client and user are still those that it saw.
    pub epochs_good: bool,
    /// Whether its code, or it, is too old.
    pub expired: bool,
    /// Space-delimited, as granted.
    pub scope: String,
    /// Space-delimited, RFC 8176.
    pub amr: String,
    /// When the person proved who they are.
    pub auth_time: OffsetDateTime,
    /// When it was authorized.
    pub created_at: OffsetDateTime,
    /// The last exchange or refresh.
    pub last_used_at: Option<OffsetDateTime>,
    /// When it ends at the latest.
    pub expires_at: OffsetDateTime,
    /// When it was revoked by itself.
    pub ended_at: Option<OffsetDateTime>,
    /// Why it was.
    pub end_reason: Option<i16>,
    /// How often its refresh token was rotated.
    pub generation: i32,
}

impl SessionRecord {
    /// What it is worth now.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (self.state, self.epochs_good, self.expired) {
            (2, ..) | (_, false, _) => Standing::Revoked,
            (_, _, true) => Standing::Expired,
            (0, ..) => Standing::Pending,
            _ => Standing::Active,
        }
    }
}

/// Which sessions of a tenant are wanted: every condition that is set must hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionFilter {
    /// Those of a person.
    pub user: Option<UserId>,
    /// Those of a client.
    pub client: Option<ClientId>,
    /// Also those that have ended.
    pub ended: bool,
}

impl Store {
    /// A session of a tenant.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%session))]
    pub async fn find_session_record(
        &self,
        tenant: TenantId,
        session: SessionId,
    ) -> Result<Option<SessionRecord>, Fault> {
        let record = sqlx::query_file_as!(
            SessionRecord,
            "sql/admin_session_get.sql",
            session.as_uuid(),
            tenant.as_uuid()
        )
        .fetch_optional(&self.cold)
        .await?;
        Ok(record)
    }

    /// A page of a tenant's sessions.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn list_session_records(
        &self,
        tenant: TenantId,
        filter: SessionFilter,
        page: PageQuery<SessionId>,
    ) -> Result<Vec<SessionRecord>, Fault> {
        let (tenant, after) = (tenant.as_uuid(), page.after.map(|session| session.as_uuid()));
        let client = filter.client.map(|client| client.as_uuid());
        let records = match (filter.user, client) {
            (Some(user), client) => {
                sqlx::query_file_as!(
                    SessionRecord,
                    "sql/admin_session_list_by_user.sql",
                    tenant,
                    user.as_uuid(),
                    after as Option<Uuid>,
                    client as Option<Uuid>,
                    filter.ended,
                    page.limit
                )
                .fetch_all(&self.cold)
                .await?
            }
            (None, Some(client)) => {
                sqlx::query_file_as!(
                    SessionRecord,
                    "sql/admin_session_list_by_client.sql",
                    tenant,
                    client,
                    after as Option<Uuid>,
                    filter.ended,
                    page.limit
                )
                .fetch_all(&self.cold)
                .await?
            }
            (None, None) => {
                sqlx::query_file_as!(
                    SessionRecord,
                    "sql/admin_session_list.sql",
                    tenant,
                    after as Option<Uuid>,
                    filter.ended,
                    page.limit
                )
                .fetch_all(&self.cold)
                .await?
            }
        };
        Ok(records)
    }
}
