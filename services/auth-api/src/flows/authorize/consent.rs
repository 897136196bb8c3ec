//! What a person says to a client's request: allow or deny.
//!
//! Allowing records the consent and its event in one commit, then the code follows in the statement that compares it.
//! Denying changes nothing.

use credo_auth_domain::{Denial, client::Client};
use credo_auth_store::{ConsentGrant, EventRow, GrantConsent};
use credo_events::{Details, EventDraft};
use credo_ids::EventId;
use credo_proto::events::v1::ConsentDetails;
use tracing::instrument;

use super::{
    SealedRequest, Step, find_client,
    step::{Turn, answer_or_ask},
};
use crate::{
    app::App,
    audit::{RequestContext, compliance::CONSENT_GRANTED},
    flows::browser::session::BrowserSession,
    refusal::Refusal,
};

/// The person who is signed in with `browser` allows what `sealed` asks for.
///
/// # Errors
/// If the client may not ask any more, or something gives no answer: then nothing was recorded.
#[instrument(skip_all)]
pub async fn allow(
    app: &App,
    context: &RequestContext,
    sealed: &SealedRequest,
    browser: &BrowserSession,
) -> Result<Step, Refusal> {
    let client = find_client(app, sealed).await?;
    let turn = Turn {
        app,
        client: &client,
        sealed,
    };
    // Who must sign in first must not be able to consent either.
    match turn.look(Some(browser)) {
        Err(denial) => return Ok(turn.refuse(denial)),
        Ok(Err(why)) => return Ok(Step::SignIn(why)),
        Ok(Ok(_)) => {}
    }
    let item = draft(app, context, (sealed, &client), browser)?;
    match app.store.grant_consent(&item).await? {
        ConsentGrant::Granted => answer_or_ask(app, context, sealed, Some(browser), false).await,
        ConsentGrant::SignedOut => answer_or_ask(app, context, sealed, None, false).await,
        ConsentGrant::ClientDisabled => Err(Denial::ClientDisabled.into()),
        ConsentGrant::TenantSuspended => Err(Denial::TenantSuspended.into()),
    }
}

/// The person denies it: the client is told.
///
/// # Errors
/// If the client may not ask any more.
#[instrument(skip_all)]
pub async fn deny(app: &App, sealed: &SealedRequest) -> Result<Step, Refusal> {
    let client = find_client(app, sealed).await?;
    let turn = Turn {
        app,
        client: &client,
        sealed,
    };
    Ok(turn.refuse(Denial::AccessDenied))
}

fn draft(
    app: &App,
    context: &RequestContext,
    (sealed, client): (&SealedRequest, &Client),
    browser: &BrowserSession,
) -> Result<GrantConsent, Refusal> {
    let (event_id, personal, scope) = (EventId::now_v7(), context.personal()?, sealed.request.consent_scope());
    let details = ConsentDetails {
        scope: scope.to_string(),
    };
    let event = EventDraft::new(&CONSENT_GRANTED, event_id, client.tenant.id, app.feed.database_now())
        .parties(browser.user, browser.user)
        .client(client.id)
        .browser_session(browser.id)
        .request(context.origin())
        .details(Details::Consent(details))
        .encode(&personal);
    Ok(GrantConsent {
        tenant_id: client.tenant.id,
        browser_session_id: browser.id,
        client_id: client.id,
        scope,
        event_id,
        event: EventRow {
            core: event.core,
            personal,
        },
    })
}
