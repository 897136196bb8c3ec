//! Which passwords are accepted (NIST SP 800-63B-4 section 3.1.1.2): long ones, no composition rules, no truncation.

use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::UnicodeNormalization as _;

use crate::email_address::EmailAddress;

/// Fewest characters of a new password.
pub const MIN_CHARACTERS: usize = 15;
/// Most bytes that are ever hashed.
pub const MAX_BYTES: usize = 1_024;

/// Long passwords that are found in every list of leaked ones.
const COMMON: [&str; 10] = [
    "passwordpassword",
    "password12345678",
    "123456789012345",
    "1234567890123456",
    "qwertyuiopasdfgh",
    "qwertyuiop123456",
    "iloveyouiloveyou",
    "administrator123",
    "letmeinletmeinletmein",
    "correcthorsebatterystaple",
];

/// A password in the form that is hashed: Unicode NFC.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

/// Why a password cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusablePassword {
    /// Too short.
    #[error("the password must have at least 15 characters")]
    TooShort,
    /// Too long to hash cheaply.
    #[error("the password must have at most 1024 bytes")]
    TooLong,
    /// On every list of leaked passwords, or one character repeated.
    #[error("the password is too common")]
    Common,
    /// It is the account's own name.
    #[error("the password must not be the e-mail address")]
    IsEmailAddress,
}

impl Password {
    /// A password as somebody typed it to sign in.
    ///
    /// # Errors
    /// If it is too long to be anybody's.
    pub fn typed(text: &str) -> Result<Self, UnusablePassword> {
        if text.len() > MAX_BYTES {
            return Err(UnusablePassword::TooLong);
        }
        Ok(Self(text.nfc().collect::<String>().into()))
    }

    /// A password that `email` wants to have from now on.
    ///
    /// # Errors
    /// If the policy refuses it.
    pub fn chosen(text: &str, email: &EmailAddress) -> Result<Self, UnusablePassword> {
        let password = Self::typed(text)?;
        let plain = password.0.expose_secret();
        let lower = plain.to_lowercase();
        let first = plain.chars().next();
        if plain.chars().count() < MIN_CHARACTERS {
            Err(UnusablePassword::TooShort)
        } else if lower == email.as_str() {
            Err(UnusablePassword::IsEmailAddress)
        } else if COMMON.contains(&lower.as_str()) || plain.chars().all(|letter| Some(letter) == first) {
            Err(UnusablePassword::Common)
        } else {
            Ok(password)
        }
    }

    /// The bytes to hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn pw_01_length_decides_and_forms_are_one() {
        let email = EmailAddress::parse("a@b.example").unwrap();
        assert_eq!(
            Password::chosen("fourteen chars", &email).unwrap_err(),
            UnusablePassword::TooShort
        );
        for good in [
            "fifteen chars!!",
            "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🐙",
            &"long ".repeat(100),
        ] {
            assert!(Password::chosen(good, &email).is_ok(), "{good}");
        }
        assert_eq!(
            Password::typed(&"x".repeat(10_000)).unwrap_err(),
            UnusablePassword::TooLong
        );
        let (composed, decomposed) = (Password::typed("\u{e9}").unwrap(), Password::typed("e\u{301}").unwrap());
        assert_eq!(composed.as_bytes(), decomposed.as_bytes());
    }

    #[test]
    fn pw_03_common_passwords_are_refused() {
        let email = EmailAddress::parse("somebody@long.example").unwrap();
        assert_eq!(
            Password::chosen("PasswordPassword", &email).unwrap_err(),
            UnusablePassword::Common
        );
        assert_eq!(
            Password::chosen(&"z".repeat(20), &email).unwrap_err(),
            UnusablePassword::Common
        );
        assert_eq!(
            Password::chosen("Somebody@long.example", &email).unwrap_err(),
            UnusablePassword::IsEmailAddress
        );
    }
}
