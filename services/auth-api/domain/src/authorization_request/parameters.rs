//! The parameters of an authorization request as they came, from the query, the body or both.
//!
//! Owns what is known of a request before it is trusted: who claims to ask, where the answer would go, and how. A known
//! parameter that comes twice is refused, wherever it stands; unknown ones are ignored, and one without a value is absent
//! (RFC 6749 section 3.1).

use crate::{Denial, response_mode::ResponseMode};

/// Longest `state`, in bytes: a longer one is refused, none is ever cut.
pub const MAX_STATE_BYTES: usize = 4_096;
/// Longest `nonce`, in bytes.
pub const MAX_NONCE_BYTES: usize = 512;
/// Longest value of the parameters that are hints, in bytes: a longer one is no hint.
const MAX_HINT_BYTES: usize = 512;
/// Longest ID token that is looked at, in bytes.
const MAX_ID_TOKEN_BYTES: usize = 8 * 1_024;

/// What is known; `resource` has rules of its own.
const KNOWN: [&str; 21] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "display",
    "ui_locales",
    "claims_locales",
    "acr_values",
    "claims",
    "request",
    "request_uri",
    "registration",
];

/// Names and values, percent-decoded; no value where the bytes are no UTF-8.
#[derive(Clone, Debug, Default)]
pub struct RequestParameters(Vec<(String, Option<String>)>);

impl RequestParameters {
    /// Every parameter of the query and of the body.
    #[must_use]
    pub fn new(pairs: Vec<(String, Option<String>)>) -> Self {
        Self(pairs)
    }

    /// Who claims to ask.
    ///
    /// # Errors
    /// If that is not said exactly once: nobody can be answered.
    pub fn unverified_client_id(&self) -> Result<&str, Denial> {
        self.find("client_id")?.ok_or(Denial::UnknownClient)
    }

    /// Where the answer would go.
    ///
    /// # Errors
    /// If that is not said exactly once: nobody can be answered.
    pub fn unverified_redirect_uri(&self) -> Result<&str, Denial> {
        self.find("redirect_uri")?.ok_or(Denial::RedirectUriNotRegistered)
    }

    /// What an answer echoes; nothing if the request has none that can be echoed.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        let state = self.find("state").ok().flatten()?;
        (state.len() <= MAX_STATE_BYTES).then_some(state)
    }

    /// How an answer travels, an error too; by a redirect if the request does not say it in a way that we know.
    #[must_use]
    pub fn response_mode(&self) -> ResponseMode {
        let mode = self.find("response_mode").ok().flatten();
        mode.and_then(ResponseMode::find).unwrap_or_default()
    }

    /// An ID token of whoever the client thinks is there, unverified.
    #[must_use]
    pub fn unverified_id_token_hint(&self) -> Option<&str> {
        let hint = self.find("id_token_hint").ok().flatten()?;
        (hint.len() <= MAX_ID_TOKEN_BYTES).then_some(hint)
    }

    /// A parameter that has a value.
    pub(super) fn find(&self, name: &str) -> Result<Option<&str>, Denial> {
        let value = self.find_raw(name)?;
        if value.is_some_and(|value| value.chars().any(char::is_control)) {
            return Err(Denial::InvalidRequest("a parameter holds a control character"));
        }
        Ok(value)
    }

    /// A parameter that has a value, which may hold control characters.
    pub(super) fn find_raw(&self, name: &str) -> Result<Option<&str>, Denial> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => {
                let value = value.ok_or(Denial::InvalidRequest("a parameter is not UTF-8"))?;
                Ok(Some(value).filter(|value| !value.is_empty()))
            }
            (Some(_), Some(_)) => Err(Denial::InvalidRequest("a parameter is repeated")),
        }
    }

    /// A parameter that never makes an error: one that cannot be used is none.
    pub(super) fn hint(&self, name: &str) -> Option<String> {
        let hint = self.find(name).ok().flatten()?;
        (hint.len() <= MAX_HINT_BYTES).then(|| hint.to_owned())
    }

    /// Every value of a parameter that may come more than once.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = Option<&str>> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_deref())
    }

    /// Refuses known parameters that came twice.
    pub(super) fn refuse_repeated(&self) -> Result<(), Denial> {
        if KNOWN.into_iter().any(|name| self.all(name).count() > 1) {
            return Err(Denial::InvalidRequest("a parameter is repeated"));
        }
        Ok(())
    }
}
