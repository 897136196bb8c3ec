//! What redeeming an authorization code can come to (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
//!
//! The same list, in the same order, is the CASE of `authorization_code_redeem.sql`, which decides over locked rows.

use crate::Denial;

/// The outcome of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// Issued to another client: refused, and still good for its owner.
    WrongClient,
    /// The tenant is suspended.
    TenantSuspended,
    /// The client is disabled.
    ClientDisabled,
    /// The client changed since it was read: nothing is decided.
    Stale,
    /// The user is disabled.
    UserDisabled,
    /// A code that was genuinely issued, but not by this row: the database went back.
    Unknown,
    /// The session has ended.
    Revoked,
    /// This very attempt had succeeded.
    Retried,
    /// Used before, by its client: everything issued from it is revoked.
    Replayed,
    /// Used before, by somebody who did not prove to be its client.
    ReplayedUnproven,
    /// Too old.
    Expired,
    /// Not the `redirect_uri` of the authorization request.
    RedirectUriMismatch,
    /// Not the verifier of the challenge, or one of the two is missing.
    VerifierMismatch,
    /// Redeemed.
    Redeemed,
}

impl Redemption {
    /// Every outcome that the statement can name, in its order.
    pub const ALL: [(&'static str, Self); 14] = [
        ("WrongClient", Self::WrongClient),
        ("TenantSuspended", Self::TenantSuspended),
        ("ClientDisabled", Self::ClientDisabled),
        ("Stale", Self::Stale),
        ("UserDisabled", Self::UserDisabled),
        ("Unknown", Self::Unknown),
        ("Revoked", Self::Revoked),
        ("Retried", Self::Retried),
        ("Replayed", Self::Replayed),
        ("ReplayedUnproven", Self::ReplayedUnproven),
        ("Expired", Self::Expired),
        ("RedirectUriMismatch", Self::RedirectUriMismatch),
        ("VerifierMismatch", Self::VerifierMismatch),
        ("Redeemed", Self::Redeemed),
    ];

    /// The outcome of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find_map(|(known, outcome)| (known == name).then_some(outcome))
    }

    /// Why the client gets no tokens; nothing if it does. `Stale` has no denial: it is decided again.
    #[must_use]
    pub const fn denial(self) -> Option<Denial> {
        match self {
            Self::WrongClient => Some(Denial::WrongClient),
            Self::TenantSuspended => Some(Denial::TenantSuspended),
            Self::ClientDisabled => Some(Denial::ClientDisabled),
            Self::UserDisabled => Some(Denial::UserDisabled),
            Self::Unknown => Some(Denial::UnknownToken),
            Self::Revoked => Some(Denial::Revoked),
            Self::Replayed | Self::ReplayedUnproven => Some(Denial::Replayed),
            Self::Expired => Some(Denial::Expired),
            Self::RedirectUriMismatch => Some(Denial::RedirectUriMismatch),
            Self::VerifierMismatch => Some(Denial::VerifierMismatch),
            Self::Stale | Self::Retried | Self::Redeemed => None,
        }
    }
}
