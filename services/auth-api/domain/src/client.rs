//! An OAuth client as requests see it: what it may ask for and how it proves who it is.

use credo_ids::ClientId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    Denial, grant_type::GrantType, rate_limit::Limits, redirect_uri, scope::Scope, signing_algorithm::SigningAlgorithm,
    tenant::Tenant,
};

/// How a client authenticates at the token endpoint (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// HTTP Basic.
    ClientSecretBasic,
    /// In the body.
    ClientSecretPost,
    /// Not at all: a public client.
    None,
}

impl AuthMethod {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    /// As it is registered.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }

    /// The method of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// Where a client runs (OpenID Connect Dynamic Client Registration section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a web server, or in a browser.
    #[default]
    Web,
    /// On a person's device: the port of its loopback redirect URIs varies (RFC 8252 section 7.3).
    Native,
}

impl ApplicationType {
    /// Every type.
    pub const ALL: [Self; 2] = [Self::Web, Self::Native];

    /// As it is registered.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Native => "native",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A client, and the tenant that it belongs to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The `client_id`.
    pub id: ClientId,
    /// Its tenant, as it was when the client was read.
    pub tenant: Tenant,
    /// Shown to people.
    pub display_name: String,
    /// Whether it is served at all.
    pub active: bool,
    /// Rises when everything issued to it must die.
    pub epoch: i64,
    /// Rises at every change; a statement refuses a decision made on another one.
    pub version: i64,
    /// Whether it belongs to whoever runs the tenant.
    pub first_party: bool,
    /// The only method that it may use.
    pub auth_method: AuthMethod,
    /// The grants that it may use.
    pub grant_types: Vec<GrantType>,
    /// Where it runs.
    pub application_type: ApplicationType,
    /// Compared as raw strings.
    pub redirect_uris: Vec<String>,
    /// Where the browser may be sent after a logout; compared as raw strings.
    pub post_logout_redirect_uris: Vec<String>,
    /// Origins that may call with CORS.
    pub allowed_origins: Vec<String>,
    /// What it may be granted.
    pub scope: Scope,
    /// Whether it must use PKCE.
    pub require_pkce: bool,
    /// Within so many seconds a retried refresh gets the same successor.
    pub refresh_grace_seconds: i32,
    /// What signs its ID tokens.
    pub id_token_alg: SigningAlgorithm,
    /// How often what may be asked for, as set for it or by its tenant.
    pub limits: Limits,
    /// The secrets that were good when it was read.
    pub secrets: Vec<LiveSecret>,
}

/// A secret that is good until it expires.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveSecret {
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// When it ends; nothing for the newest.
    pub expires_at: Option<OffsetDateTime>,
}

impl Client {
    /// What it may still have of a grant: scopes that it lost since are not issued any more, and a grant that has lost all is
    /// over. True if the client is as it is now: the statement that found the grant compared its version.
    ///
    /// # Errors
    /// If nothing is left.
    pub fn what_is_left_of(&self, granted: &Scope) -> Result<Scope, Denial> {
        let left = granted.intersection(&self.scope);
        if left.is_empty() && !granted.is_empty() {
            return Err(Denial::Revoked);
        }
        Ok(left)
    }

    /// Whether it has no secret.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.auth_method == AuthMethod::None
    }

    /// The hashes of the secrets that are good at `now`, by the database's clock.
    #[must_use]
    pub fn secret_hashes_at(&self, now: OffsetDateTime) -> Vec<[u8; 32]> {
        let is_good = |secret: &&LiveSecret| secret.expires_at.is_none_or(|at| now < at);
        self.secrets.iter().filter(is_good).map(|secret| secret.hash).collect()
    }

    /// Whether it may use a grant.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// Whether it registered a URI for after a logout. No exception for loopback ports: nothing waits for the answer.
    #[must_use]
    pub fn has_post_logout_uri(&self, uri: &str) -> bool {
        self.post_logout_redirect_uris
            .iter()
            .any(|registered| registered == uri)
    }

    /// Whether it registered a redirect URI.
    #[must_use]
    pub fn has_redirect_uri(&self, uri: &str) -> bool {
        redirect_uri::is_registered(uri, &self.redirect_uris, self.application_type)
    }
}
