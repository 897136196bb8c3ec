//! An authorization response (RFC 6749 sections 4.1.2 and 4.1.2.1): a code or an error, with `state` and `iss` (RFC 9207).
//!
//! One is made only for a redirect URI that the client registered.

use credo_auth_domain::{Denial, authorization_request::AuthorizationRequest, response_mode::ResponseMode};
use secrecy::{ExposeSecret as _, SecretString};

/// What the client is told, and where.
#[derive(Debug)]
pub struct AuthorizationResponse {
    /// Registered for the client, as it was written.
    pub redirect_uri: String,
    /// How it travels.
    pub response_mode: ResponseMode,
    /// The code, or why there is none.
    pub outcome: Result<SecretString, Denial>,
    /// Echoed byte for byte.
    pub state: Option<String>,
    /// The tenant's issuer.
    pub issuer: String,
}

impl AuthorizationResponse {
    /// The answer to `request` by the tenant of `issuer`.
    #[must_use]
    pub fn to(request: &AuthorizationRequest, issuer: String, outcome: Result<SecretString, Denial>) -> Self {
        Self {
            redirect_uri: request.redirect_uri.clone(),
            response_mode: request.response_mode,
            outcome,
            state: request.state.clone(),
            issuer,
        }
    }

    /// Names and values, as they are before any encoding.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = match &self.outcome {
            Ok(code) => vec![("code", code.expose_secret().to_owned())],
            Err(denial) => vec![
                ("error", denial.oauth_error().as_str().to_owned()),
                ("error_description", denial.to_string()),
            ],
        };
        parameters.extend(self.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", self.issuer.clone()));
        parameters
    }
}
