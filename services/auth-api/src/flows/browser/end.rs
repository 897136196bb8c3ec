//! The end of a signed-in browser: its cookie is worth nothing any more, and what was authorized with it ends too, but for
//! what was meant to outlive it (`offline_access`).

use credo_auth_domain::browser_session::BrowserOfPerson;
use credo_auth_store::{EndBrowser, EventRow};
use credo_events::EventDraft;
use credo_ids::{BrowserSessionId, ClientId, EventId};
use tracing::instrument;

use crate::{
    app::App,
    audit::{RequestContext, security::BROWSER_SIGNED_OUT},
    flows::revoke::learn_session_end,
    refusal::Refusal,
};

/// Why a browser is signed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndOfBrowser {
    /// The person signed out, of their own will or because a client sent them.
    Logout,
    /// The person ended it from another browser.
    FromElsewhere,
    /// Somebody else signed in with it.
    SomebodyElse,
}

impl EndOfBrowser {
    const fn reason(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::FromElsewhere => "from_elsewhere",
            Self::SomebodyElse => "somebody_else",
        }
    }
}

/// Signs a browser out. `session` names it in the event, if it is still signed in; `client` is the one that asked.
///
/// # Errors
/// If the database gives no answer.
#[instrument(skip_all)]
pub async fn end(
    app: &App,
    context: &RequestContext,
    browser: BrowserOfPerson,
    (why, session, client): (EndOfBrowser, Option<BrowserSessionId>, Option<ClientId>),
) -> Result<(), Refusal> {
    let (event_id, personal) = (EventId::now_v7(), context.personal()?);
    let mut event = EventDraft::new(&BROWSER_SIGNED_OUT, event_id, browser.tenant, app.feed.database_now())
        .parties(browser.user, browser.user)
        .reason(why.reason())
        .request(context.origin());
    if let Some(session) = session {
        event = event.browser_session(session);
    }
    if let Some(client) = client {
        event = event.client(client);
    }
    let event = event.encode(&personal);
    let item = EndBrowser {
        browser,
        aggregate: session.map_or_else(|| browser.user.as_uuid(), |session| session.as_uuid()),
        event_id,
        event: EventRow {
            core: event.core,
            personal,
        },
    };
    for ended in app.store.end_browser(&item).await? {
        learn_session_end(app, browser.tenant, ended, app.feed.database_now());
    }
    Ok(())
}
