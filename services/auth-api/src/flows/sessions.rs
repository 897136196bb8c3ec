//! A person's own sessions: list, end one, end all.
//!
//! For the bearer of a token of a first-party client, or with the scope `credo.sessions`.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_auth_domain::{
    lifetime::REVOCATION_TTL,
    scope,
    session::{EndReason, LiveSession, Revocation},
};
use credo_auth_store::{EndAll, EventRow, FeedRow, Revoke, RevokedKind, SessionOwner};
use credo_events::EventDraft;
use credo_ids::{DeviceId, EventId, SessionId, TenantId, UserId};
use tracing::instrument;

use super::{bearer::Bearer, revoke::learn_session_end};
use crate::{
    app::App,
    audit::{
        RequestContext,
        security::{SESSION_REVOKED, SESSIONS_REVOKED},
    },
    refusal::Refusal,
};

/// Bytes of a device's name in lists.
const DEVICE_NAME_LENGTH: usize = 12;

/// A person who may see and end their own sessions.
#[derive(Clone, Copy, Debug)]
pub struct SessionOwnerScope {
    tenant: TenantId,
    user: UserId,
    /// The session that the token belongs to.
    pub current: SessionId,
}

impl SessionOwnerScope {
    /// What a device is called in lists: the same for all sessions of one device and person. The device's id is what knows it
    /// again, for sign-ins and across tenants; a list must not hand it out.
    #[must_use]
    pub fn device(&self, app: &App, device: DeviceId) -> String {
        let mut context = hmac::Context::with_key(&app.keyring.masters().active().device);
        context.update(self.tenant.as_bytes());
        context.update(self.user.as_bytes());
        context.update(device.as_bytes());
        URL_SAFE_NO_PAD.encode(&context.sign().as_ref()[..DEVICE_NAME_LENGTH])
    }
}

/// Whether the bearer may; nothing if not.
///
/// # Errors
/// If the client has to be read and the database gives no answer.
pub async fn allow(app: &App, bearer: &Bearer) -> Result<Option<SessionOwnerScope>, Refusal> {
    let Some((user, current)) = bearer.person() else {
        return Ok(None);
    };
    let client = app.directory.resolve_client(bearer.client()).await?;
    let may = bearer.has_scope(scope::SESSIONS) || client.is_some_and(|client| client.first_party);
    Ok(may.then_some(SessionOwnerScope {
        tenant: bearer.tenant(),
        user,
        current,
    }))
}

/// The person's live sessions.
///
/// # Errors
/// If the database gives no answer.
#[instrument(skip_all)]
pub async fn list(app: &App, owner: SessionOwnerScope) -> Result<Vec<LiveSession>, Refusal> {
    Ok(app.store.list_sessions(owner.tenant, owner.user).await?)
}

/// Ends one session. Whether the person has one of that id.
///
/// # Errors
/// If the database gives no answer.
#[instrument(skip_all)]
pub async fn end(
    app: Arc<App>,
    context: RequestContext,
    owner: SessionOwnerScope,
    session: SessionId,
) -> Result<bool, Refusal> {
    end_of_person(&app, &context, (owner.tenant, owner.user), session).await
}

/// Ends one session of a person who proved to be there. Whether they have one of that id.
pub(super) async fn end_of_person(
    app: &App,
    context: &RequestContext,
    (tenant, user): (TenantId, UserId),
    session: SessionId,
) -> Result<bool, Refusal> {
    let (attempt_id, personal) = (EventId::now_v7(), context.personal()?);
    let event = EventDraft::new(&SESSION_REVOKED, attempt_id, tenant, app.feed.database_now())
        .session(session)
        .request(context.origin())
        .encode(&personal);
    let item = Revoke {
        session_id: session,
        tenant_id: tenant,
        owner: SessionOwner::User(user),
        reason: EndReason::Person,
        attempt_id,
        event: EventRow {
            core: event.core,
            personal,
        },
    };
    match app.store.revoke_session(item).await? {
        // The same for one that ended before: it may have been in a run whose answer was lost.
        Revocation::Revoked | Revocation::AlreadyEnded => {
            learn_session_end(app, tenant, session, app.feed.database_now());
            Ok(true)
        }
        Revocation::WrongOwner | Revocation::Unknown => Ok(false),
    }
}

/// Ends every session of the person, or every one but that of the token.
///
/// # Errors
/// If the database gives no answer.
#[instrument(skip_all)]
pub async fn end_all(
    app: Arc<App>,
    context: RequestContext,
    owner: SessionOwnerScope,
    except_current: bool,
) -> Result<(), Refusal> {
    let (event_id, personal) = (EventId::now_v7(), context.personal()?);
    let event = EventDraft::new(&SESSIONS_REVOKED, event_id, owner.tenant, app.feed.database_now())
        .parties(owner.user, owner.user)
        .session(owner.current)
        .request(context.origin())
        .encode(&personal);
    let item = EndAll {
        tenant_id: owner.tenant,
        user_id: owner.user,
        except: except_current.then_some(owner.current),
        event_id,
        event: EventRow {
            core: event.core,
            personal,
        },
    };
    if let Some((epoch, kept)) = app.store.revoke_user_sessions(&item).await? {
        app.feed.learn(FeedRow {
            kind: RevokedKind::User,
            tenant_id: owner.tenant,
            id: owner.user.as_uuid(),
            epoch: Some(epoch),
            except_sid: kept.map(|session| session.as_uuid()),
            expires_at: app.feed.database_now() + REVOCATION_TTL,
        });
    }
    Ok(())
}
