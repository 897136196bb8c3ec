//! The rotation of a refresh token, in one statement.

use std::sync::Arc;

use credo_auth_domain::{refresh_token::Rotation, session::Epochs};
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

/// A refresh that is to be decided.
#[derive(Clone, Debug)]
pub struct Rotate {
    /// The session that the token names.
    pub session_id: SessionId,
    /// The client's tenant, which the token's MAC covers.
    pub tenant_id: TenantId,
    /// The client that shows the token.
    pub client_id: ClientId,
    /// The client's version that it was authenticated by.
    pub client_version: i64,
    /// The token's generation.
    pub generation: u32,
    /// SHA-256 of the token's secret.
    pub secret_hash: [u8; 32],
    /// SHA-256 of the successor's secret.
    pub successor_hash: [u8; 32],
    /// The master key that makes the successor.
    pub key_id: u8,
    /// Whether the token was made under a demoted key.
    pub demoted: bool,
    /// Space-delimited, as asked for; nothing means all that was granted.
    pub scope: Option<String>,
    /// Exchanges and refreshes of the session that a window lets through.
    pub per_minute: u32,
    /// The id of this attempt and of its event.
    pub attempt_id: EventId,
    /// The fragment of `token_refreshed`.
    pub core_rotated: Vec<u8>,
    /// The fragment of `token_refreshed` for a retry within the client's grace.
    pub core_retried: Vec<u8>,
    /// The fragment of `token_reuse_detected`.
    pub core_replayed: Vec<u8>,
    /// The core for a client that is not the token's.
    pub core_refused: Vec<u8>,
    /// The part that can be erased.
    pub personal: PersonalPart,
}

/// What the statement returned: the truth that tokens are made of.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// What it decided.
    pub outcome: Rotation,
    /// The database's clock.
    pub at: OffsetDateTime,
    /// Whose session it is.
    pub user_id: UserId,
    /// The generation of the session's current token.
    pub generation: u32,
    /// The master key that made it.
    pub key_id: u8,
    /// Space-delimited, as granted.
    pub scope: String,
    /// When the user proved who they are.
    pub auth_time: OffsetDateTime,
    /// Space-delimited, RFC 8176.
    pub amr: String,
    /// The claims request in its canonical form, if there was one.
    pub claims: Option<String>,
    /// What the tokens are issued under.
    pub epochs: Epochs,
    /// The session's window, this request counted if it was let through.
    pub window: SessionWindow,
}

/// The minute in which a session counts, and how often it was let through in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionWindow {
    /// By the database's clock.
    pub begins_at: OffsetDateTime,
    /// Exchanges and refreshes.
    pub count: u32,
}

/// What names one refresh token.
#[derive(Clone, Copy, Debug)]
pub struct RefreshTokenKey {
    /// The session that the token names.
    pub session_id: SessionId,
    /// The tenant that its MAC covers.
    pub tenant_id: TenantId,
    /// Its generation.
    pub generation: u32,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
}

/// A refresh token that would be taken now.
#[derive(Clone, Debug)]
pub struct IntrospectedRefreshToken {
    /// Whose it is.
    pub user_id: UserId,
    /// The client that it was issued to.
    pub client_id: ClientId,
    /// Space-delimited, as granted.
    pub scope: String,
    /// When the session ends at the latest.
    pub expires_at: OffsetDateTime,
    /// When the token was issued.
    pub issued_at: OffsetDateTime,
}

pub(crate) struct Row {
    attempt_id: Uuid,
    outcome: String,
    at: OffsetDateTime,
    user_id: Uuid,
    generation: i32,
    key_id: i16,
    scope: String,
    auth_time: OffsetDateTime,
    amr: String,
    claims: Option<String>,
    tenant_epoch: i64,
    client_epoch: i64,
    user_epoch: i64,
    window_begins_at: OffsetDateTime,
    window_count: i32,
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
            &$column.generations,
            &$column.secret_hashes,
            &$column.successor_hashes,
            &$column.key_ids,
            &$column.demoted,
            &$column.scopes as &[Option<String>],
            &$column.attempt_ids,
            &$column.slots,
            &$column.shards,
            &$column.cores_rotated,
            &$column.cores_retried,
            &$column.cores_replayed,
            &$column.cores_refused,
            &$column.personals,
            &$column.per_minute
        )
        .fetch_all($executor)
    };
}

impl Store {
    /// Decides a refresh. Nothing if the session does not exist in this tenant.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(session = %item.session_id))]
    pub async fn rotate_refresh_token(&self, item: Rotate) -> Result<Option<Rotated>, Fault> {
        let item = Arc::new(item);
        if let Some(row) = ride(&self.lanes.rotations, Arc::clone(&item)).await? {
            return row.try_into().map(Some);
        }
        Ok(self
            .rotate_refresh_token_waiting(&item)
            .await?
            .pop()
            .map(|(_, row)| row))
    }

    /// Decides these as one batch, on a connection of the pool. Rows that are locked elsewhere, gone, another tenant's, or twice in the batch are absent.
    ///
    /// # Errors
    /// If the database gives no answer.
    pub async fn rotate_refresh_tokens(&self, items: &[Rotate]) -> Result<Vec<(EventId, Rotated)>, Fault> {
        let column = Columns::of(&items.iter().collect::<Vec<_>>(), self.slot());
        let rows = attempt(|| run!(&self.hot, "sql/refresh_token_rotate.sql", column)).await?;
        rows.into_iter()
            .map(|row| Ok((row.attempt_id.into(), row.try_into()?)))
            .collect()
    }

    /// Decides one that was absent from its batch: waits for its row.
    ///
    /// # Errors
    /// If the database gives no answer, or the row stays locked.
    pub async fn rotate_refresh_token_waiting(&self, item: &Rotate) -> Result<Vec<(EventId, Rotated)>, Fault> {
        let _permit = self.wait_turn().await?;
        let column = Columns::of(&[item], self.slot());
        let rows = attempt(|| run!(&self.hot, "sql/refresh_token_rotate_waiting.sql", column)).await?;
        rows.into_iter()
            .map(|row| Ok((row.attempt_id.into(), row.try_into()?)))
            .collect()
    }

    /// Looks at a refresh token without using it. Nothing if it would be refused.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(session = %key.session_id))]
    pub async fn introspect_refresh_token(
        &self,
        key: &RefreshTokenKey,
    ) -> Result<Option<IntrospectedRefreshToken>, Fault> {
        let row = sqlx::query_file!(
            "sql/refresh_token_introspect.sql",
            key.session_id.as_uuid(),
            key.tenant_id.as_uuid(),
            i32::try_from(key.generation).unwrap_or(i32::MAX),
            &key.secret_hash[..]
        )
        .fetch_optional(&self.hot)
        .await?;
        Ok(row.map(|row| IntrospectedRefreshToken {
            user_id: row.user_id.into(),
            client_id: row.client_id.into(),
            scope: row.scope,
            expires_at: row.expires_at,
            issued_at: row.rotated_at,
        }))
    }
}

impl TryFrom<Row> for Rotated {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        tracing::debug!(outcome = row.outcome, generation = row.generation, "decided");
        Ok(Self {
            outcome: Rotation::find(&row.outcome).ok_or(Fault::Impossible("refresh_token_rotate.outcome"))?,
            at: row.at,
            user_id: row.user_id.into(),
            generation: u32::try_from(row.generation).map_err(|_| Fault::Impossible("session.generation"))?,
            key_id: u8::try_from(row.key_id).map_err(|_| Fault::Impossible("session.key_id"))?,
            scope: row.scope,
            auth_time: row.auth_time,
            amr: row.amr,
            claims: row.claims,
            epochs: Epochs {
                tenant: row.tenant_epoch,
                client: row.client_epoch,
                user: Some(row.user_epoch),
            },
            window: SessionWindow {
                begins_at: row.window_begins_at,
                count: u32::try_from(row.window_count).map_err(|_| Fault::Impossible("session.window_count"))?,
            },
        })
    }
}

/// Refreshes that share a statement; two of one session never do.
pub(crate) struct Rotations(pub(crate) Slot);

impl Kind for Rotations {
    type Worker = HotConnection;
    type Item = Rotate;
    type Answer = Row;
    type Error = sqlx::Error;

    const NAME: &'static str = "refresh_token_rotate";

    fn key(item: &Rotate) -> Option<Uuid> {
        Some(item.session_id.as_uuid())
    }

    async fn run(&self, worker: &mut HotConnection, items: &[Arc<Rotate>]) -> Result<Vec<Option<Row>>, sqlx::Error> {
        let column = Columns::of(&items.iter().map(Arc::as_ref).collect::<Vec<_>>(), self.0.get());
        let mut connection = worker.take().await?;
        let rows = worker
            .answer(
                Self::NAME,
                run!(&mut connection, "sql/refresh_token_rotate.sql", column),
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
    generations: Vec<i32>,
    secret_hashes: Vec<Vec<u8>>,
    successor_hashes: Vec<Vec<u8>>,
    key_ids: Vec<i16>,
    demoted: Vec<bool>,
    scopes: Vec<Option<String>>,
    attempt_ids: Vec<Uuid>,
    slots: Vec<i16>,
    shards: Vec<i16>,
    cores_rotated: Vec<Vec<u8>>,
    cores_retried: Vec<Vec<u8>>,
    cores_replayed: Vec<Vec<u8>>,
    cores_refused: Vec<Vec<u8>>,
    personals: Vec<Vec<u8>>,
    per_minute: Vec<i32>,
}

impl Columns {
    fn of(items: &[&Rotate], slot: i16) -> Self {
        Self {
            session_ids: items.iter().map(|item| item.session_id.as_uuid()).collect(),
            tenant_ids: items.iter().map(|item| item.tenant_id.as_uuid()).collect(),
            client_ids: items.iter().map(|item| item.client_id.as_uuid()).collect(),
            client_versions: items.iter().map(|item| item.client_version).collect(),
            // No row reaches 2^31: a larger one is in the future as well.
            generations: items
                .iter()
                .map(|item| i32::try_from(item.generation).unwrap_or(i32::MAX))
                .collect(),
            secret_hashes: items.iter().map(|item| item.secret_hash.to_vec()).collect(),
            successor_hashes: items.iter().map(|item| item.successor_hash.to_vec()).collect(),
            key_ids: items.iter().map(|item| i16::from(item.key_id)).collect(),
            demoted: items.iter().map(|item| item.demoted).collect(),
            scopes: items.iter().map(|item| item.scope.clone()).collect(),
            attempt_ids: items.iter().map(|item| item.attempt_id.as_uuid()).collect(),
            slots: vec![slot; items.len()],
            shards: items.iter().map(|item| shard(item.tenant_id)).collect(),
            cores_rotated: items.iter().map(|item| item.core_rotated.clone()).collect(),
            cores_retried: items.iter().map(|item| item.core_retried.clone()).collect(),
            cores_replayed: items.iter().map(|item| item.core_replayed.clone()).collect(),
            cores_refused: items.iter().map(|item| item.core_refused.clone()).collect(),
            personals: items.iter().map(|item| item.personal.as_bytes().to_vec()).collect(),
            per_minute: items
                .iter()
                .map(|item| i32::try_from(item.per_minute).unwrap_or(i32::MAX))
                .collect(),
        }
    }
}
