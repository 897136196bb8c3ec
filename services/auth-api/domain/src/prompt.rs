//! `prompt` (OpenID Connect Core section 3.1.2.1): what the person must be shown, however much is known already.
//!
//! Refuses values that it does not know, and `none` together with any other.

use serde::{Deserialize, Serialize};

use crate::Denial;

/// The values of one request.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the parameter is a set of these four words, not a state"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Nothing may be shown: the answer is a code or an error, at once.
    pub none: bool,
    /// The person signs in again.
    pub login: bool,
    /// The person is asked for consent again.
    pub consent: bool,
    /// The person says again who they are.
    pub select_account: bool,
}

impl Prompt {
    /// Reads the parameter, a list of words with spaces between them.
    ///
    /// # Errors
    /// If a word is unknown, or `none` is not alone.
    pub fn parse(text: &str) -> Result<Self, Denial> {
        let mut prompt = Self::default();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match word {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                _ => return Err(Denial::InvalidRequest("prompt has a value that is not supported")),
            }
        }
        if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
            return Err(Denial::InvalidRequest("prompt=none cannot go with another value"));
        }
        Ok(prompt)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn az_18_words_are_known_and_none_is_alone() {
        let both = Prompt::parse(" login  consent ").unwrap();
        assert!(both.login && both.consent && !both.none && !both.select_account);
        assert!(Prompt::parse("none none").unwrap().none);
        assert_eq!(Prompt::parse(" ").unwrap(), Prompt::default());
        for bad in [
            "none login",
            "consent none",
            "create",
            "Login",
            "login,consent",
            "login\tnone",
        ] {
            assert!(Prompt::parse(bad).is_err(), "{bad:?}");
        }
    }
}
