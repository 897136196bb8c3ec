//! The token endpoint: authenticate the client, run the grant, answer (RFC 6749 section 3.2).

mod authorization_code;
mod claims;
mod client_credentials;
mod issue;
mod refresh_token;

use std::sync::Arc;

use credo_auth_domain::{Denial, grant_type::GrantType, pkce::CodeVerifier, scope::Scope};
use secrecy::SecretString;
use tracing::instrument;

pub use self::issue::TokenResponse;
use super::client_auth::{self, ClientCredentials};
use crate::{app::App, audit::RequestContext, refusal::Refusal};

/// Tries after the client changed in the middle.
const MAX_TRIES: u32 = 3;

/// What the client asks for.
#[derive(Debug)]
pub enum TokenRequest {
    /// RFC 6749 section 4.1.3.
    AuthorizationCode {
        /// The code.
        code: SecretString,
        /// That of the authorization request.
        redirect_uri: Option<String>,
        /// PKCE.
        code_verifier: Option<CodeVerifier>,
    },
    /// RFC 6749 section 6.
    RefreshToken {
        /// The token.
        refresh_token: SecretString,
        /// No more than was granted; nothing means all of it.
        scope: Option<Scope>,
    },
    /// RFC 6749 section 4.4.
    ClientCredentials {
        /// No more than is registered; nothing means all of it.
        scope: Option<Scope>,
    },
}

impl TokenRequest {
    const fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode { .. } => GrantType::AuthorizationCode,
            Self::RefreshToken { .. } => GrantType::RefreshToken,
            Self::ClientCredentials { .. } => GrantType::ClientCredentials,
        }
    }
}

/// What a grant came to.
enum Attempt {
    /// Tokens.
    Issued(TokenResponse),
    /// The client changed since it was authenticated: nothing was decided.
    Stale,
}

/// Answers a token request.
///
/// # Errors
/// Denials of the client and of the grant.
#[instrument(skip_all, fields(grant_type = request.grant_type().as_str()))]
pub async fn token(
    app: Arc<App>,
    context: RequestContext,
    credentials: ClientCredentials,
    request: TokenRequest,
) -> Result<TokenResponse, Refusal> {
    for _ in 0..MAX_TRIES {
        let client = client_auth::authenticate(&app, &context, &credentials).await?;
        if !client.may_use(request.grant_type()) {
            return Err(Denial::GrantNotAllowed.into());
        }
        let attempt = match &request {
            TokenRequest::AuthorizationCode {
                code,
                redirect_uri,
                code_verifier,
            } => {
                let shown = authorization_code::Shown {
                    code,
                    redirect_uri,
                    code_verifier,
                };
                authorization_code::exchange(&app, &context, &client, &shown).await?
            }
            TokenRequest::RefreshToken { refresh_token, scope } => {
                refresh_token::refresh(&app, &context, &client, refresh_token, scope.as_ref()).await?
            }
            TokenRequest::ClientCredentials { scope } => {
                client_credentials::issue(&app, &context, &client, scope.as_ref()).await?
            }
        };
        match attempt {
            Attempt::Issued(response) => return Ok(response),
            Attempt::Stale => app.directory.forget_client(client.id).await,
        }
    }
    Err(Refusal::overloaded("the client changes faster than it can be read"))
}
