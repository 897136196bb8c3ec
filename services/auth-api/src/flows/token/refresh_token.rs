//! A refresh token for its successor (RFC 6749 section 6): rotate, sign, answer.

use credo_auth_domain::{
    Denial,
    claims_request::ClaimsRequest,
    grant_type::GrantType,
    opaque_token::{Kind, OpaqueToken, Secret, UnverifiedToken},
    rate_limit::RateClass,
    refresh_token::Rotation,
    scope::Scope,
};
use credo_auth_store::{Rotate, Rotated};
use credo_events::{Details, EventDraft, EventType, Security};
use credo_ids::EventId;
use credo_proto::events::v1::TokenDetails;
use secrecy::{ExposeSecret as _, SecretString};
use tracing::instrument;

use super::{
    Attempt,
    claims::claims_request,
    issue::{Grant, Person, Signer, issue},
};
use crate::{
    app::App,
    audit::{
        RequestContext,
        security::{TOKEN_REFRESHED, TOKEN_REUSE_DETECTED, TOKEN_WRONG_CLIENT},
    },
    flows::{client_auth::AuthenticatedClient, limits, revoke::learn_session_end},
    keys::MasterKey,
    refusal::Refusal,
};

/// Rotates a refresh token.
#[instrument(skip_all, fields(client = %client.id))]
pub(super) async fn refresh(
    app: &App,
    context: &RequestContext,
    client: &AuthenticatedClient,
    shown: &SecretString,
    scope: Option<&Scope>,
) -> Result<Attempt, Refusal> {
    let (token, made_by) = verify(app, client, shown)?;
    let successor = successor(client, &token, made_by)?;
    let item = draft(app, context, client, (&token, made_by.demoted, &successor), scope)?;
    let signer = Signer::prepare(app, client).await?;
    let rotated = app
        .store
        .rotate_refresh_token(item)
        .await?
        .ok_or(Denial::UnknownToken)?;
    if rotated.outcome == Rotation::Stale {
        return Ok(Attempt::Stale);
    }
    if rotated.outcome == Rotation::Replayed {
        learn_session_end(app, client.tenant.id, token.session_id, rotated.at);
    }
    if rotated.outcome == Rotation::Future {
        tracing::error!(session = %token.session_id, "a token is newer than its session: the database went back");
    }
    let denial = rotated.outcome.denial();
    // Who is refused for another reason was not counted.
    if denial.is_none() || rotated.outcome == Rotation::RateLimited {
        let window = (rotated.window, rotated.at);
        limits::follow(app, context, (client, token.session_id), window, denial.is_none()).await?;
    }
    if let Some(denial) = denial {
        return Err(denial.into());
    }
    answer(&signer, client, (&token, successor), &rotated, scope)
        .await
        .map(Attempt::Issued)
}

/// The token, if this server issued it in the client's tenant, and the key that made it.
fn verify<'a>(
    app: &'a App,
    client: &AuthenticatedClient,
    shown: &SecretString,
) -> Result<(OpaqueToken, &'a MasterKey), Refusal> {
    let verified = UnverifiedToken::parse(Kind::RefreshToken, shown.expose_secret())
        .ok()
        .and_then(|unverified| {
            let master = app.keyring.masters().find(unverified.key_id())?;
            Some((unverified.verify(&master.token_mac, client.tenant.id).ok()?, master))
        });
    verified.ok_or_else(|| {
        app.metrics.foreign_tokens.inc();
        Denial::ForeignToken.into()
    })
}

/// The next secret: for a client with grace the only one that there can be, so that a retry finds it again.
fn successor(client: &AuthenticatedClient, token: &OpaqueToken, made_by: &MasterKey) -> Result<Secret, Refusal> {
    if client.refresh_grace_seconds > 0 {
        Ok(token.secret.successor(&made_by.refresh_chain))
    } else {
        Ok(Secret::random()?)
    }
}

async fn answer(
    signer: &Signer<'_>,
    client: &AuthenticatedClient,
    (token, secret): (&OpaqueToken, Secret),
    rotated: &Rotated,
    asked: Option<&Scope>,
) -> Result<super::TokenResponse, Refusal> {
    let masters = signer.app.keyring.masters();
    let master = masters
        .find(rotated.key_id)
        .ok_or_else(|| Refusal::internal("the session's master key is gone"))?;
    let next = OpaqueToken {
        kind: Kind::RefreshToken,
        key_id: master.id,
        session_id: token.session_id,
        generation: rotated.generation,
        secret,
    };
    let granted: Scope = rotated.scope.parse().map_err(|_| Refusal::internal("session.scope"))?;
    let allowed = client.what_is_left_of(&granted)?;
    let scope = asked.map_or_else(|| allowed.clone(), |asked| asked.intersection(&allowed));
    // Who asks for less than was granted gets nothing beyond the scopes that they name.
    let claims = if scope == allowed {
        claims_request(rotated.claims.as_deref())?
    } else {
        ClaimsRequest::default()
    };
    let person = Person {
        user_id: rotated.user_id,
        session_id: token.session_id,
        auth_time: rotated.auth_time,
        amr: &rotated.amr,
        claims,
        nonce: None,
    };
    let refresh_token = Some(next.to_wire(&master.token_mac, client.tenant.id));
    let (epochs, at, person) = (rotated.epochs, rotated.at, Some(person));
    issue(
        signer,
        Grant {
            client,
            scope,
            epochs,
            at,
            person,
            refresh_token,
        },
    )
    .await
}

fn draft(
    app: &App,
    context: &RequestContext,
    client: &AuthenticatedClient,
    (token, demoted, successor): (&OpaqueToken, bool, &Secret),
    scope: Option<&Scope>,
) -> Result<Rotate, Refusal> {
    let (attempt_id, personal) = (EventId::now_v7(), context.personal()?);
    let details = TokenDetails {
        grant_type: GrantType::RefreshToken.as_str().to_owned(),
        scope: scope.map(ToString::to_string).unwrap_or_default(),
        generation: token.generation,
    };
    let event = |event_type: &EventType<Security>| {
        EventDraft::new(event_type, attempt_id, client.tenant.id, app.feed.database_now())
            .client(client.id)
            .session(token.session_id)
            .request(context.origin())
            .details(Details::Token(details.clone()))
    };
    let replayed = Denial::Replayed.reason();
    let refused = event(&TOKEN_WRONG_CLIENT)
        .parties(client.id, token.session_id)
        .reason(Denial::WrongClient.reason());
    Ok(Rotate {
        session_id: token.session_id,
        tenant_id: client.tenant.id,
        client_id: client.id,
        client_version: client.version,
        generation: token.generation,
        secret_hash: token.secret.hash(),
        successor_hash: successor.hash(),
        key_id: app.keyring.masters().active().id,
        demoted,
        scope: scope.map(ToString::to_string),
        per_minute: client.limits.per_minute(RateClass::Auth),
        attempt_id,
        core_rotated: event(&TOKEN_REFRESHED).encode(&personal).core,
        core_retried: event(&TOKEN_REFRESHED)
            .reason("retried_in_grace")
            .encode(&personal)
            .core,
        core_replayed: event(&TOKEN_REUSE_DETECTED).reason(replayed).encode(&personal).core,
        core_refused: refused.encode(&personal).core,
        personal,
    })
}
