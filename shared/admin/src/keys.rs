//! The public keys that tokens are verified with.

use jsonwebtoken::{
    Algorithm, DecodingKey, crypto,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};

/// Length of an uncompressed SEC 1 point on P-256.
const SEC1_POINT_BYTES: usize = 65;
/// What an uncompressed point begins with.
const SEC1_UNCOMPRESSED: u8 = 4;

/// A public key, bound to the one algorithm that it is for. Only ES256 exists.
#[derive(Debug, Clone)]
pub struct VerificationKey {
    key: DecodingKey,
}

/// Key material that is not an ES256 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an ES256 public key")]
pub struct InvalidKey;

impl VerificationKey {
    /// The `alg` of a token that this key can verify.
    pub const ALGORITHM: &'static str = "ES256";

    /// A key from its uncompressed SEC 1 point.
    ///
    /// # Errors
    /// When `point` has not the form of one on P-256.
    pub fn es256(point: &[u8]) -> Result<Self, InvalidKey> {
        if point.len() != SEC1_POINT_BYTES || point.first() != Some(&SEC1_UNCOMPRESSED) {
            return Err(InvalidKey);
        }
        Ok(Self {
            key: DecodingKey::from_ec_der(point),
        })
    }

    /// A key from a member of a JWKS (RFC 7517), with its `kid`.
    pub(crate) fn from_jwk(jwk: &Jwk) -> Result<(String, Self), InvalidKey> {
        let common = &jwk.common;
        let AlgorithmParameters::EllipticCurve(curve) = &jwk.algorithm else {
            return Err(InvalidKey);
        };
        let is_for_us = curve.curve == EllipticCurve::P256
            && matches!(common.key_algorithm, None | Some(KeyAlgorithm::ES256))
            && matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let kid = common.key_id.clone().filter(|_| is_for_us).ok_or(InvalidKey)?;
        let key = DecodingKey::from_jwk(jwk).map_err(|_| InvalidKey)?;
        let point = key.try_get_as_bytes().map_err(|_| InvalidKey)?;
        Ok((kid, Self::es256(point)?))
    }

    /// Whether `signature` (base64url) over `message` is this key's.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        crypto::verify(signature, message, &self.key, Algorithm::ES256).unwrap_or(false)
    }
}

/// The keys cannot be read now; the call may succeed later.
#[derive(Debug, thiserror::Error)]
#[error("verification keys cannot be read: {0}")]
pub struct KeysUnavailable(pub String);

/// Where the keys of issuers are found.
#[tonic::async_trait]
pub trait VerificationKeys: Send + Sync {
    /// The key `kid` of `issuer`; `None` if there is none such.
    ///
    /// Whoever answers with a key vouches for the issuer: it is one of ours, exactly as it is written, and the tenant is
    /// active.
    ///
    /// # Errors
    /// When the answer cannot be known now.
    async fn find(&self, issuer: &str, kid: &str) -> Result<Option<VerificationKey>, KeysUnavailable>;
}
