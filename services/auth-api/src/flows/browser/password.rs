//! A person changes their password: the present one is proved, and what rests on it ends everywhere but in this browser.

use credo_auth_domain::{
    Denial,
    browser_session::{BrowserCredential, LiveBrowserSession},
    email_address::EmailAddress,
    lifetime::REVOCATION_TTL,
    password::{Names, Password, UnusablePassword},
    tenant::Tenant,
};
use credo_auth_store::{EventRow, FeedRow, PasswordChange, RevokedKind};
use credo_events::EventDraft;
use credo_ids::EventId;
use secrecy::{ExposeSecret as _, SecretString};
use tracing::instrument;

use super::session::{BrowserSession, SignedIn};
use crate::{
    app::App,
    audit::{RequestContext, compliance::PASSWORD_CHANGED},
    flows::proof::{self, Proof, SignInTo},
    refusal::Refusal,
};

/// What came of it.
#[derive(Debug)]
pub enum Changed {
    /// Changed; the browser is signed in under a new cookie.
    Done(Box<SignedIn>),
    /// The policy refuses the new password.
    Unusable(UnusablePassword),
    /// The browser was signed out meanwhile, or the password was changed: nothing is.
    SignedOut,
}

/// Changes the password of whoever is signed in.
///
/// # Errors
/// Denials of the proof, after they were recorded.
#[instrument(skip_all)]
pub async fn change_password(
    app: &App,
    context: &RequestContext,
    (tenant, person): (&Tenant, &BrowserSession),
    (current, new): (&SecretString, &SecretString),
) -> Result<Changed, Refusal> {
    let email = EmailAddress::parse(&person.email).map_err(|_| Refusal::internal("an account without an address"))?;
    let names = Names {
        email: &email,
        display_name: person.display_name.as_deref(),
        tenant: &[&tenant.slug, &tenant.display_name],
    };
    let new = match Password::chosen(new.expose_secret(), &names) {
        Ok(new) => new,
        Err(unusable) => return Ok(Changed::Unusable(unusable)),
    };
    let current = Password::typed(current.expose_secret()).map_err(|_| Denial::WrongProof)?;
    let to = SignInTo {
        tenant,
        client: None,
        device: Some(person.device),
    };
    let proof = proof::prove(app, context, to, (&email, Some(&current))).await?;
    let (user, version) = (proof.user, proof.password_version);
    let Some(version) = version.filter(|_| user == person.user) else {
        return Err(Denial::WrongProof.into());
    };
    let turn = app.passwords.turn().await?;
    let hash = app.passwords.hash(turn, new).await?;
    let credential = BrowserCredential::random()?;
    let item = draft(app, context, person, (&proof, version, hash, &credential))?;
    let Some(epoch) = app.store.change_password(&item).await? else {
        return Ok(Changed::SignedOut);
    };
    let at = app.feed.database_now();
    app.feed.learn(FeedRow {
        kind: RevokedKind::User,
        tenant_id: person.tenant,
        id: person.user.as_uuid(),
        epoch: Some(epoch),
        except_sid: None,
        expires_at: at + REVOCATION_TTL,
    });
    let live = LiveBrowserSession {
        id: item.new_browser,
        auth_time: at,
        at,
        amr: item.amr,
        ..LiveBrowserSession::clone(person)
    };
    Ok(Changed::Done(Box::new(SignedIn {
        session: BrowserSession::made(live),
        cookie: credential.to_cookie(),
    })))
}

fn draft(
    app: &App,
    context: &RequestContext,
    person: &BrowserSession,
    (proof, password_version, password_hash, credential): (&Proof, i64, SecretString, &BrowserCredential),
) -> Result<PasswordChange, Refusal> {
    let (event_id, personal) = (EventId::now_v7(), context.personal()?);
    let event = EventDraft::new(&PASSWORD_CHANGED, event_id, person.tenant, app.feed.database_now())
        .parties(person.user, person.user)
        .browser_session(person.id)
        .request(context.origin())
        .encode(&personal);
    Ok(PasswordChange {
        tenant_id: person.tenant,
        user_id: person.user,
        browser: person.id,
        password_hash,
        password_version,
        new_browser: credential.id,
        new_secret_hash: credential.secret.hash(),
        amr: proof.amr.to_owned(),
        user_agent: context.user_agent.clone(),
        accounts: proof.accounts(),
        event_id,
        event: EventRow {
            core: event.core,
            personal,
        },
    })
}
