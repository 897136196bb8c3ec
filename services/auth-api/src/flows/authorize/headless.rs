//! Sign-in by a first-party client without a browser: an e-mail address and a proof for a code (DESIGN section 3.1; the
//! shape follows OAuth 2.0 for First-Party Applications).
//!
//! Refuses clients that are not first-party, and makes no account. An unknown user, a disabled one and a wrong password
//! get one answer after the same work.

use std::sync::Arc;

use credo_auth_domain::{
    Denial, email_address::EmailAddress, grant_type::GrantType, password::Password, pkce::CodeChallenge, scope::Scope,
};
use credo_auth_store::Authorization;
use credo_ids::DeviceId;
use secrecy::SecretString;
use tracing::instrument;

use super::draft::{By, Grant, draft};
use crate::{
    app::App,
    audit::RequestContext,
    flows::{
        client_auth::{self, AuthenticatedClient, ClientCredentials},
        proof::{self, SignInTo},
    },
    refusal::Refusal,
};

/// Tries after the client changed in the middle.
const MAX_TRIES: u32 = 3;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Who claims to sign in.
    pub email: EmailAddress,
    /// What proves it; without it the tenant must trust the bare address.
    pub password: Option<Password>,
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
        let to = SignInTo {
            tenant: &client.tenant,
            client: Some(client.id),
            device: request.device_id,
        };
        let proof = proof::prove(&app, &context, to, (&request.email, request.password.as_ref())).await?;
        let grant = Grant {
            client: &client,
            scope: &request.scope,
            redirect_uri: &request.redirect_uri,
            nonce: request.nonce.as_deref(),
            code_challenge: request.code_challenge,
            by: By::Proof(&proof, request.device_id),
        };
        let (item, code) = draft(&app, &context, &grant)?;
        let device_id = item.device_id;
        match app.store.insert_authorization(item).await? {
            Authorization::Authorized => {
                let issuer = client.tenant.issuer(&app.settings.public_base_url);
                return Ok(Authorized {
                    code,
                    issuer,
                    device_id,
                });
            }
            Authorization::TenantSuspended => return Err(Denial::TenantSuspended.into()),
            Authorization::ClientDisabled => return Err(Denial::ClientDisabled.into()),
            Authorization::UserDisabled | Authorization::PasswordChanged | Authorization::Unknown => {
                return Err(Denial::WrongProof.into());
            }
            Authorization::SignedOut | Authorization::ConsentMissing | Authorization::AdminScopeMissing => {
                return Err(Refusal::internal("a headless sign-in was asked for its browser"));
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
    // Who administers signs in with a browser: no program sees the password of somebody who may do so much.
    if !request.scope.is_within(&client.scope) || request.scope.opens_admin() {
        return Err(Denial::InvalidScope);
    }
    Ok(())
}
