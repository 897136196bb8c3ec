//! What is measured over HTTP.

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Refresh,
    /// JSON, with a trusted e-mail address.
    Authorize,
    /// Takes the codes that the authorizations before it left.
    CodeExchange,
    /// Takes the refresh tokens that the exchanges before it left.
    Revoke,
    ClientCredentials,
    Introspect,
    Userinfo,
    Jwks,
    /// Authorize, exchange, userinfo, refresh, revoke.
    WholeFlow,
    /// JSON, with a password: Argon2 above all.
    AuthorizePassword,
}

impl Endpoint {
    /// In the order in which one leaves what another takes.
    pub const ALL: [Self; 10] = [
        Self::Refresh,
        Self::Authorize,
        Self::CodeExchange,
        Self::Revoke,
        Self::ClientCredentials,
        Self::Introspect,
        Self::Userinfo,
        Self::Jwks,
        Self::WholeFlow,
        Self::AuthorizePassword,
    ];

    /// As the table calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Authorize => "authorize",
            Self::CodeExchange => "code_exchange",
            Self::Revoke => "revoke",
            Self::ClientCredentials => "client_credentials",
            Self::Introspect => "introspect",
            Self::Userinfo => "userinfo",
            Self::Jwks => "jwks",
            Self::WholeFlow => "whole_flow",
            Self::AuthorizePassword => "authorize_password",
        }
    }

    /// Whether so many at once are served: passwords are hashed two at a time, and those that would wait longer than a
    /// person does are refused early.
    pub const fn takes(self, connections: usize) -> bool {
        !matches!(self, Self::AuthorizePassword) || connections <= 16
    }
}
