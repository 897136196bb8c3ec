//! Administrators end sessions: one, or everything of a user, a client or a tenant.

use credo_admin::TenantScope;
use credo_auth_domain::session::{EndReason, Standing};
use credo_auth_store::admin::{ClientRecord, SessionRecord, TenantEpoch, UserRecord};
use credo_ids::{ClientId, SessionId, UserId};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    change::{is_felt, not_made},
    event::ChangeEvent,
    felt::{client_ended, tenant_ended, user_ended},
    find_sessions::get_session,
};
use crate::{
    app::App,
    audit::compliance::{
        CLIENT_SESSIONS_REVOKED, SESSION_REVOKED_BY_ADMIN, TENANT_SESSIONS_REVOKED, USER_SESSIONS_REVOKED,
    },
    flows::revoke::learn_session_end,
};

/// How far the caller's clock may be ahead of the database's.
const CLOCKS_APART: Duration = Duration::seconds(10);

/// Ends one session; one that is revoked is left as it is.
///
/// # Errors
/// If the tenant has no such session, or the change could not be made.
#[instrument(skip_all)]
pub async fn revoke_session(
    app: &App,
    change: &Change,
    scope: TenantScope,
    session: SessionId,
) -> Result<SessionRecord, AdminRefusal> {
    // Whose it is never changes; the event names them before the row is locked.
    let found = get_session(app, scope, session).await?;
    let event = ChangeEvent::new(
        app,
        change,
        (&SESSION_REVOKED_BY_ADMIN, scope.id()),
        (session, found.user_id),
    )?;
    let describe = |session: &SessionRecord| {
        let after = json!({ "state": "revoked", "revoke_reason": EndReason::Administrator.as_str() });
        event.changed(&json!({ "state": state(session.standing()) }), &after)
    };
    let ended = app
        .store
        .end_session(&change.mutation, (scope.id(), session), describe)
        .await
        .map_err(|unmade| not_made(app, "session", unmade))?;
    // One that had ended before may have ended in a run whose answer was lost: the feed does not know yet.
    if is_felt(ended.effect) && ended.thing.ended_at.is_some() {
        learn_session_end(app, scope.id(), session, app.feed.database_now());
    }
    Ok(ended.thing)
}

fn state(standing: Standing) -> &'static str {
    match standing {
        Standing::Pending => "pending",
        Standing::Active => "active",
        Standing::Revoked => "revoked",
        Standing::Expired => "expired",
    }
}

fn epochs(epoch: i64, version: i64) -> (Value, Value) {
    let tell = |epoch, version| json!({ "epoch": epoch, "version": version });
    (tell(epoch, version), tell(epoch + 1, version + 1))
}

/// Ends every session and every browser's sign-in of a user.
///
/// # Errors
/// If the tenant has no such user, or the change could not be made.
#[instrument(skip_all)]
pub async fn revoke_user_sessions(
    app: &App,
    change: &Change,
    scope: TenantScope,
    user: UserId,
) -> Result<(), AdminRefusal> {
    let event = ChangeEvent::new(app, change, (&USER_SESSIONS_REVOKED, scope.id()), user)?;
    let describe = |user: &UserRecord| {
        let (before, after) = epochs(user.epoch, user.version);
        event.changed(&before, &after)
    };
    let ended = app
        .store
        .end_user_sessions(&change.mutation, (scope.id(), user), describe)
        .await
        .map_err(|unmade| not_made(app, "user", unmade))?;
    if is_felt(ended.effect) {
        user_ended(app, (scope.id(), user), ended.thing.epoch).await;
    }
    Ok(())
}

/// Ends everything that a client was issued.
///
/// # Errors
/// If the tenant has no such client, or the change could not be made.
#[instrument(skip_all)]
pub async fn revoke_client_sessions(
    app: &App,
    change: &Change,
    scope: TenantScope,
    client: ClientId,
) -> Result<(), AdminRefusal> {
    let event = ChangeEvent::new(app, change, (&CLIENT_SESSIONS_REVOKED, scope.id()), client)?;
    let describe = |client: &ClientRecord| {
        let (before, after) = epochs(client.epoch, client.version);
        event.changed(&before, &after)
    };
    let ended = app
        .store
        .end_client_sessions(&change.mutation, (scope.id(), client), describe)
        .await
        .map_err(|unmade| not_made(app, "client", unmade))?;
    if is_felt(ended.effect) {
        client_ended(app, (scope.id(), client), ended.thing).await;
    }
    Ok(())
}

/// Ends everything that was issued in a tenant until now, for the sake of what was issued before an instant.
///
/// # Errors
/// If the instant is still to come, there is no such tenant, or the change could not be made.
#[instrument(skip_all)]
pub async fn revoke_tenant_sessions(
    app: &App,
    change: &Change,
    scope: TenantScope,
    before_time: OffsetDateTime,
) -> Result<(), AdminRefusal> {
    if before_time > app.feed.database_now() + CLOCKS_APART {
        return Err(AdminRefusal::invalid("before_time", "must not be in the future"));
    }
    let event = ChangeEvent::new(app, change, (&TENANT_SESSIONS_REVOKED, scope.id()), scope.id())?;
    let describe = |tenant: TenantEpoch| {
        let (before, mut after) = epochs(tenant.epoch, tenant.version);
        after["before_time_unix_seconds"] = before_time.unix_timestamp().into();
        event.changed(&before, &after)
    };
    let ended = app
        .store
        .end_tenant_sessions(&change.mutation, scope.id(), describe)
        .await
        .map_err(|unmade| not_made(app, "tenant", unmade))?;
    if let (true, Some(epoch)) = (is_felt(ended.effect), ended.thing) {
        tenant_ended(app, scope.id(), epoch);
    }
    Ok(())
}
