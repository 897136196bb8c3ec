//! Logout that a client begins (OpenID Connect RP-Initiated Logout 1.0).
//!
//! Owns who is signed out and where the browser may go afterwards. Refuses every redirect but to a URI that the client
//! registered, as it was written, and only where an ID token of ours or the client's id says whose it is. A person is
//! asked first, unless an ID token proves that the client signs out its own person of just this browser.

use std::sync::Arc;

use credo_auth_domain::{browser_session::BrowserOfPerson, client::Client, tenant::Tenant};
use credo_ids::{ClientId, DeviceId};
use tracing::instrument;

use super::{
    browser::{
        end::{EndOfBrowser, end},
        session::BrowserSession,
    },
    id_token_hint::{IdTokenHint, find_id_token_hint},
};
use crate::{app::App, audit::RequestContext, refusal::Refusal};

/// What a request asks for, as it says it.
#[derive(Clone, Debug, Default)]
pub struct LogoutParameters {
    /// An ID token of ours.
    pub id_token_hint: Option<String>,
    /// Who asks.
    pub client_id: Option<String>,
    /// Where the browser is to go afterwards.
    pub post_logout_redirect_uri: Option<String>,
    /// Handed on to there, byte for byte.
    pub state: Option<String>,
}

/// A request as far as it is true.
#[derive(Debug)]
pub struct LogoutRequest {
    /// Who asks; nothing if that cannot be told.
    pub client: Option<Arc<Client>>,
    /// Whose page it is; nothing if every tenant is meant.
    pub tenant: Option<Tenant>,
    /// Where the browser may go afterwards: registered, as it was written.
    pub redirect_uri: Option<String>,
    /// Handed on to there.
    pub state: Option<String>,
    /// The browser that the ID token was issued to.
    hinted: Option<BrowserOfPerson>,
}

/// Reads a request.
///
/// # Errors
/// If client, tenant or keys cannot be read now.
#[instrument(skip_all)]
pub async fn read(app: &App, parameters: &LogoutParameters) -> Result<LogoutRequest, Refusal> {
    let hint = match &parameters.id_token_hint {
        Some(hint) => find_id_token_hint(app, hint).await?,
        None => None,
    };
    let named = match parameters.client_id.as_deref().map(str::parse::<ClientId>) {
        Some(Ok(id)) => app.directory.resolve_client(id).await?,
        _ => None,
    };
    let client = match &hint {
        // Only the client that it was issued to shows its ID token: another one's proves nothing.
        Some((_, hint)) => match &parameters.client_id {
            Some(id) if *id != hint.client.to_string() => return Ok(LogoutRequest::of_nobody()),
            _ => app.directory.resolve_client(hint.client).await?,
        },
        // A hint that is none is worse than no hint.
        None if parameters.id_token_hint.is_some() => return Ok(LogoutRequest::of_nobody()),
        None => named,
    };
    let client_tenant = client.as_ref().map(|client| client.tenant.clone());
    let tenant = hint.as_ref().map(|(tenant, _)| Tenant::clone(tenant)).or(client_tenant);
    let redirect_uri = parameters.post_logout_redirect_uri.clone();
    let redirect_uri = redirect_uri.filter(|uri| client.as_ref().is_some_and(|client| client.has_post_logout_uri(uri)));
    let hinted = match (&tenant, hint) {
        (Some(tenant), Some((_, hint))) => find_browser(app, tenant, hint).await?,
        _ => None,
    };
    Ok(LogoutRequest {
        client,
        tenant,
        redirect_uri,
        state: parameters.state.clone(),
        hinted,
    })
}

/// The browser that a session was authorized with, if it is that of the ID token's person.
async fn find_browser(app: &App, tenant: &Tenant, hint: IdTokenHint) -> Result<Option<BrowserOfPerson>, Refusal> {
    let browser = app.store.find_browser_of_session(tenant.id, hint.session).await?;
    Ok(browser.filter(|browser| browser.user == hint.user))
}

impl LogoutRequest {
    const fn of_nobody() -> Self {
        Self {
            client: None,
            tenant: None,
            redirect_uri: None,
            state: None,
            hinted: None,
        }
    }

    /// The browser that may be signed out without asking: the ID token was issued to it, and it is signed in as that
    /// person, or not signed in any more while what it authorized goes on.
    #[must_use]
    pub fn proven(&self, signed_in: Option<&BrowserSession>, device: Option<DeviceId>) -> Option<BrowserOfPerson> {
        let hinted = self.hinted?;
        let is_this = match signed_in {
            Some(session) => session.browser() == hinted,
            None => device == Some(hinted.device),
        };
        is_this.then_some(hinted)
    }
}

/// Signs a browser out.
///
/// # Errors
/// If the database gives no answer.
pub async fn sign_out(
    app: &App,
    context: &RequestContext,
    (browser, signed_in): (BrowserOfPerson, Option<&BrowserSession>),
    client: Option<ClientId>,
) -> Result<(), Refusal> {
    let session = signed_in.map(|session| session.id);
    end(app, context, browser, (EndOfBrowser::Logout, session, client)).await
}
