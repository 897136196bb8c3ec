//! Passwords, keys and ids of a stack, all from the system's generator.

use anyhow::{Result, anyhow};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// `N` random bytes.
///
/// # Errors
/// If the system has none.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| anyhow!("the system gives no random bytes"))?;
    Ok(bytes)
}

/// 24 random bytes as text that needs no escaping in a URL, a shell or SQL.
///
/// # Errors
/// If the system has no random bytes.
pub fn password() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<24>()?))
}

/// What Kafka calls a UUID: 22 characters.
///
/// # Errors
/// If the system has no random bytes.
pub fn kafka_id() -> Result<String> {
    let id = URL_SAFE_NO_PAD.encode(bytes::<16>()?);
    if id.starts_with('-') { kafka_id() } else { Ok(id) } // its tool would take it for an option
}

/// A number below `bound`.
///
/// # Errors
/// If the system has no random bytes.
pub fn below(bound: u16) -> Result<u16> {
    Ok(u16::from_be_bytes(bytes()?) % bound.max(1))
}
