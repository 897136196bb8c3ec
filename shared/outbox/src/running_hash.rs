//! The running hash of a shard: what makes a changed, missing or exchanged record show between the outbox and the store.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{Context, SHA256, digest};

/// SHA-256 over the previous running hash and the SHA-256 of a record's value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RunningHash([u8; 32]);

/// A text or a byte string that is not a running hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a running hash")]
pub struct InvalidHash;

impl RunningHash {
    /// What stands before the first event of an epoch and shard.
    pub const START: Self = Self([0; 32]);

    /// The hash after one more record with this value.
    #[must_use]
    pub fn after(self, value: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&self.0);
        context.update(digest(&SHA256, value).as_ref());
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        Self(hash)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&[u8]> for RunningHash {
    type Error = InvalidHash;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidHash> {
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }
}

/// 64 lower-case hexadecimal digits.
impl fmt::Display for RunningHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for RunningHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for RunningHash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let digit = |letter: u8| match letter {
            b'0'..=b'9' => Ok(letter - b'0'),
            b'a'..=b'f' => Ok(letter - b'a' + 10),
            _ => Err(InvalidHash),
        };
        let mut hash = [0; 32];
        if text.len() != 2 * hash.len() {
            return Err(InvalidHash);
        }
        for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_textual_form_is_canonical() {
        let hash = RunningHash::START.after(b"one");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for other in [
            hash.to_string().to_uppercase(),
            hash.to_string()[1..].to_owned(),
            format!("{hash}0"),
            "é".repeat(32),
        ] {
            assert_eq!(other.parse::<RunningHash>(), Err(InvalidHash), "{other}");
        }
    }

    #[test]
    fn order_and_content_both_matter() {
        let after = |values: &[&[u8]]| values.iter().fold(RunningHash::START, |hash, value| hash.after(value));
        assert_ne!(after(&[b"a", b"b"]), after(&[b"b", b"a"]));
        assert_ne!(after(&[b"ab"]), after(&[b"a", b"b"]));
        // Golden: sha256(32 zero bytes || sha256("a")).
        assert_eq!(after(&[b"a"]).to_string(), GOLDEN);
    }

    const GOLDEN: &str = "8c374a53782642f7514d087d26a3e733f1b806009a03e04a43b288ef2fa9f9c0";
}
