//! A tenant's signing key: ES256 or RS256 (RFC 7518 section 3), parsed once, signing without parsing again.
//!
//! The private part leaves this file only sealed, bound to its tenant and its name. Making an RSA key takes up to a second:
//! [`SigningKey::generate`] does not belong on the reactor. A signature does: RS256 takes a quarter of a
//! millisecond, ES256 a twentieth of that.

use std::fmt;

use aws_lc_rs::{
    aead::{self, Aad},
    encoding::{AsDer, Pkcs8V1Der},
    error::Unspecified,
    rand::{self, SystemRandom},
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_auth_domain::{access_token::ACCESS_TOKEN_TYPE, signing_algorithm::SigningAlgorithm};
use credo_auth_store::{NewSigningKey, StoredSigningKey};
use credo_ids::{SigningKeyId, TenantId};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{KeyFault, MasterKey, MasterKeys};

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

impl TokenType {
    /// `typ` in the header.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => ACCESS_TOKEN_TYPE,
            Self::IdToken => "JWT",
        }
    }

    /// What may sign it.
    pub(super) const fn algorithms(self) -> &'static [SigningAlgorithm] {
        match self {
            Self::AccessToken => &[SigningAlgorithm::Es256],
            Self::IdToken => &SigningAlgorithm::ALL,
        }
    }
}

/// A key that signs.
pub struct SigningKey {
    kid: String,
    pair: Pair,
    access_token_header: String,
    id_token_header: String,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
}

impl SigningKey {
    /// A fresh key of `tenant`, sealed under `master`.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn generate(
        tenant: TenantId,
        algorithm: SigningAlgorithm,
        master: &MasterKey,
    ) -> Result<NewSigningKey, KeyFault> {
        let failed = |_| KeyFault("a signing key could not be made".to_owned());
        let pair = Pair::generate(algorithm).map_err(failed)?;
        let id = SigningKeyId::now_v7();
        let kid = id.to_string();
        let sealed = seal(tenant, &kid, &pair.to_pkcs8().map_err(failed)?, master).map_err(failed)?;
        Ok(NewSigningKey {
            id,
            kid,
            algorithm: algorithm.as_str(),
            public_key: pair.public_key().to_vec(),
            sealed_key: sealed,
            master_key_id: i16::from(master.id),
        })
    }

    /// Opens a stored key.
    ///
    /// # Errors
    /// If its master key is not in the file, or if it was not sealed for this tenant and name.
    pub fn open(tenant: TenantId, stored: &StoredSigningKey, masters: &MasterKeys) -> Result<Self, KeyFault> {
        let document = unseal(tenant, stored, masters)?;
        let failed = || KeyFault(format!("signing key {} is no key of its algorithm", stored.kid));
        let algorithm = SigningAlgorithm::find(&stored.algorithm).ok_or_else(failed)?;
        let pair = Pair::parse(algorithm, &document).ok_or_else(failed)?;
        if pair.public_key() != stored.public_key {
            return Err(KeyFault(format!(
                "signing key {} is not that of its public key",
                stored.kid
            )));
        }
        let header = |token_type: TokenType| {
            let header = Header {
                typ: token_type.as_str(),
                alg: algorithm.as_str(),
                kid: &stored.kid,
            };
            serde_json::to_vec(&header).map(|json| URL_SAFE_NO_PAD.encode(json))
        };
        Ok(Self {
            access_token_header: header(TokenType::AccessToken)?,
            id_token_header: header(TokenType::IdToken)?,
            kid: stored.kid.clone(),
            pair,
        })
    }

    /// A stored key, sealed anew under the active master key.
    ///
    /// # Errors
    /// If it does not open, or the system has no randomness.
    pub fn reseal(tenant: TenantId, stored: &StoredSigningKey, masters: &MasterKeys) -> Result<Vec<u8>, KeyFault> {
        let document = unseal(tenant, stored, masters)?;
        let sealed = seal(tenant, &stored.kid, &document, masters.active());
        sealed.map_err(|_| KeyFault(format!("signing key {} could not be sealed again", stored.kid)))
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
            .sign(token.as_bytes())
            .map_err(|_| KeyFault("signing failed".to_owned()))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl Pair {
    fn generate(algorithm: SigningAlgorithm) -> Result<Self, Unspecified> {
        Ok(match algorithm {
            SigningAlgorithm::Es256 => Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
            SigningAlgorithm::Rs256 => Self::Rs256(RsaKeyPair::generate(KeySize::Rsa2048)?),
        })
    }

    fn parse(algorithm: SigningAlgorithm, document: &[u8]) -> Option<Self> {
        match algorithm {
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document);
                pair.ok().map(Self::Es256)
            }
            SigningAlgorithm::Rs256 => RsaKeyPair::from_pkcs8(document).ok().map(Self::Rs256),
        }
    }

    fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        Ok(Zeroizing::new(match self {
            Self::Es256(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            Self::Rs256(pair) => AsDer::<Pkcs8V1Der<'static>>::as_der(pair)?.as_ref().to_vec(),
        }))
    }

    /// The uncompressed SEC 1 point, or the `RSAPublicKey` of RFC 8017 appendix A.1.1.
    fn public_key(&self) -> &[u8] {
        match self {
            Self::Es256(pair) => pair.public_key().as_ref(),
            Self::Rs256(pair) => pair.public_key().as_ref(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.kid)
    }
}

/// The nonce, and the document encrypted behind it.
fn seal(tenant: TenantId, kid: &str, document: &[u8], master: &MasterKey) -> Result<Vec<u8>, Unspecified> {
    let mut nonce = [0; NONCE_LENGTH];
    rand::fill(&mut nonce)?;
    let mut sealed = Vec::with_capacity(NONCE_LENGTH + document.len() + master.key_wrap.algorithm().tag_len());
    sealed.extend_from_slice(document);
    let unique = aead::Nonce::assume_unique_for_key(nonce);
    let aad = Aad::from(associated(tenant, kid));
    master.key_wrap.seal_in_place_append_tag(unique, aad, &mut sealed)?;
    sealed.splice(0..0, nonce);
    Ok(sealed)
}

/// The document of a stored key.
fn unseal(tenant: TenantId, stored: &StoredSigningKey, masters: &MasterKeys) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
    let (kid, id) = (&stored.kid, stored.master_key_id);
    let master = u8::try_from(id).ok().and_then(|id| masters.find(id));
    let master = master.ok_or_else(|| {
        KeyFault(format!(
            "signing key {kid} is sealed under master key {id}, which the file lacks"
        ))
    })?;
    let failed = || KeyFault(format!("signing key {kid} does not open under master key {id}"));
    let (nonce, sealed) = stored.sealed_key.split_at_checked(NONCE_LENGTH).ok_or_else(failed)?;
    let nonce = aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| failed())?;
    let mut document = Zeroizing::new(sealed.to_vec());
    let aad = Aad::from(associated(tenant, kid));
    let opened = master.key_wrap.open_in_place(nonce, aad, &mut document);
    let length = opened.map_err(|_| failed())?.len();
    document.truncate(length);
    Ok(document)
}

/// What a sealed key is bound to: it opens for its tenant and its name alone.
fn associated(tenant: TenantId, kid: &str) -> Vec<u8> {
    [b"credo signing key v1", &tenant.as_bytes()[..], kid.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use credo_auth_domain::signing_key::{KeyState, Stage};

    use super::*;

    fn masters() -> MasterKeys {
        MasterKeys::parse(&format!("1 {}", URL_SAFE_NO_PAD.encode([7; 32]))).unwrap()
    }

    fn stored(key: NewSigningKey) -> StoredSigningKey {
        StoredSigningKey {
            id: key.id,
            kid: key.kid,
            algorithm: key.algorithm.to_owned(),
            stage: Stage {
                state: KeyState::Active,
                since: time::OffsetDateTime::UNIX_EPOCH,
            },
            public_key: key.public_key,
            sealed_key: key.sealed_key,
            master_key_id: key.master_key_id,
        }
    }

    #[test]
    fn sealed_key_opens_for_its_tenant_and_name_alone() {
        let (tenant, masters) = (TenantId::now_v7(), masters());
        for algorithm in SigningAlgorithm::ALL {
            let mut key = stored(SigningKey::generate(tenant, algorithm, masters.active()).unwrap());
            assert!(SigningKey::open(tenant, &key, &masters).is_ok());
            assert!(SigningKey::open(TenantId::now_v7(), &key, &masters).is_err());
            key.kid.push('x');
            assert!(SigningKey::open(tenant, &key, &masters).is_err());
        }
    }

    #[test]
    fn a_key_that_was_sealed_again_opens_under_the_new_master_key_alone() {
        let line = |id: u8| format!("{id} {}\n", URL_SAFE_NO_PAD.encode([id; 32]));
        let parse = |text: &str| MasterKeys::parse(text).unwrap();
        let (old, both, new) = (parse(&line(1)), parse(&(line(2) + &line(1))), parse(&line(2)));
        let tenant = TenantId::now_v7();
        let mut key = stored(SigningKey::generate(tenant, SigningAlgorithm::Es256, old.active()).unwrap());
        assert!(SigningKey::reseal(TenantId::now_v7(), &key, &both).is_err());
        assert!(SigningKey::reseal(tenant, &key, &new).is_err());
        key.sealed_key = SigningKey::reseal(tenant, &key, &both).unwrap();
        assert!(SigningKey::open(tenant, &key, &both).is_err());
        key.master_key_id = 2;
        assert!(SigningKey::open(tenant, &key, &new).is_ok() && SigningKey::open(tenant, &key, &old).is_err());
    }

    #[test]
    fn sealed_key_does_not_hold_the_private_key_in_the_clear() {
        for algorithm in SigningAlgorithm::ALL {
            let key = SigningKey::generate(TenantId::now_v7(), algorithm, masters().active()).unwrap();
            let middle = &key.public_key[16..48];
            assert!(!key.sealed_key.windows(middle.len()).any(|window| window == middle));
        }
    }
}
