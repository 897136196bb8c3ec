//! Tokens as a resource server or a relying party sees them: verified against the tenant's published keys.
//!
//! Makes forgeries too; what is forged here is signed by a key that no server knows.

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

use crate::digest::sha256;

/// A token whose signature, issuer, audience and time are good.
#[derive(Debug)]
pub struct Verified {
    /// `typ` of its header.
    pub typ: String,
    /// Its claims.
    pub claims: Value,
}

impl Verified {
    /// A claim that is a text.
    ///
    /// # Errors
    /// If it is none.
    pub fn text(&self, claim: &str) -> Result<&str> {
        self.claims[claim]
            .as_str()
            .with_context(|| format!("the claim {claim} is no text: {}", self.claims))
    }

    /// A claim that is a number.
    ///
    /// # Errors
    /// If it is none.
    pub fn number(&self, claim: &str) -> Result<i64> {
        self.claims[claim]
            .as_i64()
            .with_context(|| format!("the claim {claim} is no number: {}", self.claims))
    }
}

/// Verifies a token as RFC 7515 and RFC 7519 say, with the tenant's keys.
///
/// # Errors
/// If it is not good.
pub fn verify(token: &str, keys: &Value, issuer: &str, audience: &str) -> Result<Verified> {
    let set: JwkSet = serde_json::from_value(keys.clone()).context("no key set")?;
    let header = decode_header(token).context("no token header")?;
    let kid = header.kid.as_deref().context("the token names no key")?;
    let published: Vec<_> = set
        .keys
        .iter()
        .filter(|key| key.common.key_id.as_deref() == Some(kid))
        .collect();
    ensure!(
        published.len() == 1,
        "the key {kid} is published {} times",
        published.len()
    );
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let decoded = decode::<Value>(token, &DecodingKey::from_jwk(published[0])?, &validation)
        .with_context(|| format!("the token is not good for {audience} by {issuer}"))?;
    Ok(Verified {
        typ: header.typ.unwrap_or_default(),
        claims: decoded.claims,
    })
}

/// The claims of a token that was verified before.
///
/// # Errors
/// If it is no token.
pub fn unverified_claims(token: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&part(token, 1)?)?)
}

/// The header of a token that was verified before.
///
/// # Errors
/// If it is no token.
pub fn unverified_header(token: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&part(token, 0)?)?)
}

fn part(token: &str, position: usize) -> Result<Vec<u8>> {
    let part = token.split('.').nth(position).context("no token")?;
    Ok(URL_SAFE_NO_PAD.decode(part)?)
}

/// `at_hash` of OpenID Connect Core section 3.1.3.6 for a token signed with a 256-bit hash.
pub fn at_hash(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&sha256(&[access_token.as_bytes()])[..16])
}

/// Somebody who signs with a key of their own.
#[derive(Debug)]
pub struct Forger(EcdsaKeyPair);

impl Forger {
    /// A fresh key.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new() -> Result<Self> {
        Ok(Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?))
    }

    /// A token of these very bytes, well signed.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn sign(&self, header: &str, payload: &str) -> Result<String> {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let coordinate = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "x": coordinate(1), "y": coordinate(33) })
    }
}
