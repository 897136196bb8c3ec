//! The claims of an access token (RFC 9068) and of an ID token (OpenID Connect Core section 2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The audience of the admin APIs.
pub const ADMIN_AUDIENCE: &str = "credo-admin";
/// `typ` of an access token.
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The claims of an access token. Repeated claims and claims of another JSON type are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// The tenant's issuer.
    pub iss: String,
    /// The user, or the client that got the token for itself.
    pub sub: String,
    /// Whom the token is for.
    pub aud: String,
    /// Seconds since the Unix epoch.
    pub exp: i64,
    /// Seconds since the Unix epoch.
    pub iat: i64,
    /// The token's own id.
    pub jti: String,
    /// The client.
    pub client_id: String,
    /// Space-delimited.
    pub scope: String,
    /// The session; absent in a token that a client got for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// When the user proved who they are, seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The tenant's id.
    pub tid: String,
    /// The epochs of tenant, client and, if there is one, user.
    pub ep: Vec<i64>,
    /// Claims that userinfo answers beyond those of the scope: the client asked for them by name (OpenID Connect Core
    /// section 5.5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub userinfo_claims: Vec<String>,
}

/// The claims of an ID token.
#[derive(Clone, Debug, Serialize)]
pub struct IdTokenClaims {
    /// The tenant's issuer.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// The client.
    pub aud: String,
    /// Seconds since the Unix epoch.
    pub exp: i64,
    /// Seconds since the Unix epoch.
    pub iat: i64,
    /// When the user proved who they are, seconds since the Unix epoch.
    pub auth_time: i64,
    /// How strongly they did.
    pub acr: &'static str,
    /// How they did (RFC 8176).
    pub amr: Vec<String>,
    /// The session.
    pub sid: String,
    /// Echoed from the authorization request; absent if it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The left half of the access token's SHA-256.
    pub at_hash: String,
    /// Claims of the person that the client asked for by name. None of them is one of the above.
    #[serde(flatten)]
    pub person: Map<String, Value>,
}
