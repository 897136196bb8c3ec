//! Token revocation (RFC 7009): a token of the client's own ends its session, whatever kind it is.
//!
//! Whatever is not the client's own token is answered like one that is, and nothing changes.

use std::{sync::Arc, time::Duration};

use credo_auth_domain::{
    lifetime::{ACCESS_TOKEN_TTL, REVOCATION_TTL},
    opaque_token::{Kind, UnverifiedToken},
    session::{EndReason, Revocation},
};
use credo_auth_store::{EventRow, FeedRow, Revoke, RevokedKind, SessionOwner};
use credo_events::EventDraft;
use credo_ids::{EventId, SessionId, TenantId};
use secrecy::{ExposeSecret as _, SecretString};
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use super::{
    bearer::{self, SignedToken},
    client_auth::{self, AuthenticatedClient, ClientCredentials},
};
use crate::{
    app::App,
    audit::{RequestContext, security::TOKEN_REVOKED},
    refusal::Refusal,
    second_level::Key,
};

/// Revokes a token on behalf of its client. When it returns, no replica that asks the rows honours the token, and this
/// one does not either.
///
/// # Errors
/// Denials of the client; a fault if the token may still be alive.
#[instrument(skip_all)]
pub async fn revoke(
    app: Arc<App>,
    context: RequestContext,
    credentials: ClientCredentials,
    token: SecretString,
) -> Result<(), Refusal> {
    let client = client_auth::authenticate(&app, &context, &credentials).await?;
    if let Ok(unverified) = UnverifiedToken::parse(Kind::RefreshToken, token.expose_secret()) {
        let master = app.keyring.masters().find(unverified.key_id());
        let token = master.and_then(|master| unverified.verify(&master.token_mac, client.tenant.id).ok());
        return match token {
            Some(token) => end_session(&app, &context, &client, token.session_id).await,
            None => Ok(()),
        };
    }
    match bearer::verify_signature(&app, token.expose_secret()).await? {
        Some(token) if token.check.client_id == client.id && token.check.tenant_id == client.tenant.id => {
            match token.check.session_id {
                Some(session) => end_session(&app, &context, &client, session).await,
                None => end_token(&app, &context, &client, &token).await,
            }
        }
        _ => Ok(()),
    }
}

async fn end_session(
    app: &App,
    context: &RequestContext,
    client: &AuthenticatedClient,
    session: SessionId,
) -> Result<(), Refusal> {
    let (attempt_id, personal) = (EventId::now_v7(), context.personal()?);
    let event = EventDraft::new(&TOKEN_REVOKED, attempt_id, client.tenant.id, app.feed.database_now())
        .client(client.id)
        .session(session)
        .request(context.origin())
        .encode(&personal);
    let item = Revoke {
        session_id: session,
        tenant_id: client.tenant.id,
        owner: SessionOwner::Client(client.id),
        reason: EndReason::Client,
        attempt_id,
        event: EventRow {
            core: event.core,
            personal,
        },
    };
    // One that had ended before may have ended in a run whose answer was lost: the feed does not know yet.
    if let Revocation::Revoked | Revocation::AlreadyEnded = app.store.revoke_session(item).await? {
        learn_session_end(app, client.tenant.id, session, app.feed.database_now());
    }
    Ok(())
}

async fn end_token(
    app: &App,
    context: &RequestContext,
    client: &AuthenticatedClient,
    SignedToken { claims, check }: &SignedToken,
) -> Result<(), Refusal> {
    let (event_id, personal) = (EventId::now_v7(), context.personal()?);
    let event = EventDraft::new(&TOKEN_REVOKED, event_id, client.tenant.id, app.feed.database_now())
        .parties(client.id, client.id)
        .client(client.id)
        .request(context.origin())
        .encode(&personal);
    let event = EventRow {
        core: event.core,
        personal,
    };
    app.store
        .revoke_client_token((client.tenant.id, client.id), check.token_id, event_id, &event)
        .await?;
    let now = app.feed.database_now();
    learn(
        app,
        client.tenant.id,
        (RevokedKind::Token, check.token_id.as_uuid()),
        now,
    );
    let life = u64::try_from(claims.exp - now.unix_timestamp()).unwrap_or_default();
    app.second_level.mark_revoked(
        Key::RevokedToken(check.token_id),
        client.tenant.id,
        Duration::from_secs(life),
    );
    Ok(())
}

/// Takes the end of a session at once, without waiting for the feed.
pub(super) fn learn_session_end(app: &App, tenant: TenantId, session: SessionId, at: OffsetDateTime) {
    learn(app, tenant, (RevokedKind::Session, session.as_uuid()), at);
    let key = Key::EndedSession(session);
    app.second_level.mark_revoked(key, tenant, ACCESS_TOKEN_TTL);
}

fn learn(app: &App, tenant_id: TenantId, (kind, id): (RevokedKind, Uuid), at: OffsetDateTime) {
    app.feed.learn(FeedRow {
        kind,
        tenant_id,
        id,
        epoch: None,
        except_sid: None,
        expires_at: at + REVOCATION_TTL,
    });
}
