//! What somebody signs in for: an authorization request, or the tenant's own pages.
//!
//! Owns where the sign-in page is, where it leads to, and whether it is needed at all.

use std::sync::Arc;

use axum::http::Uri;
use credo_auth_domain::{
    authorization_request::{AuthorizationRequest, SignedIn, WhySignIn},
    client::Client,
    tenant::Tenant,
};
use credo_ids::ClientId;

use super::{
    page::FormAction,
    step::{self, CONTINUE, SIGN_IN},
};
use crate::{
    app::App,
    flows::{
        authorize::{SealedRequest, find_client},
        browser::session::BrowserSession,
    },
    refusal::Refusal,
};

/// What somebody signs in for.
pub(super) struct Entrance {
    /// Where.
    pub tenant: Tenant,
    /// The request that waits, and the client that made it.
    pub request: Option<SealedRequest>,
    pub client: Option<Arc<Client>>,
}

impl Entrance {
    /// The tenant's own pages; nothing if there is no such tenant.
    pub(super) async fn of_tenant(app: &App, slug: &str) -> Result<Option<Self>, Refusal> {
        let tenant = app.directory.resolve_tenant(slug).await?;
        Ok(tenant.map(|tenant| Self {
            tenant: Tenant::clone(&tenant),
            request: None,
            client: None,
        }))
    }

    /// The request in the query of a URL.
    pub(super) async fn of_query(app: &App, uri: &Uri) -> Result<Self, Refusal> {
        Self::of(app, step::open(app, uri)?).await
    }

    /// The request that came back in a form.
    pub(super) async fn of_request(app: &App, text: &str) -> Result<Self, Refusal> {
        Self::of(app, step::read(app, text)?).await
    }

    async fn of(app: &App, request: SealedRequest) -> Result<Self, Refusal> {
        let client = find_client(app, &request).await?;
        Ok(Self {
            tenant: client.tenant.clone(),
            request: Some(request),
            client: Some(client),
        })
    }

    /// The client, for events.
    pub(super) fn client_id(&self) -> Option<ClientId> {
        self.client.as_ref().map(|client| client.id)
    }

    /// Where the form goes.
    pub(super) fn action(&self) -> String {
        match self.request {
            Some(_) => SIGN_IN.to_owned(),
            None => format!("/t/{}/sign-in", self.tenant.slug),
        }
    }

    /// Where the page is.
    pub(super) fn here(&self) -> String {
        match &self.request {
            Some(request) => step::address(SIGN_IN, request),
            None => self.action(),
        }
    }

    /// Where whoever is signed in goes.
    pub(super) fn destination(&self) -> String {
        match &self.request {
            Some(request) => step::address(CONTINUE, request),
            None => format!("/t/{}/account", self.tenant.slug),
        }
    }

    /// Where whoever chose to stay who they are goes: the same request, its choice made.
    pub(super) fn chosen(&self, app: &App) -> Result<String, Refusal> {
        let Some(sealed) = &self.request else {
            return Ok(self.destination());
        };
        let mut request: AuthorizationRequest = sealed.request.clone();
        request.prompt.select_account = false;
        let sealed = SealedRequest::seal(app.keyring.masters(), request, sealed.asked_at)?;
        Ok(step::address(CONTINUE, &sealed))
    }

    /// Why somebody must sign in; nothing if the request can go on as it is, if only to be refused.
    pub(super) fn why_sign_in(&self, browser: Option<&BrowserSession>) -> Option<WhySignIn> {
        let sealed = self.request.as_ref()?;
        let somebody = browser.map(|browser| SignedIn {
            user: browser.user,
            auth_time: browser.auth_time,
        });
        sealed.request.why_sign_in(sealed.asked_at, somebody).ok()?
    }

    /// What the address begins with.
    pub(super) fn hint(&self) -> String {
        let request = self.request.as_ref().map(|sealed| &sealed.request);
        request
            .and_then(|request| request.login_hint.clone())
            .unwrap_or_default()
    }

    /// The languages that the client asks for.
    pub(super) fn ui_locales(&self) -> Option<&str> {
        self.request.as_ref()?.request.ui_locales.as_deref()
    }

    /// Where the form may lead to.
    pub(super) fn form_action(&self) -> FormAction {
        let request = self.request.as_ref().map(|sealed| &sealed.request);
        request.map_or(FormAction::SelfOnly, |request| {
            FormAction::Redirect(request.redirect_uri.clone())
        })
    }
}
