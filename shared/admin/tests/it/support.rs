//! An issuer under the test's control.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_admin::{KeysUnavailable, VerificationKey, VerificationKeys};
use credo_ids::{ClientId, TenantId};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};

pub const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
pub const BASE_URL: &str = "http://credo.example";

/// A signing key with a `kid`.
pub struct Issuer {
    pair: EcdsaKeyPair,
    pub kid: &'static str,
}

impl Issuer {
    pub fn new(kid: &'static str) -> Self {
        Self {
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            kid,
        }
    }

    pub fn point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub fn jwk(&self) -> Value {
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let (x, y) = self.point()[1..].split_at(32);
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid, "x": encode(x), "y": encode(y)})
    }

    /// Signs texts as they are, well-formed or not.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "ES256", "kid": self.kid})
    }
}

/// The claims of a good token of tenant `slug`.
pub fn claims(slug: &str, tenant: TenantId, scope: &str) -> Value {
    let client = ClientId::now_v7();
    json!({
        "iss": format!("{BASE_URL}/t/{slug}"),
        "sub": client,
        "aud": "credo-admin",
        "exp": NOW.unix_timestamp() + 300,
        "iat": NOW.unix_timestamp(),
        "jti": "01",
        "client_id": client,
        "scope": scope,
        "tid": tenant,
        "ep": [1, 1],
    })
}

/// A service's own keys: one key, any issuer.
pub struct OwnKeys(pub Result<Vec<(&'static str, VerificationKey)>, &'static str>);

impl OwnKeys {
    pub fn of(issuer: &Issuer) -> Self {
        Self(Ok(vec![(issuer.kid, VerificationKey::es256(issuer.point()).unwrap())]))
    }
}

#[tonic::async_trait]
impl VerificationKeys for OwnKeys {
    async fn find(&self, _: &str, kid: &str) -> Result<Option<VerificationKey>, KeysUnavailable> {
        let keys = self
            .0
            .as_ref()
            .map_err(|reason| KeysUnavailable((*reason).to_owned()))?;
        Ok(keys.iter().find(|(known, _)| *known == kid).map(|(_, key)| key.clone()))
    }
}
