//! The wire forms of codes and refresh tokens (DESIGN section 4).
//!
//! `crc_` or `crt_` in front of base64url(version ‖ key id ‖ session id ‖ generation, not in codes ‖ secret ‖ MAC). The
//! MAC covers kind, tenant, session, generation and secret, so that a made-up token, or one of another tenant, never
//! costs a query, and any token that was genuinely issued is recognised for ever. Refuses every other spelling of a token.

use std::fmt;

use aws_lc_rs::{
    digest::{SHA256, digest},
    error::Unspecified,
    hmac, rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_ids::{SessionId, TenantId};
use secrecy::SecretString;

const VERSION: u8 = 1;
const SECRET_LENGTH: usize = 32;
const MAC_LENGTH: usize = 16;
/// Said first in every derivation of a successor.
const SUCCESSOR_LABEL: &[u8] = b"credo refresh successor v1";

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An authorization code.
    Code,
    /// A refresh token.
    RefreshToken,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Code => "crc_",
            Self::RefreshToken => "crt_",
        }
    }

    const fn generation_length(self) -> usize {
        match self {
            Self::Code => 0,
            Self::RefreshToken => 4,
        }
    }

    const fn length(self) -> usize {
        2 + 16 + self.generation_length() + SECRET_LENGTH + MAC_LENGTH
    }
}

/// 32 bytes that only the holder of a token knows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; SECRET_LENGTH]);

impl Secret {
    /// Fresh random bytes.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn random() -> Result<Self, Unspecified> {
        let mut bytes = [0; SECRET_LENGTH];
        rand::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The only successor that this secret can have under `chain_key`: every replica derives the same one for a retry.
    #[must_use]
    pub fn successor(&self, chain_key: &hmac::Key) -> Self {
        let mut context = hmac::Context::with_key(chain_key);
        context.update(SUCCESSOR_LABEL);
        context.update(&self.0);
        let mut bytes = [0; SECRET_LENGTH];
        bytes.copy_from_slice(context.sign().as_ref());
        Self(bytes)
    }

    /// A secret as somebody shows it.
    #[must_use]
    pub(crate) const fn shown(bytes: [u8; SECRET_LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be handed to the holder.
    #[must_use]
    pub(crate) const fn as_bytes(&self) -> &[u8; SECRET_LENGTH] {
        &self.0
    }

    /// What the session row holds.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        hash
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// A code or a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpaqueToken {
    /// What it is for.
    pub kind: Kind,
    /// The master key whose derivation made the MAC.
    pub key_id: u8,
    /// The session that it belongs to.
    pub session_id: SessionId,
    /// Which of the session's refresh tokens it is; 0 for a code.
    pub generation: u32,
    /// The secret in it.
    pub secret: Secret,
}

/// A token whose MAC was not looked at yet.
#[derive(Debug)]
pub struct UnverifiedToken {
    token: OpaqueToken,
    mac: [u8; MAC_LENGTH],
}

/// A text that is no token that we issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this server")]
pub struct ForeignToken;

impl OpaqueToken {
    /// The text that the client gets.
    #[must_use]
    pub fn to_wire(&self, mac_key: &hmac::Key, tenant: TenantId) -> SecretString {
        let mut bytes = Vec::with_capacity(self.kind.length());
        bytes.extend([VERSION, self.key_id]);
        bytes.extend(self.session_id.as_bytes());
        if self.kind == Kind::RefreshToken {
            bytes.extend(self.generation.to_be_bytes());
        }
        bytes.extend(self.secret.0);
        bytes.extend(&self.mac(mac_key, tenant).as_ref()[..MAC_LENGTH]);
        format!("{}{}", self.kind.prefix(), URL_SAFE_NO_PAD.encode(bytes)).into()
    }

    fn mac(&self, key: &hmac::Key, tenant: TenantId) -> hmac::Tag {
        let mut context = hmac::Context::with_key(key);
        context.update(self.kind.prefix().as_bytes());
        context.update(&[VERSION, self.key_id]);
        context.update(tenant.as_bytes());
        context.update(self.session_id.as_bytes());
        context.update(&self.generation.to_be_bytes());
        context.update(&self.secret.0);
        context.sign()
    }
}

impl UnverifiedToken {
    /// Takes a text apart.
    ///
    /// # Errors
    /// If it is not the one spelling of a token of this kind.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, ForeignToken> {
        let encoded = text.strip_prefix(kind.prefix()).ok_or(ForeignToken)?;
        if encoded.len() > 2 * kind.length() {
            return Err(ForeignToken);
        }
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| ForeignToken)?;
        if bytes.len() != kind.length() {
            return Err(ForeignToken);
        }
        let (head, rest) = bytes.split_at(2);
        let (session_id, rest) = rest.split_at(16);
        let (generation, rest) = rest.split_at(kind.generation_length());
        let (secret, mac) = rest.split_at(SECRET_LENGTH);
        if head[0] != VERSION {
            return Err(ForeignToken);
        }
        let session_id: [u8; 16] = session_id.try_into().map_err(|_| ForeignToken)?;
        let generation = generation.try_into().map(u32::from_be_bytes).unwrap_or_default();
        let token = OpaqueToken {
            kind,
            key_id: head[1],
            session_id: session_id.into(),
            generation,
            secret: Secret(secret.try_into().map_err(|_| ForeignToken)?),
        };
        Ok(Self {
            token,
            mac: mac.try_into().map_err(|_| ForeignToken)?,
        })
    }

    /// The master key that it claims to come from.
    #[must_use]
    pub const fn key_id(&self) -> u8 {
        self.token.key_id
    }

    /// Compares the MAC in constant time.
    ///
    /// # Errors
    /// If the token was not issued under `mac_key` in `tenant`.
    pub fn verify(self, mac_key: &hmac::Key, tenant: TenantId) -> Result<OpaqueToken, ForeignToken> {
        let expected = self.token.mac(mac_key, tenant);
        aws_lc_rs::constant_time::verify_slices_are_equal(&expected.as_ref()[..MAC_LENGTH], &self.mac)
            .map_err(|_| ForeignToken)?;
        Ok(self.token)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    use super::*;

    fn key(seed: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[seed; 32])
    }

    fn token(kind: Kind, generation: u32) -> OpaqueToken {
        let session_id = SessionId::now_v7();
        OpaqueToken {
            kind,
            key_id: 7,
            session_id,
            generation,
            secret: Secret::random().unwrap(),
        }
    }

    #[test]
    fn token_survives_the_wire() {
        let tenant = TenantId::now_v7();
        for issued in [token(Kind::Code, 0), token(Kind::RefreshToken, 70_000)] {
            let wire = issued.to_wire(&key(1), tenant);
            let read = UnverifiedToken::parse(issued.kind, wire.expose_secret()).unwrap();
            assert_eq!(read.verify(&key(1), tenant).unwrap(), issued);
        }
    }

    #[test]
    fn token_of_another_tenant_or_key_is_foreign() {
        let tenant = TenantId::now_v7();
        let wire = token(Kind::RefreshToken, 1).to_wire(&key(1), tenant);
        let read = || UnverifiedToken::parse(Kind::RefreshToken, wire.expose_secret()).unwrap();
        assert_eq!(read().verify(&key(1), TenantId::now_v7()), Err(ForeignToken));
        assert_eq!(read().verify(&key(2), tenant), Err(ForeignToken));
    }

    #[test]
    fn rt_14_a_code_is_no_refresh_token() {
        let wire = token(Kind::Code, 0).to_wire(&key(1), TenantId::now_v7());
        let text = wire.expose_secret();
        assert!(UnverifiedToken::parse(Kind::RefreshToken, text).is_err());
        assert!(UnverifiedToken::parse(Kind::RefreshToken, &text.replace("crc_", "crt_")).is_err());
    }

    proptest! {
        #[test]
        fn rt_17_every_change_of_one_letter_is_refused(position in 4_usize..98, letter in "[A-Za-z0-9_=+/ -]") {
            let tenant = TenantId::now_v7();
            let wire = token(Kind::RefreshToken, 3).to_wire(&key(1), tenant);
            let mut text = wire.expose_secret().to_owned();
            prop_assume!(position < text.len() && text[position..=position] != *letter);
            text.replace_range(position..=position, &letter);
            let read = UnverifiedToken::parse(Kind::RefreshToken, &text).and_then(|read| read.verify(&key(1), tenant));
            prop_assert_eq!(read, Err(ForeignToken));
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,300}") {
            let _ = UnverifiedToken::parse(Kind::Code, &text);
            let _ = UnverifiedToken::parse(Kind::RefreshToken, &format!("crt_{text}"));
        }
    }
}
