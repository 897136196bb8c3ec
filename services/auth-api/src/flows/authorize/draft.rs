//! An authorization as it goes to the statement that decides: a session with its pending code, and its event.

use credo_auth_domain::{
    authorization_request::AuthorizationRequest,
    claims_request::ClaimsRequest,
    client::Client,
    lifetime::{ADMIN_SESSION_IDLE_TTL, ADMIN_SESSION_TTL, CODE_TTL, SESSION_IDLE_TTL, SESSION_TTL},
    opaque_token::{Kind, OpaqueToken, Secret},
    pkce::CodeChallenge,
    scope::Scope,
};
use credo_auth_store::{Authorize, EventRow};
use credo_events::{EventDraft, actor_core};
use credo_ids::{DeviceId, EventId, SessionId};
use secrecy::SecretString;

use crate::{
    app::App,
    audit::{RequestContext, security::SESSION_CREATED},
    flows::{browser::session::BrowserSession, proof::Proof},
    refusal::Refusal,
};

/// What is granted, to whom, and by whom.
pub(super) struct Grant<'a> {
    pub client: &'a Client,
    pub scope: &'a Scope,
    pub redirect_uri: &'a str,
    pub nonce: Option<&'a str>,
    pub code_challenge: Option<CodeChallenge>,
    pub by: By<'a>,
}

/// Who grants it.
pub(super) enum By<'a> {
    /// Somebody who proved just now who they are, with this device.
    Proof(&'a Proof, Option<DeviceId>),
    /// Whoever is signed in with a browser, for this request.
    Browser(&'a BrowserSession, &'a AuthorizationRequest),
}

/// The row and the code that it knows by its hash.
pub(super) fn draft(
    app: &App,
    context: &RequestContext,
    grant: &Grant<'_>,
) -> Result<(Authorize, SecretString), Refusal> {
    let (master, client) = (app.keyring.masters().active(), grant.client);
    let (session_id, event_id, secret) = (SessionId::now_v7(), EventId::now_v7(), Secret::random()?);
    let code_hash = secret.hash();
    let code = OpaqueToken {
        kind: Kind::Code,
        key_id: master.id,
        session_id,
        generation: 0,
        secret,
    };
    let user_id = match &grant.by {
        By::Proof(proof, _) => proof.user,
        By::Browser(browser, _) => browser.user,
    };
    let personal = context.personal()?;
    let (session_ttl, idle_ttl) = if grant.scope.opens_admin() {
        (ADMIN_SESSION_TTL, ADMIN_SESSION_IDLE_TTL)
    } else {
        (SESSION_TTL, SESSION_IDLE_TTL)
    };
    let event = EventDraft::new(&SESSION_CREATED, event_id, client.tenant.id, app.feed.database_now())
        .parties(user_id, user_id)
        .client(client.id)
        .session(session_id)
        .request(context.origin())
        .encode(&personal);
    let item = Authorize {
        session_id,
        tenant_id: client.tenant.id,
        client_id: client.id,
        client_version: client.version,
        user_id,
        password_version: None,
        account: None,
        device_account: None,
        device_id: DeviceId::random_v4(),
        scope: grant.scope.to_string(),
        actor_core: actor_core(user_id.into(), user_id.into()),
        code_hash,
        code_challenge: grant.code_challenge.map(|challenge| *challenge.as_bytes()),
        redirect_uri: grant.redirect_uri.to_owned(),
        nonce: grant.nonce.map(ToOwned::to_owned),
        key_id: master.id,
        amr: String::new(),
        browser_session_id: None,
        claims: None,
        consent_scope: None,
        code_ttl: CODE_TTL,
        session_ttl,
        idle_ttl,
        event_id,
        event: EventRow {
            core: event.core,
            personal,
        },
    };
    Ok((
        with_granter(item, grant),
        code.to_wire(&master.token_mac, client.tenant.id),
    ))
}

fn with_granter(item: Authorize, grant: &Grant<'_>) -> Authorize {
    match &grant.by {
        By::Proof(proof, device) => Authorize {
            password_version: proof.password_version,
            account: proof.account_hash,
            device_account: proof.device_account_hash,
            device_id: device.unwrap_or(item.device_id),
            amr: proof.amr.to_owned(),
            ..item
        },
        By::Browser(browser, request) => Authorize {
            device_id: browser.device,
            amr: browser.amr.clone(),
            browser_session_id: Some(browser.id),
            claims: request.claims.as_ref().map(ClaimsRequest::canonical),
            consent_scope: (!grant.client.first_party).then(|| request.consent_scope().to_string()),
            ..item
        },
    }
}
