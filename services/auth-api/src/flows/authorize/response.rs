//! An authorization response (RFC 6749 sections 4.1.2 and 4.1.2.1): a code or an error, with `state` and `iss` (RFC 9207).
//!
//! One is made only for a redirect URI that the client registered.

use std::sync::Arc;

use credo_auth_domain::{Denial, client::Client, response_mode::ResponseMode};
use secrecy::{ExposeSecret as _, SecretString};

/// What the client is told, and where.
#[derive(Debug)]
pub struct AuthorizationResponse {
    /// Who is told.
    pub client: Arc<Client>,
    /// Registered for it, as it was written.
    pub redirect_uri: String,
    /// How it travels.
    pub response_mode: ResponseMode,
    /// The languages of a page that it may travel in.
    pub ui_locales: Option<String>,
    /// The code, or why there is none.
    pub outcome: Result<SecretString, Denial>,
    /// Echoed byte for byte.
    pub state: Option<String>,
    /// The tenant's issuer.
    pub issuer: String,
}

impl AuthorizationResponse {
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
