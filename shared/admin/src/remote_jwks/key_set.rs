//! The keys of one issuer.

use std::collections::HashMap;

use serde::Deserialize;

use crate::VerificationKey;

/// The most keys that an issuer may have.
const MAX_KEYS: usize = 64;

/// The ES256 keys of a JWKS by their `kid`.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    by_kid: HashMap<String, VerificationKey>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// Reads a JWKS. What is no ES256 key is passed over: a new kind of key must not hide the others.
    pub(super) fn parse(document: &str) -> Self {
        let document: Document = serde_json::from_str(document).unwrap_or(Document { keys: Vec::new() });
        let by_kid = document
            .keys
            .into_iter()
            .take(MAX_KEYS)
            .filter_map(|key| serde_json::from_value(key).ok())
            .filter_map(|jwk| VerificationKey::from_jwk(&jwk).ok())
            .collect();
        Self { by_kid }
    }

    pub(super) fn find(&self, kid: &str) -> Option<VerificationKey> {
        self.by_kid.get(kid).cloned()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_kid.is_empty()
    }
}
