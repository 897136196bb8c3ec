//! Client secrets: made by the server, 32 random bytes behind `crs_`, stored as SHA-256, compared in constant time.
//!
//! A machine-made secret needs no stretching: there is nothing to guess.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    error::Unspecified,
    rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};

/// Stands in front, for those who scan for leaked secrets.
const PREFIX: &str = "crs_";

/// A fresh client secret.
///
/// # Errors
/// If the system has no randomness.
pub fn generate_client_secret() -> Result<SecretString, Unspecified> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes)?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)).into())
}

/// What is stored of a client secret: SHA-256 of its whole text.
#[must_use]
pub fn hash_client_secret(secret: &SecretString) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, secret.expose_secret().as_bytes()).as_ref());
    hash
}

/// Whether `presented` is the secret behind one of `hashes`. Always compares at least once, and with all of them.
#[must_use]
pub fn verify_client_secret(presented: &SecretString, hashes: &[[u8; 32]]) -> bool {
    let presented = hash_client_secret(presented);
    let impossible = [[0; 32]];
    let compared = if hashes.is_empty() { &impossible[..] } else { hashes };
    let matches = compared
        .iter()
        .filter(|hash| verify_slices_are_equal(&presented, &hash[..]).is_ok())
        .count();
    matches > 0 && !hashes.is_empty()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn only_the_secret_itself_verifies() {
        let secret = generate_client_secret().unwrap();
        let hash = hash_client_secret(&secret);
        assert!(verify_client_secret(&secret, &[[1; 32], hash]));
        assert!(!verify_client_secret(&secret, &[]));
        assert!(!verify_client_secret(&String::new().into(), &[hash]));
        assert!(secret.expose_secret().starts_with(PREFIX));
    }
}
