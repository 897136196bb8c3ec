//! Whether publishing is paused: one row of the auth database, so that it holds for every relay and across restarts.
//!
//! Owns the row and its change: the call's id, the row and the event of it are one transaction. Refuses to know what the event
//! says. A change waits for one that is under way.

use credo_events::{Encoded, PersonalPart};
use credo_ids::{EventId, Shard, TenantId};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

/// That publishing is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pause {
    pub(crate) paused_at: OffsetDateTime,
    pub(crate) reason: String,
    pub(crate) actor_id: Uuid,
}

/// A call that pauses or resumes.
#[derive(Debug)]
pub(crate) struct PauseChange {
    /// The caller, and what it calls its call.
    pub(crate) caller: Uuid,
    pub(crate) request_id: Option<Uuid>,
    pub(crate) method: &'static str,
    pub(crate) fingerprint: [u8; 32],
    pub(crate) validate_only: bool,
    /// Whose trail has the event.
    pub(crate) tenant: TenantId,
    pub(crate) event_id: EventId,
    /// Why publishing is paused; absent: it is resumed.
    pub(crate) reason: Option<String>,
}

/// The event of a change, given what was before.
pub(crate) type EventOf<'a> = &'a (dyn Fn(Option<&Pause>) -> (Encoded, PersonalPart) + Send + Sync);

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unchanged {
    #[error("the call's id was another call's")]
    RequestIdReused,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The pause as it is; `None`: publishing is not paused.
pub(crate) async fn find(pool: &PgPool) -> sqlx::Result<Option<Pause>> {
    let row = sqlx::query_file!("sql/pause_find.sql").fetch_one(pool).await?;
    Ok(of_row(row.paused_at, row.reason, row.actor_id))
}

/// Changes the pause; `None`: publishing goes on. What is so already is left as it is and has no event.
pub(crate) async fn change(
    pool: &PgPool,
    change: &PauseChange,
    event_of: EventOf<'_>,
) -> Result<Option<Pause>, Unchanged> {
    let mut transaction = pool.begin().await?;
    let request_id = change.request_id.unwrap_or(change.event_id.as_uuid());
    let claimed = sqlx::query_file!(
        "sql/admin_request_claim.sql",
        change.caller,
        request_id,
        change.event_id.as_uuid(),
        change.method,
        &change.fingerprint[..],
        Uuid::nil(),
    )
    .fetch_optional(&mut *transaction)
    .await?;
    if claimed.is_none() {
        let earlier = sqlx::query_file!("sql/admin_request_find.sql", change.caller, request_id)
            .fetch_one(&mut *transaction)
            .await?;
        if earlier.method != change.method || earlier.fingerprint != change.fingerprint {
            return Err(Unchanged::RequestIdReused);
        }
    }
    let row = sqlx::query_file!("sql/pause_lock.sql")
        .fetch_one(&mut *transaction)
        .await?;
    let before = of_row(row.paused_at, row.reason, row.actor_id);
    if claimed.is_none() || before.is_some() == change.reason.is_some() {
        if change.validate_only {
            transaction.rollback().await?;
        } else {
            transaction.commit().await?;
        }
        return Ok(before);
    }
    let actor_id = change.reason.as_ref().map(|_| change.caller);
    let row = sqlx::query_file!("sql/pause_set.sql", change.reason.as_deref() as _, actor_id as _)
        .fetch_one(&mut *transaction)
        .await?;
    let (event, personal) = event_of(before.as_ref());
    sqlx::query_file!(
        "sql/event_insert.sql",
        change.tenant.as_uuid(),
        Shard::of(change.tenant).as_i16(),
        event.event_id.as_uuid(),
        event.class,
        event.core,
        personal.as_bytes(),
    )
    .execute(&mut *transaction)
    .await?;
    if change.validate_only {
        transaction.rollback().await?;
    } else {
        transaction.commit().await?;
    }
    Ok(of_row(row.paused_at, change.reason.clone(), actor_id))
}

fn of_row(paused_at: Option<OffsetDateTime>, reason: Option<String>, actor_id: Option<Uuid>) -> Option<Pause> {
    Some(Pause {
        paused_at: paused_at?,
        reason: reason?,
        actor_id: actor_id?,
    })
}
