//! Fresh random values of an authorization request, and the S256 challenge (RFC 7636).

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::fill,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::failure::{Failure, Result};

/// What binds an answer to its request.
#[derive(Clone, Debug)]
pub struct Fresh {
    pub state: String,
    pub nonce: String,
    pub verifier: String,
}

impl Fresh {
    /// Drawn.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn draw() -> Result<Self> {
        Ok(Self {
            state: random()?,
            nonce: random()?,
            verifier: random()?,
        })
    }

    /// The challenge of the verifier.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()))
    }
}

fn random() -> Result<String> {
    let mut bytes = [0; 32];
    fill(&mut bytes).map_err(|_| Failure::error("the system has no randomness"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_is_that_of_the_rfc() {
        let fresh = Fresh {
            state: String::new(),
            nonce: String::new(),
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(),
        };
        assert_eq!(fresh.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_ne!(Fresh::draw().unwrap().verifier, Fresh::draw().unwrap().verifier);
    }
}
