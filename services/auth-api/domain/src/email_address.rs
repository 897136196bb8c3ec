//! E-mail addresses as the names of accounts: trimmed, in Unicode NFC, compared without regard to case.

use unicode_normalization::UnicodeNormalization as _;

/// A normalised address.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

/// A text that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmailAddress;

impl EmailAddress {
    /// Normalises a text of 3 to 254 bytes with one `@` that stands inside.
    ///
    /// # Errors
    /// If it is too short or too long, or holds control characters or white space.
    pub fn parse(text: &str) -> Result<Self, InvalidEmailAddress> {
        // Before anything is trimmed: a line end is no slip of the keyboard.
        if text.len() > 1_024 || text.chars().any(char::is_control) {
            return Err(InvalidEmailAddress);
        }
        let address: String = text.trim().nfc().collect::<String>().to_lowercase();
        let plain = |letter: char| !letter.is_control() && !letter.is_whitespace() && !"<>\",;\\".contains(letter);
        match address.rsplit_once('@') {
            Some((local, domain))
                if (3..=254).contains(&address.len())
                    && !local.is_empty()
                    && !local.contains('@')
                    && !domain.is_empty()
                    && !domain.starts_with('.')
                    && !domain.ends_with('.')
                    && address.chars().all(plain) =>
            {
                Ok(Self(address))
            }
            _ => Err(InvalidEmailAddress),
        }
    }

    /// How an address begins, normalised as addresses are.
    ///
    /// # Errors
    /// If it is longer than an address, or holds control characters.
    pub fn parse_prefix(text: &str) -> Result<String, InvalidEmailAddress> {
        if text.len() > 1_024 || text.chars().any(char::is_control) {
            return Err(InvalidEmailAddress);
        }
        let prefix = text.trim_start().nfc().collect::<String>().to_lowercase();
        if prefix.len() <= 254 {
            Ok(prefix)
        } else {
            Err(InvalidEmailAddress)
        }
    }

    /// The normalised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for EmailAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("EmailAddress(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn equal_names_are_equal_accounts() {
        let one = EmailAddress::parse(" Zo\u{eb}@Example.ORG ").unwrap();
        let two = EmailAddress::parse("zoe\u{308}@example.org").unwrap();
        assert_eq!(one, two);
    }

    #[test]
    fn a_prefix_is_normalised_as_addresses_are() {
        assert_eq!(EmailAddress::parse_prefix(" Zoe\u{308}").unwrap(), "zo\u{eb}");
        assert_eq!(EmailAddress::parse_prefix("").unwrap(), "");
        for text in ["a\u{0}", "a\n", &"x".repeat(255)] {
            assert!(EmailAddress::parse_prefix(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn texts_that_are_no_address_are_refused() {
        for text in [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "a@b\nc",
            "a@b\r\n",
            "a\u{0}@b",
            "a@.b",
            "<a@b>",
            &"x".repeat(300),
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?}");
        }
    }
}
