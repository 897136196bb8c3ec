//! Master keys: one file, the first key is active, the others still recognise what they made (DESIGN section 4).
//!
//! Nothing is made with a master key itself: each purpose has its own key, derived by HKDF-SHA-256 (RFC 5869).

use std::{fmt, path::Path};

use aws_lc_rs::{aead, error::Unspecified, hkdf, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Bytes of a master key.
const KEY_LENGTH: usize = 32;

/// A master key as the purposes that this server has.
pub struct MasterKey {
    /// 1 to 255; it is written into what the key makes.
    pub id: u8,
    /// Whether it is suspected: it then recognises the current token of a session and no other.
    pub demoted: bool,
    /// Authenticates codes and refresh tokens.
    pub token_mac: hmac::Key,
    /// Derives successors of refresh tokens.
    pub refresh_chain: hmac::Key,
    /// Names accounts in the table of attempts.
    pub account: hmac::Key,
    /// Seals authorization requests that travel through our own pages.
    pub request: hmac::Key,
    /// Ties a form to the browser that got it.
    pub csrf: hmac::Key,
    /// Names devices in lists.
    pub device: hmac::Key,
    /// Signs page tokens of the admin APIs.
    pub page_token: hmac::Key,
    /// Seals what is kept in Redis.
    pub cache: hmac::Key,
    /// Seals signing keys.
    pub key_wrap: aead::LessSafeKey,
}

/// All master keys.
pub struct MasterKeys(Vec<MasterKey>);

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMasterKeys {
    /// It cannot be read.
    #[error("the master keys file cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// A line is not `ID KEY [demoted]`.
    #[error(
        "line {0} of the master keys file is not `ID KEY` or `ID KEY demoted`, with ID from 1 to 255 and KEY the base64url form of 32 random bytes"
    )]
    Malformed(usize),
    /// An id stands twice.
    #[error("the master keys file has the id {0} twice")]
    Repeated(u8),
    /// There is no key that may be active.
    #[error("the first key of the master keys file must exist and must not be demoted")]
    NoneActive,
}

impl MasterKeys {
    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read or is not well-formed.
    pub fn read(path: &Path) -> Result<Self, InvalidMasterKeys> {
        Self::parse(&Zeroizing::new(std::fs::read_to_string(path)?))
    }

    /// Reads the text of a file: a key a line, `#` begins a comment.
    ///
    /// # Errors
    /// If it is not well-formed.
    pub fn parse(text: &str) -> Result<Self, InvalidMasterKeys> {
        let mut keys: Vec<MasterKey> = Vec::new();
        for (position, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let key = parse_line(line).ok_or(InvalidMasterKeys::Malformed(position + 1))?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(InvalidMasterKeys::Repeated(key.id));
            }
            keys.push(key);
        }
        if keys.first().is_none_or(|first| first.demoted) {
            return Err(InvalidMasterKeys::NoneActive);
        }
        Ok(Self(keys))
    }

    /// The key that makes everything new.
    #[must_use]
    pub fn active(&self) -> &MasterKey {
        &self.0[0]
    }

    /// The ids of the keys that are suspected.
    #[must_use]
    pub fn demoted_ids(&self) -> Vec<i16> {
        let demoted = self.0.iter().filter(|key| key.demoted);
        demoted.map(|key| i16::from(key.id)).collect()
    }

    /// The key of that id.
    #[must_use]
    pub fn find(&self, id: u8) -> Option<&MasterKey> {
        self.0.iter().find(|key| key.id == id)
    }
}

fn parse_line(line: &str) -> Option<MasterKey> {
    let mut words = line.split_whitespace();
    let id = words.next()?.parse().ok().filter(|id| *id > 0)?;
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(words.next()?.trim_end_matches('=')).ok()?);
    let demoted = match words.next() {
        None => false,
        Some("demoted") => true,
        Some(_) => return None,
    };
    if bytes.len() != KEY_LENGTH || words.next().is_some() {
        return None;
    }
    MasterKey::derive(id, demoted, &bytes).ok()
}

impl MasterKey {
    fn derive(id: u8, demoted: bool, bytes: &[u8]) -> Result<Self, Unspecified> {
        let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, b"credo master key v1").extract(bytes);
        let expand = |label: &'static [u8]| -> Result<_, Unspecified> {
            let mut key = Zeroizing::new([0; KEY_LENGTH]);
            pseudorandom.expand(&[label], hkdf::HKDF_SHA256)?.fill(&mut key[..])?;
            Ok(key)
        };
        let mac = |label| -> Result<_, Unspecified> { Ok(hmac::Key::new(hmac::HMAC_SHA256, &expand(label)?[..])) };
        let wrap = aead::UnboundKey::new(&aead::AES_256_GCM, &expand(b"key wrap")?[..])?;
        Ok(Self {
            id,
            demoted,
            token_mac: mac(b"token mac")?,
            refresh_chain: mac(b"refresh chain")?,
            account: mac(b"account")?,
            request: mac(b"request")?,
            csrf: mac(b"csrf")?,
            device: mac(b"device")?,
            page_token: mac(b"page token")?,
            cache: mac(b"cache")?,
            key_wrap: aead::LessSafeKey::new(wrap),
        })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MasterKey({})", self.id)
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn line(id: u32) -> String {
        format!("{id} {}", URL_SAFE_NO_PAD.encode([7; 32]))
    }

    #[test]
    fn first_key_is_active_and_others_are_found() {
        let keys = MasterKeys::parse(&format!("# keys\n{}\n{} demoted # old\n", line(2), line(1))).unwrap();
        assert_eq!(keys.active().id, 2);
        assert!(keys.find(1).unwrap().demoted && keys.find(3).is_none());
    }

    #[test]
    fn malformed_files_are_refused_with_the_line() {
        for bad in [
            "x",
            "0 AAAA",
            &line(256),
            "1 short",
            &format!("{} what", line(1)),
            &format!("{} demoted x", line(1)),
        ] {
            assert!(
                matches!(MasterKeys::parse(bad), Err(InvalidMasterKeys::Malformed(1))),
                "{bad}"
            );
        }
        assert!(matches!(MasterKeys::parse(""), Err(InvalidMasterKeys::NoneActive)));
        assert!(matches!(
            MasterKeys::parse(&format!("{} demoted", line(1))),
            Err(InvalidMasterKeys::NoneActive)
        ));
        let twice = format!("{}\n{}", line(1), line(1));
        assert!(matches!(MasterKeys::parse(&twice), Err(InvalidMasterKeys::Repeated(1))));
    }

    #[test]
    fn no_key_is_ever_printed() {
        let keys = MasterKeys::parse(&line(9)).unwrap();
        assert_eq!(format!("{keys:?}"), "[MasterKey(9)]");
    }
}
