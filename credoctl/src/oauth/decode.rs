//! Reading JWTs: header and claims, and whether a key of the issuer signed them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, Validation, decode, jwk::JwkSet};
use serde_json::Value;

use crate::failure::{Failure, Result};

/// What a token says, not yet whether it is true.
#[derive(Clone, Debug)]
pub struct Token {
    pub header: Value,
    pub claims: Value,
}

/// Reads without checking the signature.
///
/// # Errors
/// If it is no JWT.
pub fn unverified(text: &str) -> Result<Token> {
    let parts: Vec<&str> = text.trim().split('.').collect();
    let [header, claims, _signature] = parts.as_slice() else {
        return Err(Failure::usage("this is no JWT: it has not three parts")
            .next("codes and refresh tokens say nothing; credoctl oauth introspect asks the server"));
    };
    Ok(Token {
        header: part(header)?,
        claims: part(claims)?,
    })
}

fn part(text: &str) -> Result<Value> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Failure::usage("this is no JWT: a part is not base64url"))?;
    serde_json::from_slice(&bytes).map_err(|_| Failure::usage("this is no JWT: a part is not JSON"))
}

/// Which key signed it, if one of these did and it has not expired.
///
/// # Errors
/// If none did: why.
pub fn verify(text: &str, keys: &JwkSet, issuer: &str) -> Result<String> {
    let bad = |what: &str| Failure::error(format!("the token is not good: {what}"));
    let header = jsonwebtoken::decode_header(text).map_err(|error| bad(&error.to_string()))?;
    let kid = header.kid.ok_or_else(|| bad("it names no key"))?;
    let jwk = keys
        .find(&kid)
        .ok_or_else(|| bad("its key is not in the JWKS (any more)"))?;
    let key = DecodingKey::from_jwk(jwk).map_err(|error| bad(&error.to_string()))?;
    let mut validation = Validation::new(header.alg);
    validation.validate_aud = false;
    validation.set_issuer(&[issuer]);
    decode::<Value>(text, &key, &validation).map_err(|error| bad(&error.to_string()))?;
    Ok(kid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_and_rubbish_is_not() {
        let token = format!(
            "{}.{}.x",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#),
            URL_SAFE_NO_PAD.encode(r#"{"sid":"1"}"#)
        );
        let read = unverified(&token).unwrap();
        assert_eq!(
            (read.header["alg"].as_str(), read.claims["sid"].as_str()),
            (Some("ES256"), Some("1"))
        );
        for rubbish in ["", "a.b", "crt_x", "a.b.c", "e30.!!.x"] {
            assert!(unverified(rubbish).is_err(), "{rubbish}");
        }
    }
}
