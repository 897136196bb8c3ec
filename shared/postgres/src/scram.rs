//! The SCRAM-SHA-256 verifier of a password, as Postgres stores it (RFC 5802, RFC 7677).
//!
//! Made here and not by the server, so that the password itself never stands in a statement, which servers log.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

/// What Postgres itself uses.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).unwrap();
const SALT_BYTES: usize = 16;

/// Why a password cannot be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusablePassword {
    /// `SASLprep`, which other characters need, is not implemented.
    #[error("must be of printable ASCII characters")]
    NotAscii,
    /// Postgres takes an empty password for none.
    #[error("is empty")]
    Empty,
    /// The system gave no random bytes.
    #[error("could not be hashed: no random bytes")]
    NoRandomness,
}

/// The verifier of `password` under a fresh salt.
pub(crate) fn verifier(password: &SecretString) -> Result<String, UnusablePassword> {
    let mut salt = [0; SALT_BYTES];
    rand::fill(&mut salt).map_err(|_| UnusablePassword::NoRandomness)?;
    verifier_with(password.expose_secret(), &salt)
}

fn verifier_with(password: &str, salt: &[u8]) -> Result<String, UnusablePassword> {
    if password.is_empty() {
        return Err(UnusablePassword::Empty);
    }
    if !password
        .chars()
        .all(|letter| letter.is_ascii_graphic() || letter == ' ')
    {
        return Err(UnusablePassword::NotAscii);
    }
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        ITERATIONS,
        salt,
        password.as_bytes(),
        &mut salted,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let stored_key = digest::digest(&digest::SHA256, hmac::sign(&key, b"Client Key").as_ref());
    let server_key = hmac::sign(&key, b"Server Key");
    Ok(format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_scram_would_prepare_are_refused() {
        assert_eq!(verifier_with("", b"salt"), Err(UnusablePassword::Empty));
        assert_eq!(verifier_with("pässword", b"salt"), Err(UnusablePassword::NotAscii));
        assert_eq!(verifier_with("pass\nword", b"salt"), Err(UnusablePassword::NotAscii));
    }

    #[test]
    fn verifier_is_that_of_the_rfc() {
        // RFC 7677 section 3: user "pencil"'s exchange; the keys were derived from it.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap_or_default();
        let expected = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
        assert_eq!(verifier_with("pencil", &salt).as_deref(), Ok(expected));
    }
}
