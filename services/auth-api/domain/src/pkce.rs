//! Proof Key for Code Exchange (RFC 7636), method S256 alone.
//!
//! Refuses `plain` and a missing method, which means `plain`.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// `code_challenge`: SHA-256 of the verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge([u8; 32]);

/// `code_verifier`, which nobody but the client knows before the exchange.
pub struct CodeVerifier(String);

/// A parameter that breaks RFC 7636.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPkce {
    /// Only S256 is supported.
    #[error("code_challenge_method must be S256")]
    Method,
    /// Not the base64url form of 32 bytes.
    #[error("code_challenge must be the unpadded base64url form of a SHA-256 hash")]
    Challenge,
    /// Not 43 to 128 unreserved characters.
    #[error("code_verifier must be 43 to 128 unreserved characters")]
    Verifier,
}

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method`.
    ///
    /// # Errors
    /// If the method is not S256 or the challenge is not 43 base64url characters.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, InvalidPkce> {
        if method != Some("S256") {
            return Err(InvalidPkce::Method);
        }
        let bytes = URL_SAFE_NO_PAD.decode(challenge).map_err(|_| InvalidPkce::Challenge)?;
        bytes.try_into().map(Self).map_err(|_| InvalidPkce::Challenge)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = InvalidPkce;

    fn try_from(challenge: String) -> Result<Self, InvalidPkce> {
        Self::parse(&challenge, Some("S256"))
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        URL_SAFE_NO_PAD.encode(challenge.0)
    }
}

impl CodeVerifier {
    /// Reads `code_verifier`.
    ///
    /// # Errors
    /// If it is not 43 to 128 characters of `[A-Za-z0-9-._~]`.
    pub fn parse(verifier: &str) -> Result<Self, InvalidPkce> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved) {
            Ok(Self(verifier.to_owned()))
        } else {
            Err(InvalidPkce::Verifier)
        }
    }

    /// The challenge that it answers.
    #[must_use]
    pub fn challenge(&self) -> CodeChallenge {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, self.0.as_bytes()).as_ref());
        CodeChallenge(bytes)
    }
}

impl std::fmt::Debug for CodeVerifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CodeVerifier(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn verifier_of_the_rfc_answers_its_challenge() {
        let challenge = CodeChallenge::parse(CHALLENGE, Some("S256")).unwrap();
        assert_eq!(CodeVerifier::parse(VERIFIER).unwrap().challenge(), challenge);
    }

    #[test]
    fn pk_02_only_s256_is_accepted() {
        for method in [None, Some("plain"), Some("s256"), Some("")] {
            assert_eq!(CodeChallenge::parse(CHALLENGE, method), Err(InvalidPkce::Method));
        }
    }

    #[test]
    fn pk_03_malformed_challenges_are_refused() {
        let padded = format!("{CHALLENGE}=");
        for challenge in [
            "",
            "abc",
            &CHALLENGE[1..],
            &padded,
            &CHALLENGE.replace('-', "+"),
            &"a".repeat(129),
        ] {
            assert_eq!(
                CodeChallenge::parse(challenge, Some("S256")),
                Err(InvalidPkce::Challenge),
                "{challenge}"
            );
        }
    }

    #[test]
    fn pk_07_verifier_is_43_to_128_unreserved_characters() {
        for length in [43, 128] {
            assert!(CodeVerifier::parse(&"~".repeat(length)).is_ok());
        }
        for verifier in [
            "a".repeat(42),
            "a".repeat(129),
            format!("{}+", "a".repeat(42)),
            "ü".repeat(43),
        ] {
            assert!(CodeVerifier::parse(&verifier).is_err(), "{verifier}");
        }
    }
}
