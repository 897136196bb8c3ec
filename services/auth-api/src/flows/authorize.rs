//! Sign-in by a first-party client without a browser: an e-mail address and a proof for a code (DESIGN section 3.1; the
//! shape follows OAuth 2.0 for First-Party Applications).
//!
//! Refuses clients that are not first-party, and makes no account. An unknown user, a disabled one and a wrong password
//! get one answer after the same work.

use std::sync::Arc;

use aws_lc_rs::hmac;
use credo_auth_domain::{
    Denial,
    email_address::EmailAddress,
    grant_type::GrantType,
    lifetime::{CODE_TTL, SESSION_IDLE_TTL, SESSION_TTL},
    opaque_token::{Kind, OpaqueToken, Secret},
    password::Password,
    pkce::CodeChallenge,
    scope::Scope,
};
use credo_auth_store::{Account, Authorization, Authorize, EventRow, Reservation};
use credo_events::{EventDraft, Party, actor_core};
use credo_ids::{DeviceId, EventId, SessionId, UserId};
use credo_proto::events::v1::Personal;
use secrecy::SecretString;
use tracing::instrument;

use super::client_auth::{self, AuthenticatedClient, ClientCredentials};
use crate::{
    app::App,
    audit::{
        Bucket, RequestContext,
        security::{AUTH_FAILED, SESSION_CREATED},
    },
    refusal::Refusal,
};

/// Tries after the client changed in the middle.
const MAX_TRIES: u32 = 3;
/// RFC 8176: a password.
const AMR_PASSWORD: &str = "pwd";

/// What is asked for.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Who claims to sign in.
    pub email: EmailAddress,
    /// What proves it.
    pub password: Password,
    /// What the client wants.
    pub scope: Scope,
    /// Where the code would go.
    pub redirect_uri: String,
    /// Echoed in the ID token.
    pub nonce: Option<String>,
    /// PKCE.
    pub code_challenge: Option<CodeChallenge>,
    /// The device, if it was here before.
    pub device_id: Option<DeviceId>,
}

/// A code and what goes with it.
#[derive(Debug)]
pub struct Authorized {
    /// The authorization code.
    pub code: SecretString,
    /// The tenant's issuer (RFC 9207).
    pub issuer: String,
    /// The device, to be shown again at the next sign-in.
    pub device_id: DeviceId,
}

/// Signs a user in.
///
/// # Errors
/// Denials of the client, of the parameters and of the proof.
#[instrument(skip_all)]
pub async fn authorize(
    app: Arc<App>,
    context: RequestContext,
    credentials: ClientCredentials,
    request: SignIn,
) -> Result<Authorized, Refusal> {
    for _ in 0..MAX_TRIES {
        let client = client_auth::authenticate(&app, &context, &credentials).await?;
        check_request(&client, &request)?;
        let account = hmac::sign(
            &app.keyring.masters().active().account,
            &account_name(&client, &request.email),
        );
        let mut account_hash = [0; 32];
        account_hash.copy_from_slice(account.as_ref());
        let proof = prove(&app, &context, &client, &request, account_hash).await?;
        let (item, code) = draft(&app, &context, &client, &request, &proof)?;
        match app.store.insert_authorization(&item).await? {
            Authorization::Authorized => {
                let issuer = client.tenant.issuer(&app.settings.public_base_url);
                return Ok(Authorized {
                    code,
                    issuer,
                    device_id: item.device_id,
                });
            }
            Authorization::TenantSuspended => return Err(Denial::TenantSuspended.into()),
            Authorization::ClientDisabled => return Err(Denial::ClientDisabled.into()),
            Authorization::UserDisabled | Authorization::PasswordChanged | Authorization::Unknown => {
                return Err(Denial::WrongProof.into());
            }
            Authorization::Stale => app.directory.forget_client(client.id).await,
        }
    }
    Err(Refusal::overloaded("the client changes faster than it can be read"))
}

fn check_request(client: &AuthenticatedClient, request: &SignIn) -> Result<(), Denial> {
    if !client.first_party {
        return Err(Denial::NotFirstParty);
    }
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(Denial::GrantNotAllowed);
    }
    if !client.has_redirect_uri(&request.redirect_uri) {
        return Err(Denial::InvalidRequest("redirect_uri is not registered for the client"));
    }
    if request.code_challenge.is_none() && client.require_pkce {
        return Err(Denial::InvalidRequest("code_challenge is missing"));
    }
    if !request.scope.is_within(&client.scope) || (request.scope.opens_admin() && !request.scope.is_admin()) {
        return Err(Denial::InvalidScope);
    }
    Ok(())
}

/// Tenant and address, so that equal addresses of two tenants are two accounts.
fn account_name(client: &AuthenticatedClient, email: &EmailAddress) -> Vec<u8> {
    [client.tenant.id.as_bytes(), email.as_str().as_bytes()].concat()
}

/// Who was proved to be there, and by what.
struct Proof {
    user: UserId,
    password_version: i64,
    account_hash: [u8; 32],
}

/// Checks the password. The attempt is counted before anything is hashed, and nobody hashes without a turn.
async fn prove(
    app: &App,
    context: &RequestContext,
    client: &AuthenticatedClient,
    request: &SignIn,
    account_hash: [u8; 32],
) -> Result<Proof, Refusal> {
    let turn = app.passwords.turn().await?;
    let account = Account {
        tenant: client.tenant.id,
        hash: account_hash,
        email: &request.email,
    };
    let (user, hash) = match app.store.reserve_sign_in_attempt(&account).await? {
        Reservation::TooMany { retry_after_seconds } => {
            return Err(Denial::TooManyAttempts { retry_after_seconds }.into());
        }
        Reservation::Nobody => (None, None),
        Reservation::Candidate {
            user,
            password_hash,
            password_version,
        } => (Some((user, password_version)), Some(password_hash)),
    };
    let timer = app.metrics.password_hash_seconds.start_timer();
    let verified = app.passwords.verify(turn, request.password.clone(), hash).await?;
    timer.observe_duration();
    match user {
        Some((user, password_version)) if verified => Ok(Proof {
            user,
            password_version,
            account_hash,
        }),
        _ => {
            record_failure(app, context, client, &request.email, account_hash).await?;
            Err(Denial::WrongProof.into())
        }
    }
}

/// Records a wrong proof. The event names nobody: whether the account exists is not for the trail's readers either.
async fn record_failure(
    app: &App,
    context: &RequestContext,
    client: &AuthenticatedClient,
    email: &EmailAddress,
    account_hash: [u8; 32],
) -> Result<(), Refusal> {
    let (tenant, reason) = (client.tenant.id, Denial::WrongProof.reason());
    let draft = EventDraft::new(&AUTH_FAILED, EventId::now_v7(), tenant, app.feed.database_now())
        .parties(Party::ANONYMOUS, Party::ANONYMOUS)
        .client(client.id)
        .request(context.id)
        .reason(reason);
    let personal = context.personal_with(Personal {
        email: email.as_str().to_owned(),
        ..Personal::default()
    })?;
    let bucket = Bucket {
        tenant,
        target: account_hash.to_vec(),
        address: context.address,
        reason,
    };
    app.refusals.record(bucket, client.id.as_uuid(), draft, personal).await
}

fn draft(
    app: &App,
    context: &RequestContext,
    client: &AuthenticatedClient,
    request: &SignIn,
    proof: &Proof,
) -> Result<(Authorize, SecretString), Refusal> {
    let master = app.keyring.masters().active();
    let (session_id, event_id, secret) = (SessionId::now_v7(), EventId::now_v7(), Secret::random()?);
    let code_hash = secret.hash();
    let code = OpaqueToken {
        kind: Kind::Code,
        key_id: master.id,
        session_id,
        generation: 0,
        secret,
    };
    let personal = context.personal()?;
    let event = EventDraft::new(&SESSION_CREATED, event_id, client.tenant.id, app.feed.database_now())
        .parties(proof.user, proof.user)
        .client(client.id)
        .session(session_id)
        .request(context.id)
        .encode(&personal);
    let item = Authorize {
        session_id,
        tenant_id: client.tenant.id,
        client_id: client.id,
        client_version: client.version,
        user_id: proof.user,
        password_version: Some(proof.password_version),
        account: Some(proof.account_hash),
        device_id: request.device_id.unwrap_or_else(DeviceId::random_v4),
        scope: request.scope.to_string(),
        actor_core: actor_core(proof.user.into(), proof.user.into()),
        code_hash,
        code_challenge: request.code_challenge.map(|challenge| *challenge.as_bytes()),
        redirect_uri: request.redirect_uri.clone(),
        nonce: request.nonce.clone(),
        key_id: master.id,
        amr: AMR_PASSWORD.to_owned(),
        code_ttl: CODE_TTL,
        session_ttl: SESSION_TTL,
        idle_ttl: SESSION_IDLE_TTL,
        event_id,
        event: EventRow {
            core: event.core,
            personal,
        },
    };
    Ok((item, code.to_wire(&master.token_mac, client.tenant.id)))
}
