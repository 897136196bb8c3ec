//! The part of an event that tells of a person: stored apart, committed to by its salted hash.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use credo_proto::events::v1::Personal;
use prost::Message as _;

/// Bytes of random salt in front of the personal part; without it an address could be found by guessing.
pub const SALT_LENGTH: usize = 32;

/// Longest text kept of any one field, in bytes.
const MAX_FIELD_BYTES: usize = 512;
/// Set behind a text that was cut.
const CUT_MARK: &str = "…";

/// The stored bytes of a personal part: the salt, then the protobuf message.
#[derive(Clone)]
pub struct PersonalPart(Vec<u8>);

impl PersonalPart {
    /// Encodes `personal` behind a fresh salt. Long texts are cut with a mark.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new(mut personal: Personal) -> Result<Self, aws_lc_rs::error::Unspecified> {
        for field in [
            &mut personal.address,
            &mut personal.user_agent,
            &mut personal.email,
            &mut personal.display_name,
        ] {
            cut(field);
        }
        let mut bytes = vec![0; SALT_LENGTH];
        rand::fill(&mut bytes)?;
        personal.encode(&mut bytes).map_err(|_| aws_lc_rs::error::Unspecified)?;
        Ok(Self(bytes))
    }

    /// What is stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256 of what is stored.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        let mut commitment = [0; 32];
        commitment.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        commitment
    }
}

impl std::fmt::Debug for PersonalPart {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PersonalPart(…)")
    }
}

/// Cuts a text at a character boundary and marks the cut.
fn cut(text: &mut String) {
    if text.len() > MAX_FIELD_BYTES {
        let end = text.floor_char_boundary(MAX_FIELD_BYTES - CUT_MARK.len());
        text.truncate(end);
        text.push_str(CUT_MARK);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn equal_persons_have_unequal_commitments() {
        let person = || Personal {
            address: "192.0.2.1".into(),
            ..Personal::default()
        };
        let (one, two) = (
            PersonalPart::new(person()).unwrap(),
            PersonalPart::new(person()).unwrap(),
        );
        assert_ne!(one.commitment(), two.commitment());
        assert_eq!(Personal::decode(&one.as_bytes()[SALT_LENGTH..]).unwrap(), person());
    }

    #[test]
    fn long_texts_are_cut_with_a_mark() {
        let long = Personal {
            user_agent: "ü".repeat(5_000),
            ..Personal::default()
        };
        let part = PersonalPart::new(long).unwrap();
        let kept = Personal::decode(&part.as_bytes()[SALT_LENGTH..]).unwrap().user_agent;
        assert!(kept.len() <= MAX_FIELD_BYTES && kept.ends_with(CUT_MARK));
    }
}
