//! Every reason for which a request is refused, in one closed list.
//!
//! The OAuth error code, the metric label and the audit reason all come from here; a snapshot lists them.

/// An error code of RFC 6749 sections 4.1.2.1 and 5.2, RFC 8707 and OpenID Connect Core section 3.1.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OauthError {
    /// The request is malformed.
    InvalidRequest,
    /// The client did not prove who it is.
    InvalidClient,
    /// The code, refresh token or proof is not good.
    InvalidGrant,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// No such grant here.
    UnsupportedGrantType,
    /// The scope is malformed or more than may be granted.
    InvalidScope,
    /// Not now.
    TemporarilyUnavailable,
    /// The person refused (RFC 6749 section 4.1.2.1).
    AccessDenied,
    /// No such response type here.
    UnsupportedResponseType,
    /// Not a resource that the client may have a token for (RFC 8707 section 2).
    InvalidTarget,
    /// The person must sign in, and nothing may be shown (OpenID Connect Core section 3.1.2.6).
    LoginRequired,
    /// The person must consent, and nothing may be shown.
    ConsentRequired,
    /// Requests as a JWT are not taken.
    RequestNotSupported,
    /// Requests by reference are not taken.
    RequestUriNotSupported,
    /// Registration in a request is not taken.
    RegistrationNotSupported,
}

impl OauthError {
    /// As it is written on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidTarget => "invalid_target",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
        }
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// A parameter is missing, repeated, too long or malformed; the text names it.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The client is unknown, or its secret or its method is wrong.
    #[error("client authentication failed")]
    ClientAuthenticationFailed,
    /// The client is disabled.
    #[error("client authentication failed")]
    ClientDisabled,
    /// The tenant is suspended.
    #[error("client authentication failed")]
    TenantSuspended,
    /// The grant is not registered for the client.
    #[error("the client may not use this grant")]
    GrantNotAllowed,
    /// Only a first-party client may do this.
    #[error("the client may not sign users in by itself")]
    NotFirstParty,
    /// No such grant here.
    #[error("the grant type is not supported")]
    UnsupportedGrantType,
    /// A scope that the client may not have, or a malformed one.
    #[error("the scope is malformed or may not be granted")]
    InvalidScope,
    /// More scope than the refresh token was granted.
    #[error("the scope exceeds what was granted")]
    ScopeExceeded,
    /// Not a token of this server and this tenant.
    #[error("the token is not valid")]
    ForeignToken,
    /// A genuine token whose session is gone.
    #[error("the token is not valid")]
    UnknownToken,
    /// Issued to another client.
    #[error("the token is not valid")]
    WrongClient,
    /// Used before.
    #[error("the token is not valid")]
    Replayed,
    /// Its session has ended.
    #[error("the token is not valid")]
    Revoked,
    /// Too old.
    #[error("the token is not valid")]
    Expired,
    /// Newer than its session: the database went back.
    #[error("the token is not valid")]
    Future,
    /// Made under a demoted key.
    #[error("the token is not valid")]
    DemotedKey,
    /// The user is disabled.
    #[error("the token is not valid")]
    UserDisabled,
    /// Another `redirect_uri` than that of the authorization request.
    #[error("the redirect_uri does not match the authorization request")]
    RedirectUriMismatch,
    /// The `code_verifier` does not answer the challenge.
    #[error("the code_verifier does not match the code_challenge")]
    VerifierMismatch,
    /// The user is unknown or disabled, or the password is wrong: one answer for all.
    #[error("the proof does not sign this user in")]
    WrongProof,
    /// Too many wrong proofs for this account; in so many seconds again.
    #[error("too many attempts, try again later")]
    TooManyAttempts {
        /// How long to wait.
        retry_after_seconds: u32,
    },
    /// More requests than a limit lets through; in so many seconds again.
    #[error("too many requests, try again later")]
    RateLimited {
        /// How long to wait.
        retry_after_seconds: u32,
    },
    /// No client has that id, or not one that is served.
    #[error("client_id is not that of a client")]
    UnknownClient,
    /// The client did not register that redirect URI.
    #[error("redirect_uri is not registered for the client")]
    RedirectUriNotRegistered,
    /// Nothing may be shown, and no answer can be given now.
    #[error("the server cannot answer now")]
    NotNow,
    /// A request on its way through our own pages that is not as we sent it, or too old.
    #[error("the request cannot be read or is too old")]
    RequestUnreadable,
    /// The person does not let the client have what it asks for.
    #[error("the person did not allow it")]
    AccessDenied,
    /// Nothing of what is asked for is the person's to do with the admin APIs.
    #[error("the person may not administer so")]
    NotAdministrator,
    /// Only `code` is answered.
    #[error("response_type must be code")]
    UnsupportedResponseType,
    /// A `resource` that the client may not have a token for.
    #[error("the resource is not one that the client may have a token for")]
    InvalidTarget,
    /// `prompt=none`, and nobody is signed in as the request wants it.
    #[error("the person must sign in")]
    LoginRequired,
    /// `prompt=none`, and the person has not allowed it yet.
    #[error("the person must consent")]
    ConsentRequired,
    /// A request as a JWT.
    #[error("request is not supported")]
    RequestNotSupported,
    /// A request by reference.
    #[error("request_uri is not supported")]
    RequestUriNotSupported,
    /// A registration in a request.
    #[error("registration is not supported")]
    RegistrationNotSupported,
}

impl Denial {
    /// The error code that the client sees.
    #[must_use]
    pub const fn oauth_error(self) -> OauthError {
        match self {
            Self::InvalidRequest(_)
            | Self::UnknownClient
            | Self::RedirectUriNotRegistered
            | Self::RequestUnreadable => OauthError::InvalidRequest,
            Self::ClientAuthenticationFailed | Self::ClientDisabled | Self::TenantSuspended => {
                OauthError::InvalidClient
            }
            Self::GrantNotAllowed | Self::NotFirstParty => OauthError::UnauthorizedClient,
            Self::UnsupportedGrantType => OauthError::UnsupportedGrantType,
            Self::InvalidScope | Self::ScopeExceeded => OauthError::InvalidScope,
            Self::TooManyAttempts { .. } | Self::RateLimited { .. } | Self::NotNow => {
                OauthError::TemporarilyUnavailable
            }
            Self::AccessDenied | Self::NotAdministrator => OauthError::AccessDenied,
            Self::UnsupportedResponseType => OauthError::UnsupportedResponseType,
            Self::InvalidTarget => OauthError::InvalidTarget,
            Self::LoginRequired => OauthError::LoginRequired,
            Self::ConsentRequired => OauthError::ConsentRequired,
            Self::RequestNotSupported => OauthError::RequestNotSupported,
            Self::RequestUriNotSupported => OauthError::RequestUriNotSupported,
            Self::RegistrationNotSupported => OauthError::RegistrationNotSupported,
            Self::ForeignToken
            | Self::UnknownToken
            | Self::WrongClient
            | Self::Replayed
            | Self::Revoked
            | Self::Expired
            | Self::Future
            | Self::DemotedKey
            | Self::UserDisabled
            | Self::RedirectUriMismatch
            | Self::VerifierMismatch
            | Self::WrongProof => OauthError::InvalidGrant,
        }
    }

    /// The metric label and the audit reason.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::ClientAuthenticationFailed => "client_authentication_failed",
            Self::ClientDisabled => "client_disabled",
            Self::TenantSuspended => "tenant_suspended",
            Self::GrantNotAllowed => "grant_not_allowed",
            Self::NotFirstParty => "not_first_party",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::ScopeExceeded => "scope_exceeded",
            Self::ForeignToken => "foreign_token",
            Self::UnknownToken => "unknown_token",
            Self::WrongClient => "wrong_client",
            Self::Replayed => "replayed",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Future => "future",
            Self::DemotedKey => "demoted_key",
            Self::UserDisabled => "user_disabled",
            Self::RedirectUriMismatch => "redirect_uri_mismatch",
            Self::VerifierMismatch => "verifier_mismatch",
            Self::WrongProof => "wrong_proof",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::RateLimited { .. } => "rate_limited",
            Self::UnknownClient => "unknown_client",
            Self::RedirectUriNotRegistered => "redirect_uri_not_registered",
            Self::NotNow => "not_now",
            Self::RequestUnreadable => "request_unreadable",
            Self::AccessDenied => "access_denied",
            Self::NotAdministrator => "not_administrator",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidTarget => "invalid_target",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
        }
    }

    /// One of each, for the tables that must hold all of them.
    pub const ALL: [Self; 36] = [
        Self::InvalidRequest("…"),
        Self::ClientAuthenticationFailed,
        Self::ClientDisabled,
        Self::TenantSuspended,
        Self::GrantNotAllowed,
        Self::NotFirstParty,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::ScopeExceeded,
        Self::ForeignToken,
        Self::UnknownToken,
        Self::WrongClient,
        Self::Replayed,
        Self::Revoked,
        Self::Expired,
        Self::Future,
        Self::DemotedKey,
        Self::UserDisabled,
        Self::RedirectUriMismatch,
        Self::VerifierMismatch,
        Self::WrongProof,
        Self::TooManyAttempts { retry_after_seconds: 1 },
        Self::RateLimited { retry_after_seconds: 1 },
        Self::UnknownClient,
        Self::RedirectUriNotRegistered,
        Self::NotNow,
        Self::RequestUnreadable,
        Self::AccessDenied,
        Self::NotAdministrator,
        Self::UnsupportedResponseType,
        Self::InvalidTarget,
        Self::LoginRequired,
        Self::ConsentRequired,
        Self::RequestNotSupported,
        Self::RequestUriNotSupported,
        Self::RegistrationNotSupported,
    ];
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn every_denial_is_listed() {
        let mut table = String::new();
        for denial in Denial::ALL {
            let _ = writeln!(
                table,
                "{:29} {:24} {denial}",
                denial.reason(),
                denial.oauth_error().as_str()
            );
        }
        insta::assert_snapshot!(table);
    }
}
