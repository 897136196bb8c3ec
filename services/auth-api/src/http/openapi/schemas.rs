//! Bodies that the handlers take apart or put together themselves, described.
#![expect(dead_code, reason = "a description is never made")]

use utoipa::ToSchema;

/// RFC 6749 section 5.2.
#[derive(ToSchema)]
pub(in crate::http) struct OauthError {
    #[schema(example = "invalid_grant")]
    error: String,
    /// For developers.
    error_description: String,
}

/// RFC 6750 section 3.1; `WWW-Authenticate` says the same. Without a token there is no error.
#[derive(ToSchema)]
pub(in crate::http) struct BearerError {
    #[schema(nullable = false)]
    error: Option<String>,
}

/// RFC 9457.
#[derive(ToSchema)]
pub(in crate::http) struct Problem {
    r#type: String,
    title: String,
    status: u16,
}

/// A JSON object whose members a standard defines.
#[derive(ToSchema)]
#[schema(value_type = Object)]
pub(in crate::http) struct Object(serde_json::Value);

/// A grant with the parameters of RFC 6749; a client without Basic authenticates here.
#[derive(ToSchema)]
pub(in crate::http) struct TokenForm {
    #[schema(pattern = "^(authorization_code|refresh_token|client_credentials)$")]
    grant_type: String,
    code: Option<String>,
    redirect_uri: Option<String>,
    /// RFC 7636: 43 to 128 unreserved characters.
    code_verifier: Option<String>,
    refresh_token: Option<String>,
    /// Space-delimited.
    scope: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

#[derive(ToSchema)]
pub(in crate::http) struct Tokens {
    /// A JWT of RFC 9068.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: String,
    /// Seconds.
    expires_in: u64,
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// A JWT, if `openid` was granted.
    #[schema(nullable = false)]
    id_token: Option<String>,
    scope: String,
}

/// A token, and the client's authentication if it is not Basic.
#[derive(ToSchema)]
pub(in crate::http) struct ClientTokenForm {
    token: String,
    /// A hint only.
    token_type_hint: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// RFC 7662 section 2.2. Of a token that is not active, nothing else is told.
#[derive(ToSchema)]
pub(in crate::http) struct Introspection {
    active: bool,
    #[schema(nullable = false)]
    scope: Option<String>,
    #[schema(nullable = false)]
    client_id: Option<String>,
    #[schema(nullable = false)]
    token_type: Option<String>,
    #[schema(nullable = false)]
    exp: Option<i64>,
    #[schema(nullable = false)]
    iat: Option<i64>,
    #[schema(nullable = false)]
    sub: Option<String>,
    #[schema(nullable = false)]
    aud: Option<String>,
    #[schema(nullable = false)]
    iss: Option<String>,
    #[schema(nullable = false)]
    jti: Option<String>,
    #[schema(nullable = false)]
    sid: Option<String>,
}

/// RFC 6750 section 2.2.
#[derive(ToSchema)]
pub(in crate::http) struct BearerForm {
    access_token: Option<String>,
}

/// The claims of a person that the token's scope gives (OpenID Connect Core section 5.1).
#[derive(ToSchema)]
pub(in crate::http) struct Userinfo {
    sub: String,
}

#[derive(ToSchema)]
pub(in crate::http) struct Sessions {
    sessions: Vec<LiveSession>,
}

#[derive(ToSchema)]
pub(in crate::http) struct LiveSession {
    session_id: String,
    client_id: String,
    client_name: String,
    /// The same for sessions of one device; no `device_id`, which only the device itself knows.
    device: String,
    created_at: String,
    last_used_at: String,
    expires_at: String,
    /// Whether it is the caller's.
    current: bool,
}

#[derive(ToSchema)]
pub(in crate::http) struct Revoked {
    revoked: bool,
}

/// A sign-in by a first-party client.
#[derive(ToSchema)]
pub(in crate::http) struct HeadlessSignIn {
    email: String,
    client_id: String,
    redirect_uri: String,
    scopes: Option<Vec<String>>,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    #[schema(example = "S256")]
    code_challenge_method: Option<String>,
    device_id: Option<String>,
    proof: Option<Proof>,
}

#[derive(ToSchema)]
pub(in crate::http) struct Proof {
    #[schema(pattern = "^password$")]
    r#type: String,
    password: String,
}

#[derive(ToSchema)]
pub(in crate::http) struct Authorized {
    code: String,
    redirect_uri: String,
    state: Option<String>,
    iss: String,
    device_id: Option<String>,
}

/// OpenID Connect Discovery section 3, RFC 8414 section 2.
#[derive(ToSchema)]
pub(in crate::http) struct ServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

/// RFC 7517.
#[derive(ToSchema)]
pub(in crate::http) struct Jwks {
    keys: Vec<Object>,
}

/// What a person typed, and what the page brought along.
#[derive(ToSchema)]
pub(in crate::http) struct SignInForm {
    email: String,
    password: String,
    /// From the page.
    csrf: Option<String>,
    /// From the page.
    request: Option<String>,
}

/// What a person decided, and what the page brought along.
#[derive(ToSchema)]
pub(in crate::http) struct ConsentForm {
    #[schema(pattern = "^(allow|deny)$")]
    decision: String,
    /// From the page.
    csrf: Option<String>,
    /// From the page.
    request: Option<String>,
}

/// What the forms of the account page send: each its own part of it.
#[derive(ToSchema)]
pub(in crate::http) struct AccountForm {
    /// From the page.
    csrf: Option<String>,
    /// What is to end.
    session: Option<String>,
    /// The app's `client_id`.
    client: Option<String>,
    current_password: Option<String>,
    new_password: Option<String>,
}

/// OpenID Connect RP-Initiated Logout section 2.
#[derive(ToSchema, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct LogoutForm {
    id_token_hint: Option<String>,
    client_id: Option<String>,
    post_logout_redirect_uri: Option<String>,
    state: Option<String>,
    logout_hint: Option<String>,
    ui_locales: Option<String>,
}

/// An authorization request (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1).
#[derive(ToSchema, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct AuthorizationRequest {
    #[schema(example = "code")]
    response_type: Option<String>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    scope: Option<String>,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    /// `S256`
    code_challenge_method: Option<String>,
    /// `query` or `form_post`
    response_mode: Option<String>,
    /// `none`, or any of `login`, `consent`, `select_account`
    prompt: Option<String>,
    /// Seconds.
    max_age: Option<String>,
    login_hint: Option<String>,
    id_token_hint: Option<String>,
    ui_locales: Option<String>,
    acr_values: Option<String>,
    display: Option<String>,
    /// JSON (OpenID Connect Core section 5.5).
    claims: Option<String>,
    resource: Option<String>,
}
