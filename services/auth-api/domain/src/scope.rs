//! Scopes (RFC 6749 section 3.3): a set of tokens, compared exactly, kept in a canonical order.
//!
//! Refuses characters outside the grammar, repeated tokens are one. Scopes that begin with `credo.` are Credo's own:
//! all but `credo.sessions` open the admin APIs, and never travel with others in one token.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest scope string that is read, in bytes.
const MAX_BYTES: usize = 1_024;
/// Most tokens in one scope string.
const MAX_TOKENS: usize = 64;

/// The scope that lets a token of a third-party client see and end its user's sessions.
pub const SESSIONS: &str = "credo.sessions";
/// What [`Scope::is_admin`] looks for.
const OWN_PREFIX: &str = "credo.";

/// A set of scope tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(BTreeSet<String>);

/// A text that is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a scope")]
pub struct InvalidScope;

impl Scope {
    /// Whether every token of `self` is also in `other`.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The tokens that both hold.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// The tokens that either holds.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// The tokens that `other` does not hold.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    /// The tokens that `keep` says yes to.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|token| keep(token)).cloned().collect())
    }

    /// Whether it holds `token`.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens, in canonical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether any token opens an admin API.
    #[must_use]
    pub fn opens_admin(&self) -> bool {
        self.iter().any(is_admin)
    }

    /// Whether all tokens open admin APIs, and there is one.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        !self.is_empty() && self.iter().all(is_admin)
    }
}

/// Whether a scope token opens an admin API.
fn is_admin(token: &str) -> bool {
    token.starts_with(OWN_PREFIX) && token != SESSIONS
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        if text.len() > MAX_BYTES {
            return Err(InvalidScope);
        }
        text.split(' ')
            .filter(|token| !token.is_empty())
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
            .try_into()
    }
}

impl TryFrom<Vec<String>> for Scope {
    type Error = InvalidScope;

    fn try_from(tokens: Vec<String>) -> Result<Self, InvalidScope> {
        // scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
        let valid = |token: &String| {
            !token.is_empty()
                && token
                    .bytes()
                    .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
        };
        let bytes: usize = tokens.iter().map(|token| token.len() + 1).sum();
        if tokens.len() > MAX_TOKENS || bytes > MAX_BYTES + 1 || !tokens.iter().all(valid) {
            return Err(InvalidScope);
        }
        Ok(Self(tokens.into_iter().collect()))
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

/// Tokens that are known to be of the grammar: those that this code names itself.
impl FromIterator<&'static str> for Scope {
    fn from_iter<I: IntoIterator<Item = &'static str>>(tokens: I) -> Self {
        Self(tokens.into_iter().map(ToOwned::to_owned).collect())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, token) in self.iter().enumerate() {
            if position > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(token)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn scope_is_a_set_in_canonical_order() {
        let scope: Scope = "profile openid  profile".parse().unwrap();
        assert_eq!(scope.to_string(), "openid profile");
        assert!("openid".parse::<Scope>().unwrap().is_within(&scope));
        assert!(!"email".parse::<Scope>().unwrap().is_within(&scope));
    }

    #[test]
    fn scope_is_case_sensitive_and_bounded() {
        assert!(!"OpenID".parse::<Scope>().unwrap().contains("openid"));
        for bad in ["a\"b", "a\\b", "a\nb", "ü", "a\u{0}"] {
            assert_eq!(bad.parse::<Scope>(), Err(InvalidScope), "{bad:?}");
        }
        assert_eq!("x".repeat(2_000).parse::<Scope>(), Err(InvalidScope));
    }

    #[test]
    fn admin_scopes_are_told_from_the_session_scope() {
        assert!("credo.tenant.write".parse::<Scope>().unwrap().is_admin());
        assert!(!"credo.sessions".parse::<Scope>().unwrap().opens_admin());
        let mixed: Scope = "credo.tenant.read openid".parse().unwrap();
        assert!(mixed.opens_admin() && !mixed.is_admin());
    }
}
