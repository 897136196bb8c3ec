//! The exchange of a code, in one statement.

use std::sync::Arc;

use credo_auth_domain::{authorization_code::Redemption, session::Epochs};
use credo_events::PersonalPart;
use credo_ids::{ClientId, EventId, SessionId, TenantId, UserId};
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use crate::{
    Fault, Store,
    attempt::attempt,
    batch::Kind,
    hot_connection::HotConnection,
    lanes::{in_order, is_open, ride},
    outbox::{Slot, shard},
};

/// An exchange that is to be decided.
#[derive(Clone, Debug)]
pub struct Redeem {
    /// The session that the code names.
    pub session_id: SessionId,
    /// The client's tenant, which the code's MAC covers.
    pub tenant_id: TenantId,
    /// The client that shows the code.
    pub client_id: ClientId,
    /// The client's version that it was authenticated by.
    pub client_version: i64,
    /// Whether the client proved who it is by a secret.
    pub authenticated: bool,
    /// SHA-256 of the code's secret.
    pub secret_hash: [u8; 32],
    /// As shown in the exchange.
    pub redirect_uri: Option<String>,
    /// SHA-256 of the shown verifier.
    pub challenge: Option<[u8; 32]>,
    /// SHA-256 of the first refresh token's secret, if there is to be one.
    pub refresh_hash: Option<[u8; 32]>,
    /// The master key that makes the first refresh token.
    pub key_id: u8,
    /// The id of this attempt and of its event.
    pub attempt_id: EventId,
    /// The fragment of `token_issued`.
    pub core_redeemed: Vec<u8>,
    /// The fragment of `token_reuse_detected`, when everything is revoked.
    pub core_replayed: Vec<u8>,
    /// The core for a client that is not the code's, or did not prove to be.
    pub core_refused: Vec<u8>,
    /// The part that can be erased.
    pub personal: PersonalPart,
}

/// What the statement returned: the truth that tokens are made of.
#[derive(Clone, Debug)]
pub struct Redeemed {
    /// What it decided.
    pub outcome: Redemption,
    /// The database's clock.
    pub at: OffsetDateTime,
    /// Who authorized it.
    pub user_id: UserId,
    /// Space-delimited, as granted.
    pub scope: String,
    /// Echoed in the ID token.
    pub nonce: Option<String>,
    /// When the user proved who they are.
    pub auth_time: OffsetDateTime,
    /// Space-delimited, RFC 8176.
    pub amr: String,
    /// The claims request in its canonical form, if there was one.
    pub claims: Option<String>,
    /// What the tokens are issued under.
    pub epochs: Epochs,
}

pub(crate) struct Row {
    attempt_id: Uuid,
    outcome: String,
    at: OffsetDateTime,
    user_id: Uuid,
    generation: i32,
    key_id: i16,
    scope: String,
    nonce: Option<String>,
    auth_time: OffsetDateTime,
    amr: String,
    claims: Option<String>,
    tenant_epoch: i64,
    client_epoch: i64,
    user_epoch: i64,
}

macro_rules! run {
    ($executor:expr, $file:tt, $column:expr) => {
        sqlx::query_file_as!(
            Row,
            $file,
            &$column.session_ids,
            &$column.tenant_ids,
            &$column.client_ids,
            &$column.client_versions,
            &$column.authenticated,
            &$column.secret_hashes,
            &$column.redirect_uris as &[Option<String>],
            &$column.challenges as &[Option<Vec<u8>>],
            &$column.refresh_hashes as &[Option<Vec<u8>>],
            &$column.key_ids,
            &$column.attempt_ids,
            &$column.slots,
            &$column.shards,
            &$column.cores_redeemed,
            &$column.cores_replayed,
            &$column.cores_refused,
            &$column.personals
        )
        .fetch_all($executor)
    };
}

impl Store {
    /// Decides an exchange. Nothing if the session does not exist in this tenant.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(session = %item.session_id))]
    pub async fn redeem_authorization_code(&self, item: Redeem) -> Result<Option<Redeemed>, Fault> {
        let item = Arc::new(item);
        if let Some(row) = ride(&self.lanes.redemptions, Arc::clone(&item)).await? {
            return row.try_into().map(Some);
        }
        let _permit = self.wait_turn().await?;
        let column = Columns::of(&[item], self.slot());
        let mut rows = attempt(|| run!(&self.hot, "sql/authorization_code_redeem_waiting.sql", column)).await?;
        rows.pop().map(Redeemed::try_from).transpose()
    }
}

impl TryFrom<Row> for Redeemed {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        tracing::debug!(
            outcome = row.outcome,
            generation = row.generation,
            key_id = row.key_id,
            "decided"
        );
        Ok(Self {
            outcome: Redemption::find(&row.outcome).ok_or(Fault::Impossible("authorization_code_redeem.outcome"))?,
            at: row.at,
            user_id: row.user_id.into(),
            scope: row.scope,
            nonce: row.nonce,
            auth_time: row.auth_time,
            amr: row.amr,
            claims: row.claims,
            epochs: Epochs {
                tenant: row.tenant_epoch,
                client: row.client_epoch,
                user: Some(row.user_epoch),
            },
        })
    }
}

/// Exchanges that share a statement; two of one session never do.
pub(crate) struct Redemptions(pub(crate) Slot);

impl Kind for Redemptions {
    type Worker = HotConnection;
    type Item = Redeem;
    type Answer = Row;
    type Error = sqlx::Error;

    const NAME: &'static str = "authorization_code_redeem";

    fn key(item: &Redeem) -> Option<Uuid> {
        Some(item.session_id.as_uuid())
    }

    async fn run(&self, worker: &mut HotConnection, items: &[Arc<Redeem>]) -> Result<Vec<Option<Row>>, sqlx::Error> {
        let column = Columns::of(items, self.0.get());
        let mut connection = worker.take().await?;
        let rows = worker
            .answer(
                Self::NAME,
                run!(&mut connection, "sql/authorization_code_redeem.sql", column),
            )
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
    client_ids: Vec<Uuid>,
    client_versions: Vec<i64>,
    authenticated: Vec<bool>,
    secret_hashes: Vec<Vec<u8>>,
    redirect_uris: Vec<Option<String>>,
    challenges: Vec<Option<Vec<u8>>>,
    refresh_hashes: Vec<Option<Vec<u8>>>,
    key_ids: Vec<i16>,
    attempt_ids: Vec<Uuid>,
    slots: Vec<i16>,
    shards: Vec<i16>,
    cores_redeemed: Vec<Vec<u8>>,
    cores_replayed: Vec<Vec<u8>>,
    cores_refused: Vec<Vec<u8>>,
    personals: Vec<Vec<u8>>,
}

impl Columns {
    fn of(items: &[Arc<Redeem>], slot: i16) -> Self {
        let optional_bytes = |bytes: Option<[u8; 32]>| bytes.map(|bytes| bytes.to_vec());
        Self {
            session_ids: items.iter().map(|item| item.session_id.as_uuid()).collect(),
            tenant_ids: items.iter().map(|item| item.tenant_id.as_uuid()).collect(),
            client_ids: items.iter().map(|item| item.client_id.as_uuid()).collect(),
            client_versions: items.iter().map(|item| item.client_version).collect(),
            authenticated: items.iter().map(|item| item.authenticated).collect(),
            secret_hashes: items.iter().map(|item| item.secret_hash.to_vec()).collect(),
            redirect_uris: items.iter().map(|item| item.redirect_uri.clone()).collect(),
            challenges: items.iter().map(|item| optional_bytes(item.challenge)).collect(),
            refresh_hashes: items.iter().map(|item| optional_bytes(item.refresh_hash)).collect(),
            key_ids: items.iter().map(|item| i16::from(item.key_id)).collect(),
            attempt_ids: items.iter().map(|item| item.attempt_id.as_uuid()).collect(),
            slots: vec![slot; items.len()],
            shards: items.iter().map(|item| shard(item.tenant_id)).collect(),
            cores_redeemed: items.iter().map(|item| item.core_redeemed.clone()).collect(),
            cores_replayed: items.iter().map(|item| item.core_replayed.clone()).collect(),
            cores_refused: items.iter().map(|item| item.core_refused.clone()).collect(),
            personals: items.iter().map(|item| item.personal.as_bytes().to_vec()).collect(),
        }
    }
}
