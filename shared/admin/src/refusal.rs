//! Why a call is refused: the reason for our log, and the little that the caller is told.

use tonic::Status;

use crate::{ErrorReason, KeysUnavailable, Problem};

/// Why a call is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("no authorization metadata, or more than one")]
    NoToken,
    #[error("another authorization scheme than Bearer")]
    WrongScheme,
    #[error("the token is too long")]
    TooLong,
    #[error("the token is no JWS with the header and claims of an access token")]
    Malformed,
    #[error("typ is not at+jwt")]
    WrongType,
    #[error("alg is not ES256")]
    WrongAlgorithm,
    #[error("crit names an extension, and none is known")]
    CriticalExtension,
    #[error("the issuer has no key of this kid")]
    UnknownKey,
    #[error("the signature is not the key's")]
    WrongSignature,
    #[error("the audience is not credo-admin")]
    WrongAudience,
    #[error("expired")]
    Expired,
    #[error("it lives longer than an admin token")]
    TooLongLived,
    #[error("not valid yet")]
    NotYetValid,
    #[error(transparent)]
    KeysUnavailable(#[from] KeysUnavailable),
    #[error("the method has no permission")]
    NoPermission,
    #[error("the scope {0} is missing")]
    MissingScope(String),
}

impl Refusal {
    /// What the caller is told.
    pub(crate) fn to_status(&self) -> Status {
        let problem = match self {
            Self::NoToken | Self::WrongScheme => {
                Problem::unauthenticated("the call needs an access token: authorization: Bearer …")
            }
            Self::Expired => Problem::unauthenticated("the access token has expired"),
            Self::KeysUnavailable(_) => Problem::unavailable("the access token cannot be checked now"),
            Self::NoPermission => Problem::new(ErrorReason::MethodClosed, "nobody may call this method"),
            Self::MissingScope(scope) => {
                Problem::new(ErrorReason::ScopeMissing, format!("the call needs the scope {scope}"))
                    .with("scope", scope)
            }
            _ => Problem::unauthenticated("the access token is not valid"),
        };
        problem.into_status()
    }
}
