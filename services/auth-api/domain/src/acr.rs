//! `acr`: how strongly a person proved who they are (OpenID Connect Core section 2), derived from `amr` (RFC 8176).

use std::fmt;

/// An authentication context class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acr {
    /// Nothing was proved: not to be relied on (OpenID Connect Core section 2 calls it level 0).
    Nothing,
    /// A password.
    Password,
}

impl Acr {
    /// Every class that a sign-in can have.
    pub const ALL: [Self; 2] = [Self::Nothing, Self::Password];

    /// The class of a sign-in by these methods, space-delimited.
    #[must_use]
    pub fn of(amr: &str) -> Self {
        if amr.split(' ').any(|method| method == "pwd") {
            Self::Password
        } else {
            Self::Nothing
        }
    }

    /// As it stands in an ID token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "0",
            Self::Password => "urn:credo:acr:password",
        }
    }
}

impl fmt::Display for Acr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_follows_the_methods() {
        assert_eq!(Acr::of("pwd"), Acr::Password);
        assert_eq!(Acr::of("pwd otp"), Acr::Password);
        assert_eq!(Acr::of(""), Acr::Nothing);
        assert_eq!(Acr::of("pwdx"), Acr::Nothing);
    }
}
