//! A person's own page: where they are signed in and what they allowed, and how they end it.
//!
//! Everything is asked of the person of a [`BrowserSession`]: what is another's does not exist for them.

use credo_auth_domain::{browser_session::ListedBrowserSession, connected_app::ConnectedApp, session::AppSession};
use credo_auth_store::{ConsentChange, EventRow};
use credo_events::{Compliance, EventDraft, EventType};
use credo_ids::{BrowserSessionId, ClientId, EventId, SessionId};
use tracing::instrument;

use super::{
    end::{EndOfBrowser, end},
    session::BrowserSession,
};
use crate::{
    app::App,
    audit::{
        RequestContext,
        compliance::{CONSENT_DELETED, CONSENT_REVOKED},
    },
    flows::{revoke::learn_session_end, sessions::end_of_person},
    refusal::Refusal,
};

/// What a person sees of themself.
#[derive(Debug)]
pub struct Account {
    /// The browsers that they are signed in with.
    pub browsers: Vec<ListedBrowserSession>,
    /// The apps that they are signed in to.
    pub sessions: Vec<AppSession>,
    /// What they allowed.
    pub apps: Vec<ConnectedApp>,
}

/// What came of ending a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBrowser {
    /// It was another one.
    Another,
    /// It was this one: the person is signed out.
    This,
    /// They have none of that id.
    Unknown,
}

/// What the person sees.
///
/// # Errors
/// If the database gives no answer.
#[instrument(skip_all)]
pub async fn look(app: &App, person: &BrowserSession) -> Result<Account, Refusal> {
    let (tenant, user) = (person.tenant, person.user);
    Ok(Account {
        browsers: app.store.list_browser_sessions(tenant, user).await?,
        sessions: app.store.list_app_sessions(tenant, user).await?,
        apps: app.store.list_connected_apps(tenant, user).await?,
    })
}

/// Signs out one of the person's browsers.
///
/// # Errors
/// If the database gives no answer.
#[instrument(skip_all)]
pub async fn end_browser(
    app: &App,
    context: &RequestContext,
    person: &BrowserSession,
    id: BrowserSessionId,
) -> Result<EndedBrowser, Refusal> {
    let Some(browser) = app.store.find_browser_of((person.tenant, person.user), id).await? else {
        return Ok(EndedBrowser::Unknown);
    };
    let (why, ended) = if browser == person.browser() {
        (EndOfBrowser::Logout, EndedBrowser::This)
    } else {
        (EndOfBrowser::FromElsewhere, EndedBrowser::Another)
    };
    end(app, context, browser, (why, Some(id), None)).await?;
    Ok(ended)
}

/// Signs the person out of this browser.
///
/// # Errors
/// If the database gives no answer.
pub async fn sign_out(app: &App, context: &RequestContext, person: &BrowserSession) -> Result<(), Refusal> {
    let why = (EndOfBrowser::Logout, Some(person.id), None);
    end(app, context, person.browser(), why).await
}

/// Ends one of the person's sessions with an app. Whether they have one of that id.
///
/// # Errors
/// If the database gives no answer.
pub async fn end_session(
    app: &App,
    context: &RequestContext,
    person: &BrowserSession,
    session: SessionId,
) -> Result<bool, Refusal> {
    end_of_person(app, context, (person.tenant, person.user), session).await
}

/// Takes back what the person allowed a client, and ends what it has of them. Whether there was something.
///
/// # Errors
/// If the database gives no answer: then nothing changed, or all of it.
#[instrument(skip_all)]
pub async fn revoke_app(
    app: &App,
    context: &RequestContext,
    person: &BrowserSession,
    client: ClientId,
) -> Result<bool, Refusal> {
    let item = change(app, context, person, (&CONSENT_REVOKED, client))?;
    let ended = app.store.revoke_consent(&item).await?;
    for session in ended.iter().flatten() {
        learn_session_end(app, person.tenant, *session, app.feed.database_now());
    }
    Ok(ended.is_some())
}

/// Forgets a client whose access was taken back. Whether there was one.
///
/// # Errors
/// If the database gives no answer.
#[instrument(skip_all)]
pub async fn forget_app(
    app: &App,
    context: &RequestContext,
    person: &BrowserSession,
    client: ClientId,
) -> Result<bool, Refusal> {
    let item = change(app, context, person, (&CONSENT_DELETED, client))?;
    Ok(app.store.delete_consent(&item).await?)
}

fn change(
    app: &App,
    context: &RequestContext,
    person: &BrowserSession,
    (event, client): (&EventType<Compliance>, ClientId),
) -> Result<ConsentChange, Refusal> {
    let (event_id, personal) = (EventId::now_v7(), context.personal()?);
    let event = EventDraft::new(event, event_id, person.tenant, app.feed.database_now())
        .parties(person.user, person.user)
        .client(client)
        .browser_session(person.id)
        .request(context.origin())
        .encode(&personal);
    Ok(ConsentChange {
        tenant_id: person.tenant,
        user_id: person.user,
        client_id: client,
        event_id,
        event: EventRow {
            core: event.core,
            personal,
        },
    })
}
