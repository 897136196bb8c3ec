//! A browser that somebody is signed in with (DESIGN section 12).
//!
//! Owns [`BrowserSession`], which only this file can make: from a cookie whose row is alive and whose secret is right, or
//! from a proof. Invariant: a sign-in makes a new row and a new secret, whatever the browser brought along, and ends the
//! row that it had.

use credo_auth_domain::{
    Denial,
    browser_session::{BrowserCredential, BrowserSignIn, LiveBrowserSession},
    email_address::EmailAddress,
    lifetime::{BROWSER_SESSION_IDLE_TTL, BROWSER_SESSION_TTL},
    password::Password,
    tenant::Tenant,
};
use credo_auth_store::{EventRow, NewBrowserSession};
use credo_events::EventDraft;
use credo_ids::{ClientId, DeviceId, EventId};
use secrecy::SecretString;
use tracing::instrument;

use super::end::{EndOfBrowser, end};
use crate::{
    app::App,
    audit::{RequestContext, security::BROWSER_SIGNED_IN},
    flows::proof::{self, Proof, SignInTo},
    refusal::Refusal,
};

/// A browser that is signed in now.
#[derive(Clone, Debug)]
pub struct BrowserSession {
    live: LiveBrowserSession,
}

impl std::ops::Deref for BrowserSession {
    type Target = LiveBrowserSession;

    fn deref(&self) -> &LiveBrowserSession {
        &self.live
    }
}

impl BrowserSession {
    /// A row that was made a moment ago, for whoever proved to be there.
    pub(super) const fn made(live: LiveBrowserSession) -> Self {
        Self { live }
    }
}

/// Where somebody signs in, and what the browser brought along.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The tenant.
    pub tenant: &'a Tenant,
    /// The client that sent the person here; nothing for a page of the tenant's own.
    pub client: Option<ClientId>,
    /// The browser, if it was here before.
    pub device: Option<DeviceId>,
    /// Whom it was signed in as until now.
    pub previous: Option<&'a BrowserSession>,
}

impl Visit<'_> {
    /// The browser: what the row says that it still has, or the cookie.
    fn device(&self) -> Option<DeviceId> {
        self.previous.map(|previous| previous.device).or(self.device)
    }
}

/// A fresh sign-in.
#[derive(Debug)]
pub struct SignedIn {
    /// The browser as it is signed in now.
    pub session: BrowserSession,
    /// The value of its cookie.
    pub cookie: SecretString,
}

/// Who is signed in to `tenant` with the browser that sent `cookie`; nothing if nobody is any more.
///
/// # Errors
/// If the database gives no answer.
#[instrument(skip_all)]
pub async fn find(app: &App, tenant: &Tenant, cookie: Option<&str>) -> Result<Option<BrowserSession>, Refusal> {
    let Some(credential) = cookie.and_then(BrowserCredential::from_cookie) else {
        return Ok(None);
    };
    let stored = app.store.find_browser_session(tenant.id, credential.id).await?;
    let Some(stored) = stored.filter(|stored| credential.proves(&stored.secret_hash)) else {
        return Ok(None);
    };
    if stored.unseen {
        app.store.touch_browser_session(tenant.id, credential.id).await?;
    }
    Ok(Some(BrowserSession { live: stored.live }))
}

/// Signs somebody in with a browser. An unknown person, a disabled one and a wrong password are refused alike.
///
/// # Errors
/// Denials of the proof, after they were recorded.
#[instrument(skip_all)]
pub async fn sign_in(
    app: &App,
    context: &RequestContext,
    visit: &Visit<'_>,
    (email, password): (&EmailAddress, &Password),
) -> Result<SignedIn, Refusal> {
    let to = SignInTo {
        tenant: visit.tenant,
        client: visit.client,
        device: visit.device(),
    };
    let proof = proof::prove(app, context, to, (email, Some(password))).await?;
    let credential = BrowserCredential::random()?;
    let item = draft(app, context, visit, (&proof, &credential))?;
    let Some(signed_in) = app.store.insert_browser_session(&item).await? else {
        return Err(Denial::WrongProof.into());
    };
    match signed_in.outcome {
        BrowserSignIn::SignedIn => {}
        BrowserSignIn::TenantSuspended => return Err(Denial::TenantSuspended.into()),
        BrowserSignIn::UserDisabled | BrowserSignIn::PasswordChanged => return Err(Denial::WrongProof.into()),
    }
    // One browser, one person: what somebody else left open in it ends.
    if let Some(previous) = visit.previous.filter(|previous| previous.user != proof.user) {
        let ended = (EndOfBrowser::SomebodyElse, Some(previous.id), visit.client);
        end(app, context, previous.browser(), ended).await?;
    }
    let live = LiveBrowserSession {
        id: item.id,
        tenant: item.tenant_id,
        user: item.user_id,
        device: item.device_id,
        email: signed_in.email,
        display_name: signed_in.display_name,
        auth_time: signed_in.at,
        amr: item.amr,
        at: signed_in.at,
    };
    Ok(SignedIn {
        session: BrowserSession { live },
        cookie: credential.to_cookie(),
    })
}

fn draft(
    app: &App,
    context: &RequestContext,
    visit: &Visit<'_>,
    (proof, credential): (&Proof, &BrowserCredential),
) -> Result<NewBrowserSession, Refusal> {
    let (event_id, personal) = (EventId::now_v7(), context.personal()?);
    let mut event = EventDraft::new(&BROWSER_SIGNED_IN, event_id, visit.tenant.id, app.feed.database_now())
        .parties(proof.user, proof.user)
        .browser_session(credential.id)
        .request(context.origin());
    if let Some(client) = visit.client {
        event = event.client(client);
    }
    let event = event.encode(&personal);
    Ok(NewBrowserSession {
        id: credential.id,
        tenant_id: visit.tenant.id,
        user_id: proof.user,
        password_version: proof.password_version,
        device_id: visit.device().unwrap_or_else(DeviceId::random_v4),
        secret_hash: credential.secret.hash(),
        amr: proof.amr.to_owned(),
        user_agent: context.user_agent.clone(),
        ttl: BROWSER_SESSION_TTL,
        idle_ttl: BROWSER_SESSION_IDLE_TTL,
        previous: visit
            .previous
            .filter(|previous| previous.user == proof.user)
            .map(|previous| previous.id),
        accounts: proof.accounts(),
        event_id,
        event: EventRow {
            core: event.core,
            personal,
        },
    })
}
