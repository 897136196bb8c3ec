//! What comes next for a browser that asks for an authorization: sign in, consent, or the answer.
//!
//! Invariant: a code is answered only by the statement that compares, in one snapshot, the client, the person, the signed-in
//! browser and the consent. What is looked at before only decides what to ask.

use std::sync::Arc;

use credo_auth_domain::{
    Denial,
    authorization_request::{SignedIn, WhySignIn},
    client::Client,
    scope::Scope,
};
use credo_auth_store::Authorization;
use secrecy::SecretString;
use tracing::instrument;

use super::{
    AuthorizationResponse, SealedRequest,
    draft::{By, Grant, draft},
};
use crate::{app::App, audit::RequestContext, flows::browser::session::BrowserSession, refusal::Refusal};

/// Tries after the client changed in the middle.
const MAX_TRIES: u32 = 3;

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Somebody must sign in.
    SignIn(WhySignIn),
    /// The person must be asked.
    Consent(ConsentQuestion),
    /// The client is answered.
    Answer(AuthorizationResponse),
}

/// What a person is asked.
#[derive(Clone, Debug)]
pub struct ConsentQuestion {
    /// Who asks.
    pub client: Arc<Client>,
    /// What was never allowed to it, or is not any more.
    pub new: Scope,
    /// What was allowed before.
    pub granted: Scope,
}

/// Looks what comes next, and answers if nothing does. `browser` is who is signed in to the client's tenant with it.
///
/// # Errors
/// If the client may not ask any more, or something gives no answer.
#[instrument(skip_all)]
pub async fn next_step(
    app: &App,
    context: &RequestContext,
    sealed: &SealedRequest,
    browser: Option<&BrowserSession>,
) -> Result<Step, Refusal> {
    let asks_anyway = sealed.request.prompt.consent;
    answer_or_ask(app, context, sealed, browser, asks_anyway).await
}

/// The client of a request, as it is now. Its tenant is where somebody must be signed in.
///
/// # Errors
/// If it is not served any more, or took back its redirect URI: nobody can be answered then.
pub async fn find_client(app: &App, sealed: &SealedRequest) -> Result<Arc<Client>, Refusal> {
    let client = app.directory.resolve_client(sealed.request.client_id).await?;
    let client = client.ok_or(Denial::UnknownClient)?;
    if !client.has_redirect_uri(&sealed.request.redirect_uri) {
        return Err(Denial::RedirectUriNotRegistered.into());
    }
    Ok(client)
}

/// As [`next_step`]; `asks_anyway`: the person is asked for consent, although it may be there.
pub(super) async fn answer_or_ask(
    app: &App,
    context: &RequestContext,
    sealed: &SealedRequest,
    browser: Option<&BrowserSession>,
    asks_anyway: bool,
) -> Result<Step, Refusal> {
    let mut tried = Err(Refusal::overloaded("the client changes faster than it can be read"));
    for _ in 0..MAX_TRIES {
        let client = find_client(app, sealed).await?;
        let turn = Turn {
            app,
            client: &client,
            sealed,
        };
        tried = match turn.look(browser) {
            Err(denial) => Ok(turn.refuse(denial)),
            Ok(Err(why)) => Ok(Step::SignIn(why)),
            Ok(Ok(browser)) if asks_anyway => turn.ask(browser).await,
            Ok(Ok(browser)) => match turn.authorize(context, browser).await {
                Ok(None) => {
                    app.directory.forget_client(client.id).await;
                    continue;
                }
                Ok(Some(step)) => Ok(step),
                Err(refusal) => Err(refusal),
            },
        };
        return match tried {
            // Nothing may be shown, so the client is told.
            Err(Refusal::Unavailable(text)) if sealed.request.prompt.none => {
                tracing::error!(fault = text, "a request could not be answered");
                Ok(turn.refuse(Denial::NotNow))
            }
            tried => tried,
        };
    }
    tried
}

/// One try, on the client as it was read for it.
pub(super) struct Turn<'a> {
    pub app: &'a App,
    pub client: &'a Arc<Client>,
    pub sealed: &'a SealedRequest,
}

impl Turn<'_> {
    /// The browser that the answer can rest on, or why somebody must sign in first.
    pub fn look<'b>(
        &self,
        browser: Option<&'b BrowserSession>,
    ) -> Result<Result<&'b BrowserSession, WhySignIn>, Denial> {
        let request = &self.sealed.request;
        request.check(self.client)?;
        let somebody = browser.map(|browser| SignedIn {
            user: browser.user,
            auth_time: browser.auth_time,
        });
        let why = request.why_sign_in(self.sealed.asked_at, somebody)?;
        Ok(browser
            .filter(|_| why.is_none())
            .ok_or(why.unwrap_or(WhySignIn::Nobody)))
    }

    /// The client is told.
    pub fn refuse(&self, denial: Denial) -> Step {
        Step::Answer(self.respond(Err(denial)))
    }

    /// The person is asked, unless nothing may be shown.
    async fn ask(&self, browser: &BrowserSession) -> Result<Step, Refusal> {
        if self.sealed.request.prompt.none {
            return Ok(self.refuse(Denial::ConsentRequired));
        }
        let asked = self.sealed.request.consent_scope();
        let place = (self.client.tenant.id, self.client.id);
        let granted = self.app.store.find_consent(place, browser.user, &asked).await?;
        Ok(Step::Consent(ConsentQuestion {
            client: Arc::clone(self.client),
            new: asked.without(&granted),
            granted,
        }))
    }

    /// The statement decides. Nothing if the client changed since it was read.
    async fn authorize(&self, context: &RequestContext, browser: &BrowserSession) -> Result<Option<Step>, Refusal> {
        let request = &self.sealed.request;
        let Some(scope) = self.granted_scope(browser).await? else {
            return Ok(Some(self.refuse(Denial::NotAdministrator)));
        };
        let grant = Grant {
            client: self.client,
            scope: &scope,
            redirect_uri: &request.redirect_uri,
            nonce: request.nonce.as_deref(),
            code_challenge: request.code_challenge,
            by: By::Browser(browser, request),
        };
        let (item, code) = draft(self.app, context, &grant)?;
        Ok(Some(match self.app.store.insert_authorization(item).await? {
            Authorization::Authorized => Step::Answer(self.respond(Ok(code))),
            Authorization::ConsentMissing => self.ask(browser).await?,
            Authorization::TenantSuspended => return Err(Denial::TenantSuspended.into()),
            Authorization::ClientDisabled => return Err(Denial::ClientDisabled.into()),
            // The client, or what the person may administer, changed since it was read.
            Authorization::Stale | Authorization::AdminScopeMissing => return Ok(None),
            // Between the look and the statement the person was signed out.
            Authorization::UserDisabled
            | Authorization::PasswordChanged
            | Authorization::SignedOut
            | Authorization::Unknown => {
                if request.prompt.none {
                    self.refuse(Denial::LoginRequired)
                } else {
                    Step::SignIn(WhySignIn::Nobody)
                }
            }
        }))
    }

    /// What can be granted: what is asked for, and of what opens the admin APIs as much as is the person's. Nothing if that is
    /// nothing.
    async fn granted_scope(&self, browser: &BrowserSession) -> Result<Option<Scope>, Refusal> {
        let asked = &self.sealed.request.scope;
        if !asked.opens_admin() {
            return Ok(Some(asked.clone()));
        }
        let held = self.app.store.find_admin_scope(self.client.tenant.id, browser.user);
        Ok(Some(asked.intersection(&held.await?)).filter(|scope| !scope.is_empty()))
    }

    fn respond(&self, outcome: Result<SecretString, Denial>) -> AuthorizationResponse {
        let issuer = self.client.tenant.issuer(&self.app.settings.public_base_url);
        let request = &self.sealed.request;
        AuthorizationResponse {
            client: Arc::clone(self.client),
            redirect_uri: request.redirect_uri.clone(),
            response_mode: request.response_mode,
            ui_locales: request.ui_locales.clone(),
            outcome,
            state: request.state.clone(),
            issuer,
        }
    }
}
