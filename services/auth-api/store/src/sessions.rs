//! Ending sessions, and the sessions of a person.

use credo_auth_domain::session::{AppSession, EndReason, LiveSession, Revocation};
use credo_ids::{ClientId, EventId, SessionId, TenantId, UserId};
use tracing::instrument;
use uuid::Uuid;

use crate::{EventRow, Fault, Store, attempt::attempt, outbox::shard};

/// On whose behalf a session ends.
#[derive(Clone, Copy, Debug)]
pub enum SessionOwner {
    /// The client that it was issued to.
    Client(ClientId),
    /// The person who authorized it.
    User(UserId),
}

/// A session that is to end.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// Which.
    pub session_id: SessionId,
    /// In which tenant.
    pub tenant_id: TenantId,
    /// Who asks.
    pub owner: SessionOwner,
    /// What the row keeps as the reason.
    pub reason: EndReason,
    /// The id of this attempt and of its event.
    pub attempt_id: EventId,
    /// The fragment of its event.
    pub event: EventRow,
}

/// All of a person's sessions that are to end.
#[derive(Clone, Debug)]
pub struct EndAll {
    /// In which tenant.
    pub tenant_id: TenantId,
    /// Whose.
    pub user_id: UserId,
    /// The one that goes on.
    pub except: Option<SessionId>,
    /// The id of the event.
    pub event_id: EventId,
    /// The event's parts.
    pub event: EventRow,
}

struct Row {
    attempt_id: Uuid,
    outcome: String,
}

macro_rules! run {
    ($store:expr, $file:tt, $item:expr) => {
        attempt(|| {
            let (client, user) = match $item.owner {
                SessionOwner::Client(client) => (Some(client.as_uuid()), None),
                SessionOwner::User(user) => (None, Some(user.as_uuid())),
            };
            async move {
                sqlx::query_file_as!(
                    Row,
                    $file,
                    &[$item.session_id.as_uuid()][..],
                    &[$item.tenant_id.as_uuid()][..],
                    &[client][..] as &[Option<Uuid>],
                    &[user][..] as &[Option<Uuid>],
                    &[$item.attempt_id.as_uuid()][..],
                    &[$store.slot()][..],
                    &[shard($item.tenant_id)][..],
                    &[$item.reason as i16][..],
                    &[$item.event.core.clone()][..],
                    &[$item.event.personal.as_bytes().to_vec()][..]
                )
                .fetch_all(&$store.hot)
                .await
            }
        })
    };
}

impl Store {
    /// Ends a session on behalf of its client or its person.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(session = %item.session_id))]
    pub async fn revoke_session(&self, item: &Revoke) -> Result<Revocation, Fault> {
        let mut rows = run!(self, "sql/session_revoke.sql", item).await?;
        if rows.is_empty() {
            let _permit = self
                .waiting
                .acquire()
                .await
                .map_err(|_| Fault::Impossible("a closed semaphore"))?;
            rows = run!(self, "sql/session_revoke_waiting.sql", item).await?;
        }
        let row = rows.into_iter().find(|row| row.attempt_id == item.attempt_id.as_uuid());
        row.map_or(Ok(Revocation::Unknown), |row| {
            Revocation::find(&row.outcome).ok_or(Fault::Impossible("session_revoke.outcome"))
        })
    }

    /// Ends every session of a person but one. Gives the person's new epoch, and the session that went on.
    /// Nothing if the person does not exist or is disabled: then nothing is alive.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(user = %item.user_id))]
    pub async fn revoke_user_sessions(&self, item: &EndAll) -> Result<Option<(i64, Option<SessionId>)>, Fault> {
        let row = sqlx::query_file!(
            "sql/user_sessions_revoke.sql",
            item.user_id.as_uuid(),
            item.tenant_id.as_uuid(),
            item.except.map(|session| session.as_uuid()) as Option<Uuid>,
            self.slot(),
            shard(item.tenant_id),
            item.event_id.as_uuid(),
            item.event.core,
            item.event.personal.as_bytes()
        )
        .fetch_optional(&self.hot)
        .await?;
        Ok(row.map(|row| (row.epoch, row.except_sid.map(Into::into))))
    }

    /// A person's live sessions with apps and the browsers that authorized them, the newest first, at most 100.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%user))]
    pub async fn list_app_sessions(&self, tenant: TenantId, user: UserId) -> Result<Vec<AppSession>, Fault> {
        let rows = sqlx::query_file!("sql/session_list_with_browser.sql", tenant.as_uuid(), user.as_uuid())
            .fetch_all(&self.cold)
            .await?;
        let sessions = rows.into_iter().map(|row| AppSession {
            id: row.id.into(),
            client_name: row.client_name,
            user_agent: row.user_agent,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        });
        Ok(sessions.collect())
    }

    /// A person's live sessions, the newest first, at most 1000.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%user))]
    pub async fn list_sessions(&self, tenant: TenantId, user: UserId) -> Result<Vec<LiveSession>, Fault> {
        let rows = sqlx::query_file!("sql/session_list.sql", tenant.as_uuid(), user.as_uuid())
            .fetch_all(&self.cold)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| LiveSession {
                id: row.id.into(),
                client_id: row.client_id.into(),
                client_name: row.client_name,
                device_id: row.device_id.into(),
                created_at: row.created_at,
                last_used_at: row.rotated_at,
                expires_at: row.expires_at,
            })
            .collect())
    }
}
