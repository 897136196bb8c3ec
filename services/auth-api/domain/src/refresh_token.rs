//! What using a refresh token can come to (RFC 6749 section 6, RFC 9700 section 4.14.2).
//!
//! The same list, in the same order, is the CASE of `refresh_token_rotate.sql`, which decides over locked rows.

use crate::{Denial, rate_limit::WINDOW_SECONDS};

/// The outcome of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Issued to another client: refused, and still good for its owner.
    WrongClient,
    /// The tenant is suspended.
    TenantSuspended,
    /// The client is disabled.
    ClientDisabled,
    /// The client changed since it was read, or the statement began before the row's last change: nothing is decided.
    Stale,
    /// The user is disabled.
    UserDisabled,
    /// The session has ended.
    Revoked,
    /// A generation that the row has not reached: the database went back.
    Future,
    /// This very attempt had succeeded.
    Retried,
    /// Too old, or idle for too long.
    Expired,
    /// The current token, but more scope than was granted: refused, and the token stays good.
    ScopeExceeded,
    /// Good, but one too many for the session's window: refused, and as good as before.
    RateLimited,
    /// Rotated.
    Rotated,
    /// The token before the current one, within the client's grace: the same successor again.
    RetriedInGrace,
    /// Made under a demoted key and not the current token: refused, nothing is revoked.
    Demoted,
    /// An older token of the family: the family is revoked.
    Replayed,
}

impl Rotation {
    /// Every outcome that the statement can name, in its order.
    pub const ALL: [(&'static str, Self); 15] = [
        ("WrongClient", Self::WrongClient),
        ("TenantSuspended", Self::TenantSuspended),
        ("ClientDisabled", Self::ClientDisabled),
        ("Stale", Self::Stale),
        ("UserDisabled", Self::UserDisabled),
        ("Revoked", Self::Revoked),
        ("Future", Self::Future),
        ("Retried", Self::Retried),
        ("Expired", Self::Expired),
        ("ScopeExceeded", Self::ScopeExceeded),
        ("RateLimited", Self::RateLimited),
        ("Rotated", Self::Rotated),
        ("RetriedInGrace", Self::RetriedInGrace),
        ("Demoted", Self::Demoted),
        ("Replayed", Self::Replayed),
    ];

    /// The outcome of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find_map(|(known, outcome)| (known == name).then_some(outcome))
    }

    /// Why the client gets no tokens; nothing if it does. `Stale` has no denial: it is decided again. A denial for too many is
    /// the longest: who knows the window knows better.
    #[must_use]
    pub const fn denial(self) -> Option<Denial> {
        match self {
            Self::WrongClient => Some(Denial::WrongClient),
            Self::TenantSuspended => Some(Denial::TenantSuspended),
            Self::ClientDisabled => Some(Denial::ClientDisabled),
            Self::UserDisabled => Some(Denial::UserDisabled),
            Self::Revoked => Some(Denial::Revoked),
            Self::Future => Some(Denial::Future),
            Self::Expired => Some(Denial::Expired),
            Self::ScopeExceeded => Some(Denial::ScopeExceeded),
            Self::RateLimited => Some(Denial::RateLimited {
                retry_after_seconds: WINDOW_SECONDS,
            }),
            Self::Demoted => Some(Denial::DemotedKey),
            Self::Replayed => Some(Denial::Replayed),
            Self::Stale | Self::Retried | Self::Rotated | Self::RetriedInGrace => None,
        }
    }
}
