//! The revocation feed, read by snapshot difference (DESIGN section 6).

use credo_ids::TenantId;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Fault, Store};

/// What a row of the feed is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevokedKind {
    /// A session: refused absolutely.
    Session,
    /// One token by its `jti`: refused absolutely.
    Token,
    /// A signing key: refused absolutely.
    Key,
    /// Everything of a tenant below an epoch.
    Tenant,
    /// Everything of a client below an epoch.
    Client,
    /// Everything of a user below an epoch, but for one session.
    User,
    /// What was read of a client in a lower version: `epoch` is the version.
    ClientVersion,
    /// What was read before an instant, of a client, a user or a whole tenant, or of everything: `epoch` is the instant, in
    /// microseconds. Of everything: the ids are nil.
    Read,
}

/// A row of the feed.
#[derive(Clone, Copy, Debug)]
pub struct FeedRow {
    /// What it is about.
    pub kind: RevokedKind,
    /// In which tenant.
    pub tenant_id: TenantId,
    /// Which one.
    pub id: Uuid,
    /// Tokens below it are refused.
    pub epoch: Option<i64>,
    /// The session that goes on.
    pub except_sid: Option<Uuid>,
    /// No token that the row concerns lives longer.
    pub expires_at: OffsetDateTime,
}

/// One look at the feed.
#[derive(Debug)]
pub struct Poll {
    /// Where the next look begins.
    pub snapshot: String,
    /// The database's clock.
    pub at: OffsetDateTime,
    /// What became visible.
    pub rows: Vec<FeedRow>,
}

/// The snapshot that has seen nothing.
pub const BEGINNING: &str = "1:1:";

impl Store {
    /// What became visible since `since`; at first all that has not expired. Also learns the current ring table.
    ///
    /// # Errors
    /// If the database gives no answer.
    pub async fn poll_revocations(&self, since: Option<&str>) -> Result<Poll, Fault> {
        let mut looking = self.looking.lock().await;
        let mut connection = looking.take().await?;
        let statement =
            sqlx::query_file!("sql/revocation_poll.sql", since.unwrap_or(BEGINNING)).fetch_all(&mut connection);
        let rows = looking.answer("revocation_poll", statement).await;
        looking.keep(connection, &rows);
        drop(looking);
        let rows = rows?;
        let first = rows.first().ok_or(Fault::Impossible("outbox_slot has no row"))?;
        self.slot.set(first.slot);
        let (snapshot, at) = (first.snapshot.clone(), first.at);
        let rows = rows.into_iter().filter_map(|row| {
            Some(FeedRow {
                kind: kind(row.kind?)?,
                tenant_id: row.tenant_id?.into(),
                id: row.id?,
                epoch: row.epoch,
                except_sid: row.except_sid,
                expires_at: row.expires_at?,
            })
        });
        Ok(Poll {
            snapshot,
            at,
            rows: rows.collect(),
        })
    }
}

fn kind(number: i16) -> Option<RevokedKind> {
    Some(match number {
        1 => RevokedKind::Session,
        2 => RevokedKind::Token,
        3 => RevokedKind::Key,
        4 => RevokedKind::Tenant,
        5 => RevokedKind::Client,
        6 => RevokedKind::User,
        7 => RevokedKind::ClientVersion,
        8 => RevokedKind::Read,
        _ => return None,
    })
}
