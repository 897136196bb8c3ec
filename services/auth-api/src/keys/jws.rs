//! Reading a JWS (RFC 7515) that claims to be a token of ours.
//!
//! Whatever costs nothing is checked before a key is looked for. A key is only ever one of the tenant's own: header
//! parameters that carry or point to keys are ignored, `crit` is refused.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_auth_domain::signing_algorithm::SigningAlgorithm;
use serde::{Deserialize, de::DeserializeOwned};

use super::{PublicKey, TokenType};

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1_024;

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    kid: String,
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
}

/// A token that is well-formed; its signature was not looked at yet.
#[derive(Debug)]
pub struct UnverifiedJws<'a, C> {
    message: &'a [u8],
    signature: &'a str,
    unverified_algorithm: SigningAlgorithm,
    /// The name of the key that it claims.
    pub unverified_kid: String,
    /// What it claims.
    pub unverified_claims: C,
}

impl<'a, C: DeserializeOwned> UnverifiedJws<'a, C> {
    /// Takes a token apart. Nothing if it cannot be a token of ours of that type.
    #[must_use]
    pub fn parse(token: &'a str, token_type: TokenType) -> Option<Self> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Header = decode(header)?;
        let typ = header.typ.to_ascii_lowercase();
        let media_type = typ.strip_prefix("application/").unwrap_or(&typ);
        if !media_type.eq_ignore_ascii_case(token_type.as_str()) || header.crit.is_some() {
            return None;
        }
        let unverified_algorithm = SigningAlgorithm::find(&header.alg)?;
        if !token_type.algorithms().contains(&unverified_algorithm) {
            return None;
        }
        let unverified_claims = decode(claims)?;
        Some(Self {
            message: message.as_bytes(),
            signature,
            unverified_algorithm,
            unverified_kid: header.kid,
            unverified_claims,
        })
    }

    /// The claims, if `key` signed them.
    #[must_use]
    pub fn verify(self, key: &PublicKey) -> Option<C> {
        (key.algorithm() == self.unverified_algorithm && key.verifies(self.message, self.signature))
            .then_some(self.unverified_claims)
    }
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// `at_hash` of an access token (OpenID Connect Core section 3.1.3.6).
#[must_use]
pub fn at_hash(access_token: &str) -> String {
    let hash = digest(&SHA256, access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}
