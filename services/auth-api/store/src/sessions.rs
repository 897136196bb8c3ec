//! Ending sessions, and the sessions of a person.

use std::sync::Arc;

use credo_auth_domain::session::{AppSession, EndReason, LiveSession, Revocation};
use credo_ids::{ClientId, EventId, SessionId, TenantId, UserId};
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

/// On whose behalf a session ends.
#[derive(Clone, Copy, Debug)]
pub enum SessionOwner {
    /// The client that it was issued to.
    Client(ClientId),
    /// The person who authorized it.
    User(UserId),
}

impl SessionOwner {
    fn client(self) -> Option<Uuid> {
        match self {
            Self::Client(client) => Some(client.as_uuid()),
            Self::User(_) => None,
        }
    }

    fn user(self) -> Option<Uuid> {
        match self {
            Self::Client(_) => None,
            Self::User(user) => Some(user.as_uuid()),
        }
    }
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

pub(crate) struct Row {
    attempt_id: Uuid,
    outcome: String,
}

macro_rules! run {
    ($executor:expr, $file:tt, $column:expr) => {
        sqlx::query_file_as!(
            Row,
            $file,
            &$column.session_ids,
            &$column.tenant_ids,
            &$column.clients as &[Option<Uuid>],
            &$column.users as &[Option<Uuid>],
            &$column.attempt_ids,
            &$column.slots,
            &$column.shards,
            &$column.reasons,
            &$column.cores,
            &$column.personals
        )
        .fetch_all($executor)
    };
}

impl Store {
    /// Ends a session on behalf of its client or its person.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(session = %item.session_id))]
    pub async fn revoke_session(&self, item: Revoke) -> Result<Revocation, Fault> {
        let item = Arc::new(item);
        let mut row = ride(&self.lanes.revocations, Arc::clone(&item)).await?;
        if row.is_none() {
            let _permit = self.wait_turn().await?;
            let column = Columns::of(&[item], self.slot());
            row = attempt(|| run!(&self.hot, "sql/session_revoke_waiting.sql", column))
                .await?
                .pop();
        }
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

/// Ends that share a statement; two of one session never do.
pub(crate) struct Revocations(pub(crate) Slot);

impl Kind for Revocations {
    type Worker = HotConnection;
    type Item = Revoke;
    type Answer = Row;
    type Error = sqlx::Error;

    const NAME: &'static str = "session_revoke";

    fn key(item: &Revoke) -> Option<Uuid> {
        Some(item.session_id.as_uuid())
    }

    async fn run(&self, worker: &mut HotConnection, items: &[Arc<Revoke>]) -> Result<Vec<Option<Row>>, sqlx::Error> {
        let column = Columns::of(items, self.0.get());
        let mut connection = worker.take().await?;
        let rows = worker
            .answer(Self::NAME, run!(&mut connection, "sql/session_revoke.sql", column))
            .await;
        worker.keep(connection, &rows);
        Ok(in_order(
            items,
            |item| item.attempt_id.as_uuid(),
            rows?,
            |row| row.attempt_id,
        ))
    }

    fn may_run_again(error: &sqlx::Error) -> bool {
        is_open(error)
    }
}

/// The statement's parameters: one array a column.
struct Columns {
    session_ids: Vec<Uuid>,
    tenant_ids: Vec<Uuid>,
    clients: Vec<Option<Uuid>>,
    users: Vec<Option<Uuid>>,
    attempt_ids: Vec<Uuid>,
    slots: Vec<i16>,
    shards: Vec<i16>,
    reasons: Vec<i16>,
    cores: Vec<Vec<u8>>,
    personals: Vec<Vec<u8>>,
}

impl Columns {
    fn of(items: &[Arc<Revoke>], slot: i16) -> Self {
        Self {
            session_ids: items.iter().map(|item| item.session_id.as_uuid()).collect(),
            tenant_ids: items.iter().map(|item| item.tenant_id.as_uuid()).collect(),
            clients: items.iter().map(|item| item.owner.client()).collect(),
            users: items.iter().map(|item| item.owner.user()).collect(),
            attempt_ids: items.iter().map(|item| item.attempt_id.as_uuid()).collect(),
            slots: vec![slot; items.len()],
            shards: items.iter().map(|item| shard(item.tenant_id)).collect(),
            reasons: items.iter().map(|item| item.reason as i16).collect(),
            cores: items.iter().map(|item| item.event.core.clone()).collect(),
            personals: (items.iter())
                .map(|item| item.event.personal.as_bytes().to_vec())
                .collect(),
        }
    }
}
