//! The public half of a signing key: what verifies, and what is published (RFC 7517, RFC 7518 section 6).
//!
//! A key verifies by the one algorithm that it was made for: nothing in a token chooses another.

use aws_lc_rs::{
    rsa,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_admin::VerificationKey;
use credo_auth_domain::signing_algorithm::SigningAlgorithm;
use serde::Serialize;

use super::KeyFault;

/// A key that verifies.
#[derive(Debug, Clone)]
pub enum PublicKey {
    /// On P-256.
    Es256(VerificationKey),
    /// RSA of at least 2048 bits.
    Rs256(ParsedPublicKey),
}

/// A public key as JWKS shows it.
#[derive(Debug, Serialize)]
pub struct PublicJwk {
    r#use: &'static str,
    alg: &'static str,
    kid: String,
    #[serde(flatten)]
    parameters: Parameters,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kty")]
enum Parameters {
    #[serde(rename = "EC")]
    EllipticCurve { crv: &'static str, x: String, y: String },
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
}

impl PublicKey {
    /// A stored key, and what is published of it. `bytes` are the uncompressed SEC 1 point, or the `RSAPublicKey` of RFC 8017.
    ///
    /// # Errors
    /// If the stored bytes are no public key of the stored algorithm.
    pub fn parse(kid: &str, algorithm: &str, bytes: &[u8]) -> Result<(Self, PublicJwk), KeyFault> {
        let fault = |error: &dyn std::fmt::Display| KeyFault(format!("signing key {kid}: {error}"));
        let algorithm = SigningAlgorithm::find(algorithm).ok_or_else(|| fault(&"unknown algorithm"))?;
        let (key, parameters) = match algorithm {
            SigningAlgorithm::Es256 => {
                let key = VerificationKey::es256(bytes).map_err(|error| fault(&error))?;
                let (x, y) = bytes[1..].split_at(32);
                let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate));
                (Self::Es256(key), Parameters::EllipticCurve { crv: "P-256", x, y })
            }
            SigningAlgorithm::Rs256 => {
                let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, bytes).map_err(|error| fault(&error))?;
                let numbers = rsa::PublicKey::from_der(bytes).map_err(|error| fault(&error))?;
                let [n, e] = [numbers.modulus(), numbers.exponent()]
                    .map(|number| URL_SAFE_NO_PAD.encode(number.big_endian_without_leading_zero()));
                (Self::Rs256(key), Parameters::Rsa { n, e })
            }
        };
        let jwk = PublicJwk {
            r#use: "sig",
            alg: algorithm.as_str(),
            kid: kid.to_owned(),
            parameters,
        };
        Ok((key, jwk))
    }

    /// The one algorithm that it is for.
    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        match self {
            Self::Es256(_) => SigningAlgorithm::Es256,
            Self::Rs256(_) => SigningAlgorithm::Rs256,
        }
    }

    /// The key as the admin APIs verify with it: they take ES256 alone.
    #[must_use]
    pub const fn for_admin_tokens(&self) -> Option<&VerificationKey> {
        match self {
            Self::Es256(key) => Some(key),
            Self::Rs256(_) => None,
        }
    }

    /// Whether `signature` (base64url) over `message` is this key's.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        match self {
            Self::Es256(key) => key.verifies(message, signature),
            Self::Rs256(key) => URL_SAFE_NO_PAD
                .decode(signature)
                .is_ok_and(|signature| key.verify_sig(message, &signature).is_ok()),
        }
    }
}
