//! A tenant's signing key: ES256 (RFC 7518 section 3.4), parsed once, signing without parsing again.

use std::fmt;

use aws_lc_rs::{
    aead::{self, Aad},
    rand::{self, SystemRandom},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_admin::VerificationKey;
use credo_auth_store::{NewSigningKey, StoredSigningKey};
use credo_ids::{SigningKeyId, TenantId};
use serde::Serialize;

use super::{KeyFault, MasterKey, MasterKeys};

/// The only algorithm that keys are made for yet.
pub const ES256: &str = "ES256";
/// Bytes of the nonce in front of a sealed key.
const NONCE_LENGTH: usize = 12;

/// What a token is, in its header.
#[derive(Clone, Copy, Debug)]
pub enum TokenType {
    /// RFC 9068.
    AccessToken,
    /// OpenID Connect Core section 2.
    IdToken,
}

/// A key that signs.
pub struct SigningKey {
    kid: String,
    pair: EcdsaKeyPair,
    access_token_header: String,
    id_token_header: String,
}

#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
}

/// A public key as JWKS shows it (RFC 7517, RFC 7518 section 6.2.1).
#[derive(Debug, Serialize)]
pub struct PublicJwk {
    kty: &'static str,
    crv: &'static str,
    r#use: &'static str,
    alg: &'static str,
    kid: String,
    x: String,
    y: String,
}

impl SigningKey {
    /// A fresh key of `tenant`, sealed under `master`.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn generate(tenant: TenantId, master: &MasterKey) -> Result<NewSigningKey, KeyFault> {
        let failed = |_| KeyFault("a signing key could not be made".to_owned());
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
        let id = SigningKeyId::now_v7();
        let kid = id.to_string();
        let document = pair.to_pkcs8v1().map_err(failed)?;
        let mut nonce = [0; NONCE_LENGTH];
        rand::fill(&mut nonce).map_err(failed)?;
        let mut sealed = document.as_ref().to_vec();
        let aad = Aad::from(associated(tenant, &kid));
        let unique = aead::Nonce::assume_unique_for_key(nonce);
        master
            .key_wrap
            .seal_in_place_append_tag(unique, aad, &mut sealed)
            .map_err(failed)?;
        sealed.splice(0..0, nonce);
        Ok(NewSigningKey {
            id,
            kid,
            algorithm: ES256,
            public_key: pair.public_key().as_ref().to_vec(),
            sealed_key: sealed,
            master_key_id: i16::from(master.id),
        })
    }

    /// Opens a stored key.
    ///
    /// # Errors
    /// If its master key is not in the file, or if it was not sealed for this tenant and name.
    pub fn open(tenant: TenantId, stored: &StoredSigningKey, masters: &MasterKeys) -> Result<Self, KeyFault> {
        let master = u8::try_from(stored.master_key_id)
            .ok()
            .and_then(|id| masters.find(id))
            .ok_or_else(|| {
                KeyFault(format!(
                    "signing key {} is sealed under master key {}, which the file lacks",
                    stored.kid, stored.master_key_id
                ))
            })?;
        let failed = || {
            KeyFault(format!(
                "signing key {} does not open under master key {}",
                stored.kid, master.id
            ))
        };
        let (nonce, sealed) = stored.sealed_key.split_at_checked(NONCE_LENGTH).ok_or_else(failed)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| failed())?;
        let mut document = zeroize::Zeroizing::new(sealed.to_vec());
        let aad = Aad::from(associated(tenant, &stored.kid));
        let length = master
            .key_wrap
            .open_in_place(nonce, aad, &mut document)
            .map_err(|_| failed())?
            .len();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document[..length]).map_err(|_| failed())?;
        if pair.public_key().as_ref() != stored.public_key {
            return Err(KeyFault(format!(
                "signing key {} is not that of its public key",
                stored.kid
            )));
        }
        let header = |typ| {
            let header = Header {
                typ,
                alg: ES256,
                kid: &stored.kid,
            };
            serde_json::to_vec(&header).map(|json| URL_SAFE_NO_PAD.encode(json))
        };
        Ok(Self {
            access_token_header: header(credo_auth_domain::access_token::ACCESS_TOKEN_TYPE)?,
            id_token_header: header("JWT")?,
            kid: stored.kid.clone(),
            pair,
        })
    }

    /// The compact serialisation (RFC 7515 section 7.1) of `claims`.
    ///
    /// # Errors
    /// If the claims cannot be written as JSON, or the system has no randomness.
    pub fn sign(&self, token_type: TokenType, claims: &impl Serialize) -> Result<String, KeyFault> {
        let header = match token_type {
            TokenType::AccessToken => &self.access_token_header,
            TokenType::IdToken => &self.id_token_header,
        };
        let mut token = String::with_capacity(1_024);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
        let signature = self
            .pair
            .sign(&SystemRandom::new(), token.as_bytes())
            .map_err(|_| KeyFault("signing failed".to_owned()))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.kid)
    }
}

/// The public parts of a stored key: what verifies, and what is published.
///
/// # Errors
/// If the stored point is none of P-256.
pub fn public_parts(stored: &StoredSigningKey) -> Result<(VerificationKey, PublicJwk), KeyFault> {
    let key =
        VerificationKey::es256(&stored.public_key).map_err(|error| KeyFault(format!("{}: {error}", stored.kid)))?;
    let (x, y) = stored.public_key[1..].split_at(32);
    let jwk = PublicJwk {
        kty: "EC",
        crv: "P-256",
        r#use: "sig",
        alg: ES256,
        kid: stored.kid.clone(),
        x: URL_SAFE_NO_PAD.encode(x),
        y: URL_SAFE_NO_PAD.encode(y),
    };
    Ok((key, jwk))
}

/// What a sealed key is bound to: it opens for its tenant and its name alone.
fn associated(tenant: TenantId, kid: &str) -> Vec<u8> {
    [b"credo signing key v1", &tenant.as_bytes()[..], kid.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn masters() -> MasterKeys {
        MasterKeys::parse(&format!("1 {}", URL_SAFE_NO_PAD.encode([7; 32]))).unwrap()
    }

    fn stored(key: NewSigningKey) -> StoredSigningKey {
        StoredSigningKey {
            id: key.id,
            kid: key.kid,
            algorithm: key.algorithm.to_owned(),
            active: true,
            public_key: key.public_key,
            sealed_key: key.sealed_key,
            master_key_id: key.master_key_id,
        }
    }

    #[test]
    fn sealed_key_opens_for_its_tenant_and_name_alone() {
        let (tenant, masters) = (TenantId::now_v7(), masters());
        let mut key = stored(SigningKey::generate(tenant, masters.active()).unwrap());
        assert!(SigningKey::open(tenant, &key, &masters).is_ok());
        assert!(SigningKey::open(TenantId::now_v7(), &key, &masters).is_err());
        key.kid.push('x');
        assert!(SigningKey::open(tenant, &key, &masters).is_err());
    }

    #[test]
    fn sealed_key_does_not_hold_the_private_key_in_the_clear() {
        let key = SigningKey::generate(TenantId::now_v7(), masters().active()).unwrap();
        assert!(
            !key.sealed_key
                .windows(key.public_key.len())
                .any(|window| window == key.public_key)
        );
    }
}
