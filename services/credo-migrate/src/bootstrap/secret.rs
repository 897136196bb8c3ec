//! A client secret: made here, shown once, stored as its hash. The prefix lets secret scanners find it.

use aws_lc_rs::{
    digest::{SHA256, SHA256_OUTPUT_LEN, digest},
    error::Unspecified,
    rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};

const PREFIX: &str = "crs_";
const SECRET_BYTES: usize = 32;

/// A fresh client secret.
#[derive(Debug)]
pub struct NewSecret(SecretString);

impl NewSecret {
    /// `crs_` and 32 random bytes in base64url.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate() -> Result<Self, Unspecified> {
        let mut bytes = [0; SECRET_BYTES];
        rand::fill(&mut bytes)?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)).into()))
    }

    /// What the client presents.
    pub fn text(&self) -> &SecretString {
        &self.0
    }

    /// What is stored: SHA-256 of the whole text. 256 random bits need no stretching.
    pub fn hash(&self) -> [u8; SHA256_OUTPUT_LEN] {
        let mut hash = [0; SHA256_OUTPUT_LEN];
        hash.copy_from_slice(digest(&SHA256, self.0.expose_secret().as_bytes()).as_ref());
        hash
    }
}
