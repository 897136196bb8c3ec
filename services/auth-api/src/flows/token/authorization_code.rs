//! A code for tokens (RFC 6749 section 4.1.3): redeem, sign, answer.

use credo_auth_domain::{
    Denial,
    authorization_code::Redemption,
    grant_type::GrantType,
    opaque_token::{Kind, OpaqueToken, Secret, UnverifiedToken},
    pkce::CodeVerifier,
    scope::Scope,
};
use credo_auth_store::{Redeem, SessionWindow};
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
        security::{TOKEN_ISSUED, TOKEN_REUSE_DETECTED, TOKEN_WRONG_CLIENT},
    },
    flows::{client_auth::AuthenticatedClient, limits, revoke::learn_session_end},
    refusal::Refusal,
};

/// What the client shows.
pub(super) struct Shown<'a> {
    pub code: &'a SecretString,
    pub redirect_uri: &'a Option<String>,
    pub code_verifier: &'a Option<CodeVerifier>,
}

/// Exchanges a code.
#[instrument(skip_all, fields(client = %client.id))]
pub(super) async fn exchange(
    app: &App,
    context: &RequestContext,
    client: &AuthenticatedClient,
    shown: &Shown<'_>,
) -> Result<Attempt, Refusal> {
    let code = verify(app, client, shown.code)?;
    let refresh = client
        .may_use(GrantType::RefreshToken)
        .then(Secret::random)
        .transpose()?;
    let item = draft(app, context, client, shown, (&code, refresh.as_ref()))?;
    let signer = Signer::prepare(app, client).await?;
    let redeemed = app
        .store
        .redeem_authorization_code(item)
        .await?
        .ok_or(Denial::UnknownToken)?;
    if redeemed.outcome == Redemption::Stale {
        return Ok(Attempt::Stale);
    }
    if redeemed.outcome == Redemption::Replayed {
        learn_session_end(app, client.tenant.id, code.session_id, redeemed.at);
    }
    if let Some(denial) = redeemed.outcome.denial() {
        return Err(denial.into());
    }
    // A code is good once: its exchange is the first request of its session, which no limit refuses.
    let window = SessionWindow {
        begins_at: redeemed.at,
        count: 1,
    };
    limits::follow(app, context, (client, code.session_id), (window, redeemed.at), true).await?;
    let master = app.keyring.masters().active();
    let refresh_token = refresh.map(|secret| {
        let token = OpaqueToken {
            kind: Kind::RefreshToken,
            key_id: master.id,
            session_id: code.session_id,
            generation: 1,
            secret,
        };
        token.to_wire(&master.token_mac, client.tenant.id)
    });
    let granted: Scope = redeemed.scope.parse().map_err(|_| Refusal::internal("session.scope"))?;
    let scope = client.what_is_left_of(&granted)?;
    let person = Person {
        user_id: redeemed.user_id,
        session_id: code.session_id,
        auth_time: redeemed.auth_time,
        amr: &redeemed.amr,
        claims: claims_request(redeemed.claims.as_deref())?,
        nonce: redeemed.nonce,
    };
    let (epochs, at, person) = (redeemed.epochs, redeemed.at, Some(person));
    issue(
        &signer,
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
    .map(Attempt::Issued)
}

/// The code, if this server issued it in the client's tenant.
fn verify(app: &App, client: &AuthenticatedClient, code: &SecretString) -> Result<OpaqueToken, Refusal> {
    let verified = UnverifiedToken::parse(Kind::Code, code.expose_secret())
        .ok()
        .and_then(|unverified| {
            let master = app.keyring.masters().find(unverified.key_id())?;
            unverified.verify(&master.token_mac, client.tenant.id).ok()
        });
    verified.ok_or_else(|| {
        app.metrics.foreign_tokens.inc();
        Denial::ForeignToken.into()
    })
}

fn draft(
    app: &App,
    context: &RequestContext,
    client: &AuthenticatedClient,
    shown: &Shown<'_>,
    (code, refresh): (&OpaqueToken, Option<&Secret>),
) -> Result<Redeem, Refusal> {
    let (attempt_id, personal) = (EventId::now_v7(), context.personal()?);
    let grant_type = GrantType::AuthorizationCode.as_str().to_owned();
    let event = |event_type: &EventType<Security>| {
        EventDraft::new(event_type, attempt_id, client.tenant.id, app.feed.database_now())
            .client(client.id)
            .session(code.session_id)
            .request(context.origin())
            .details(Details::Token(TokenDetails {
                grant_type: grant_type.clone(),
                ..TokenDetails::default()
            }))
    };
    let replayed = Denial::Replayed.reason();
    let refused = event(&TOKEN_WRONG_CLIENT)
        .parties(client.id, code.session_id)
        .reason(Denial::WrongClient.reason());
    Ok(Redeem {
        session_id: code.session_id,
        tenant_id: client.tenant.id,
        client_id: client.id,
        client_version: client.version,
        authenticated: client.has_proved_itself(),
        secret_hash: code.secret.hash(),
        // What the client took back since is as wrong as what it never had.
        redirect_uri: shown.redirect_uri.clone().filter(|uri| client.has_redirect_uri(uri)),
        challenge: shown
            .code_verifier
            .as_ref()
            .map(|verifier| *verifier.challenge().as_bytes()),
        refresh_hash: refresh.map(Secret::hash),
        key_id: app.keyring.masters().active().id,
        attempt_id,
        core_redeemed: event(&TOKEN_ISSUED).encode(&personal).core,
        core_replayed: event(&TOKEN_REUSE_DETECTED).reason(replayed).encode(&personal).core,
        core_refused: refused.encode(&personal).core,
        personal,
    })
}
