//! Authorizations: the insert that makes a session with its pending code.

use std::{sync::Arc, time::Duration};

use credo_ids::{BrowserSessionId, ClientId, DeviceId, EventId, SessionId, TenantId, UserId};
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

/// An authorization that is to be recorded.
#[derive(Clone, Debug)]
pub struct Authorize {
    /// The session that it makes.
    pub session_id: SessionId,
    /// The client's tenant.
    pub tenant_id: TenantId,
    /// The client that gets the code.
    pub client_id: ClientId,
    /// The client's version that the decision rests on.
    pub client_version: i64,
    /// Who authorized it.
    pub user_id: UserId,
    /// Which password proved it; nothing if another proof did.
    pub password_version: Option<i64>,
    /// The account whose attempts are reset by the success.
    pub account: Option<[u8; 32]>,
    /// The device's own attempts with that account, reset too.
    pub device_account: Option<[u8; 32]>,
    /// The device.
    pub device_id: DeviceId,
    /// Space-delimited, as granted.
    pub scope: String,
    /// The serialised actor and subject of later events.
    pub actor_core: Vec<u8>,
    /// SHA-256 of the code's secret.
    pub code_hash: [u8; 32],
    /// S256.
    pub code_challenge: Option<[u8; 32]>,
    /// Where the code goes.
    pub redirect_uri: String,
    /// Echoed in the ID token.
    pub nonce: Option<String>,
    /// The master key that made the code.
    pub key_id: u8,
    /// Space-delimited, RFC 8176. What the browser's session says goes before it.
    pub amr: String,
    /// The signed-in browser that it is made with; it must be alive, and says when and how the person signed in.
    pub browser_session_id: Option<BrowserSessionId>,
    /// The claims that are asked for one by one, in canonical form.
    pub claims: Option<String>,
    /// What the person must have allowed to the client, space-delimited; nothing if the client need not be allowed.
    pub consent_scope: Option<String>,
    /// Life of the code.
    pub code_ttl: Duration,
    /// Life of the session.
    pub session_ttl: Duration,
    /// Life of the session while it is not used.
    pub idle_ttl: Duration,
    /// The event, and the id of this attempt.
    pub event_id: EventId,
    /// The event's parts.
    pub event: EventRow,
}

/// What an authorization came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// Recorded.
    Authorized,
    /// The tenant is suspended.
    TenantSuspended,
    /// The client is disabled.
    ClientDisabled,
    /// The client changed since it was read: nothing is decided.
    Stale,
    /// The user is disabled.
    UserDisabled,
    /// The password changed since the proof was checked.
    PasswordChanged,
    /// Nobody is signed in with the browser any more.
    SignedOut,
    /// The person has not allowed all of it.
    ConsentMissing,
    /// It would open more of the admin APIs than the person may use.
    AdminScopeMissing,
    /// Client or user are not of this tenant.
    Unknown,
}

impl Authorization {
    fn find(name: &str) -> Option<Self> {
        match name {
            "Authorized" => Some(Self::Authorized),
            "TenantSuspended" => Some(Self::TenantSuspended),
            "ClientDisabled" => Some(Self::ClientDisabled),
            "Stale" => Some(Self::Stale),
            "UserDisabled" => Some(Self::UserDisabled),
            "PasswordChanged" => Some(Self::PasswordChanged),
            "SignedOut" => Some(Self::SignedOut),
            "ConsentMissing" => Some(Self::ConsentMissing),
            "AdminScopeMissing" => Some(Self::AdminScopeMissing),
            _ => None,
        }
    }
}

pub(crate) struct Row {
    event_id: Uuid,
    outcome: String,
}

macro_rules! run {
    ($executor:expr, $file:tt, $column:expr) => {
        sqlx::query_file_as!(
            Row,
            $file,
            &$column.session_ids,
            &$column.tenant_ids,
            &$column.client_ids,
            &$column.user_ids,
            &$column.device_ids,
            &$column.event_ids,
            &$column.slots,
            &$column.shards,
            &$column.client_versions,
            &$column.password_versions as &[Option<i64>],
            &$column.scopes,
            &$column.actor_cores,
            &$column.code_hashes,
            &$column.code_challenges as &[Option<Vec<u8>>],
            &$column.redirect_uris,
            &$column.nonces as &[Option<String>],
            &$column.key_ids,
            &$column.amrs,
            &$column.accounts as &[Option<Vec<u8>>],
            &$column.cores,
            &$column.personals,
            &$column.code_ttls,
            &$column.session_ttls,
            &$column.idle_ttls,
            &$column.browser_sessions as &[Option<Uuid>],
            &$column.claims as &[Option<String>],
            &$column.consent_scopes as &[Option<String>],
            &$column.device_accounts as &[Option<Vec<u8>>]
        )
        .fetch_all($executor)
    };
}

impl Store {
    /// Records an authorization, its event, and the success of the account's attempt.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(session = %item.session_id))]
    pub async fn insert_authorization(&self, item: Authorize) -> Result<Authorization, Fault> {
        let item = Arc::new(item);
        let mut row = ride(&self.lanes.authorizations, Arc::clone(&item)).await?;
        if row.is_none() {
            let _permit = self.wait_turn().await?;
            let column = Columns::of(&[item], self.slot());
            row = attempt(|| run!(&self.hot, "sql/authorization_insert_waiting.sql", column))
                .await?
                .pop();
        }
        row.map_or(Ok(Authorization::Unknown), |row| {
            Authorization::find(&row.outcome).ok_or(Fault::Impossible("authorization_insert.outcome"))
        })
    }
}

/// Authorizations that share a statement; two of one person never do: they would write one row of attempts.
pub(crate) struct Authorizations(pub(crate) Slot);

impl Kind for Authorizations {
    type Worker = HotConnection;
    type Item = Authorize;
    type Answer = Row;
    type Error = sqlx::Error;

    const NAME: &'static str = "authorization_insert";

    fn key(item: &Authorize) -> Option<Uuid> {
        Some(item.user_id.as_uuid())
    }

    async fn run(&self, worker: &mut HotConnection, items: &[Arc<Authorize>]) -> Result<Vec<Option<Row>>, sqlx::Error> {
        let column = Columns::of(items, self.0.get());
        let mut connection = worker.take().await?;
        let rows = worker
            .answer(
                Self::NAME,
                run!(&mut connection, "sql/authorization_insert.sql", column),
            )
            .await;
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

/// The statement's parameters: one array a column.
struct Columns {
    session_ids: Vec<Uuid>,
    tenant_ids: Vec<Uuid>,
    client_ids: Vec<Uuid>,
    user_ids: Vec<Uuid>,
    device_ids: Vec<Uuid>,
    event_ids: Vec<Uuid>,
    slots: Vec<i16>,
    shards: Vec<i16>,
    client_versions: Vec<i64>,
    password_versions: Vec<Option<i64>>,
    scopes: Vec<String>,
    actor_cores: Vec<Vec<u8>>,
    code_hashes: Vec<Vec<u8>>,
    code_challenges: Vec<Option<Vec<u8>>>,
    redirect_uris: Vec<String>,
    nonces: Vec<Option<String>>,
    key_ids: Vec<i16>,
    amrs: Vec<String>,
    accounts: Vec<Option<Vec<u8>>>,
    cores: Vec<Vec<u8>>,
    personals: Vec<Vec<u8>>,
    code_ttls: Vec<f64>,
    session_ttls: Vec<f64>,
    idle_ttls: Vec<f64>,
    browser_sessions: Vec<Option<Uuid>>,
    claims: Vec<Option<String>>,
    consent_scopes: Vec<Option<String>>,
    device_accounts: Vec<Option<Vec<u8>>>,
}

impl Columns {
    fn of(items: &[Arc<Authorize>], slot: i16) -> Self {
        let optional_bytes = |bytes: Option<[u8; 32]>| bytes.map(|bytes| bytes.to_vec());
        Self {
            session_ids: items.iter().map(|item| item.session_id.as_uuid()).collect(),
            tenant_ids: items.iter().map(|item| item.tenant_id.as_uuid()).collect(),
            client_ids: items.iter().map(|item| item.client_id.as_uuid()).collect(),
            user_ids: items.iter().map(|item| item.user_id.as_uuid()).collect(),
            device_ids: items.iter().map(|item| item.device_id.as_uuid()).collect(),
            event_ids: items.iter().map(|item| item.event_id.as_uuid()).collect(),
            slots: vec![slot; items.len()],
            shards: items.iter().map(|item| shard(item.tenant_id)).collect(),
            client_versions: items.iter().map(|item| item.client_version).collect(),
            password_versions: items.iter().map(|item| item.password_version).collect(),
            scopes: items.iter().map(|item| item.scope.clone()).collect(),
            actor_cores: items.iter().map(|item| item.actor_core.clone()).collect(),
            code_hashes: items.iter().map(|item| item.code_hash.to_vec()).collect(),
            code_challenges: items.iter().map(|item| optional_bytes(item.code_challenge)).collect(),
            redirect_uris: items.iter().map(|item| item.redirect_uri.clone()).collect(),
            nonces: items.iter().map(|item| item.nonce.clone()).collect(),
            key_ids: items.iter().map(|item| i16::from(item.key_id)).collect(),
            amrs: items.iter().map(|item| item.amr.clone()).collect(),
            accounts: items.iter().map(|item| optional_bytes(item.account)).collect(),
            cores: items.iter().map(|item| item.event.core.clone()).collect(),
            personals: items
                .iter()
                .map(|item| item.event.personal.as_bytes().to_vec())
                .collect(),
            code_ttls: items.iter().map(|item| item.code_ttl.as_secs_f64()).collect(),
            session_ttls: items.iter().map(|item| item.session_ttl.as_secs_f64()).collect(),
            idle_ttls: items.iter().map(|item| item.idle_ttl.as_secs_f64()).collect(),
            browser_sessions: (items.iter())
                .map(|item| item.browser_session_id.map(|id| id.as_uuid()))
                .collect(),
            claims: items.iter().map(|item| item.claims.clone()).collect(),
            consent_scopes: items.iter().map(|item| item.consent_scope.clone()).collect(),
            device_accounts: items.iter().map(|item| optional_bytes(item.device_account)).collect(),
        }
    }
}
