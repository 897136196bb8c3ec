//! Which passwords are accepted (NIST SP 800-63B-4 section 3.1.1.2): long ones, no composition rules, no truncation.

use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::UnicodeNormalization as _;

use crate::email_address::EmailAddress;

/// Fewest characters of a new password.
pub const MIN_CHARACTERS: usize = 15;
/// Most bytes that are ever hashed.
pub const MAX_BYTES: usize = 1_024;

/// Fewest letters that a password must have beside the names that anybody would try.
const MIN_OWN_CHARACTERS: usize = 8;
/// Shortest name that is looked for inside a password.
const MIN_NAME_CHARACTERS: usize = 3;
/// Longest piece that is looked for as the one thing that a password repeats.
const MAX_PIECE_CHARACTERS: usize = 16;

/// What stands in the lists of leaked passwords with digits and signs around it, or several times.
const COMMON_WORDS: [&str; 40] = [
    "access",
    "admin",
    "administrator",
    "asdfgh",
    "baseball",
    "batman",
    "changeme",
    "charlie",
    "computer",
    "default",
    "dragon",
    "facebook",
    "football",
    "freedom",
    "google",
    "hello",
    "iloveyou",
    "internet",
    "letmein",
    "liverpool",
    "login",
    "master",
    "michael",
    "monkey",
    "mustang",
    "passw0rd",
    "password",
    "passwort",
    "princess",
    "qwerty",
    "qwertz",
    "samsung",
    "secret",
    "shadow",
    "summer",
    "sunshine",
    "superman",
    "trustno",
    "welcome",
    "winter",
];
/// Long ones that stand there as they are.
const COMMON_PHRASES: [&str; 10] = [
    "correcthorsebatterystaple",
    "correct-horse-battery-staple",
    "iloveyousomuch!",
    "lordoftherings1",
    "maytheforcebewithyou",
    "p@ssw0rdp@ssw0rd",
    "passwordispassword",
    "thequickbrownfox",
    "tobeornottobethatisthequestion",
    "wherearetheavocados",
];
/// What fingers or children run along, forwards or backwards.
const RUNS: [&str; 6] = [
    "01234567890123456789012345678901234567890",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "qwertyuiop1234567890",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// The names that somebody would try who knows whose password it is.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The account's name.
    pub email: &'a EmailAddress,
    /// What people call the person.
    pub display_name: Option<&'a str>,
    /// What the tenant is called.
    pub tenant: &'a [&'a str],
}

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
    /// On every list of leaked passwords, a run of neighbours, or one thing repeated.
    #[error("the password is too common")]
    Common,
    /// It is little else than names that anybody would try.
    #[error("the password must not be made of the e-mail address or the names of person and tenant")]
    Guessable,
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

    /// A password that whoever has those names wants to have from now on.
    ///
    /// # Errors
    /// If the policy refuses it.
    pub fn chosen(text: &str, names: &Names<'_>) -> Result<Self, UnusablePassword> {
        let password = Self::typed(text)?;
        let plain = password.0.expose_secret();
        let lower = plain.to_lowercase();
        if plain.chars().count() < MIN_CHARACTERS {
            Err(UnusablePassword::TooShort)
        } else if is_common(&lower) {
            Err(UnusablePassword::Common)
        } else if names.make_up(&lower) {
            Err(UnusablePassword::Guessable)
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

impl Names<'_> {
    /// Whether a password is little else than these names.
    fn make_up(&self, lower: &str) -> bool {
        let email = self.email.as_str();
        let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
        let mut names: Vec<String> = [email, local, domain].map(ToOwned::to_owned).into();
        for name in self.display_name.iter().chain(self.tenant) {
            names.push(name.to_lowercase());
            names.extend(name.to_lowercase().split_whitespace().map(ToOwned::to_owned));
        }
        names.extend(
            domain
                .split('.')
                .chain(local.split(['.', '-', '_', '+']))
                .map(ToOwned::to_owned),
        );
        names.retain(|name| name.chars().count() >= MIN_NAME_CHARACTERS);
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let rest = names
            .iter()
            .fold(lower.to_owned(), |rest, name| rest.replace(name.as_str(), ""));
        rest != lower && rest.chars().filter(|letter| letter.is_alphabetic()).count() < MIN_OWN_CHARACTERS
    }
}

/// Whether a guesser would have a password among the first.
fn is_common(lower: &str) -> bool {
    let core = lower.trim_matches(|letter: char| !letter.is_alphabetic());
    let words: String = core.chars().filter(|letter| letter.is_alphanumeric()).collect();
    COMMON_PHRASES.contains(&lower)
        || repeats(lower)
        || is_run(lower)
        || is_run(&words)
        || COMMON_WORDS
            .iter()
            .any(|word| !words.is_empty() && words.replace(word, "").chars().all(char::is_numeric))
}

/// Whether a password is one short piece again and again, the last time perhaps not whole.
fn repeats(lower: &str) -> bool {
    let letters: Vec<char> = lower.chars().collect();
    (1..=MAX_PIECE_CHARACTERS.min(letters.len() / 2)).any(|length| {
        letters
            .iter()
            .zip(letters.iter().skip(length))
            .all(|(one, other)| one == other)
    })
}

/// Whether a password is a part of a run.
fn is_run(lower: &str) -> bool {
    let backwards: String = lower.chars().rev().collect();
    lower.len() >= MIN_OWN_CHARACTERS && RUNS.iter().any(|run| run.contains(lower) || run.contains(&backwards))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn chosen(text: &str) -> Result<Password, UnusablePassword> {
        let names = Names {
            email: &EmailAddress::parse("mary.poppins@long-street.example").unwrap(),
            display_name: Some("Mary Poppins"),
            tenant: &["cherry-tree", "Cherry Tree Lane"],
        };
        Password::chosen(text, &names)
    }

    #[test]
    fn pw_01_length_decides_and_forms_are_one() {
        for (length, good) in [(7, false), (8, false), (14, false), (15, true), (64, true), (128, true)] {
            let text: String = "unlikely plants grow beside canals where nobody walks; "
                .chars()
                .cycle()
                .take(length)
                .collect();
            assert_eq!(chosen(&text).is_ok(), good, "{length}");
        }
        for good in [
            "fifteen chars!!",
            "🦀🐙🦐🐌🦀🐙🦑🐚🦞🐡🐠🐟🐬🐳🐋",
            &"a long way, ".repeat(10),
        ] {
            assert!(Password::typed(good).is_ok(), "{good}");
        }
        assert!(chosen("🦀🐙🦐🐌🦀🐙🦑🐚🦞🐡🐠🐟🐬🐳🐋").is_ok());
        assert_eq!(chosen("ten spaces").unwrap_err(), UnusablePassword::TooShort);
        assert_eq!(
            Password::typed(&"x".repeat(10_000)).unwrap_err(),
            UnusablePassword::TooLong
        );
        let (composed, decomposed) = (Password::typed("\u{e9}").unwrap(), Password::typed("e\u{301}").unwrap());
        assert_eq!(composed.as_bytes(), decomposed.as_bytes());
    }

    #[test]
    fn pw_03_common_passwords_are_refused() {
        for text in [
            "PasswordPassword",
            "password12345678",
            "!!Administrator2024",
            "iloveyouiloveyou",
            "zzzzzzzzzzzzzzzzzzzz",
            "abcabcabcabcabca",
            "123456789012345",
            "987654321098765",
            "abcdefghijklmnop",
            "QWERTYUIOPASDFGH",
            "qwertyuiop123456",
            "letmeinletmeinletmein",
            "correcthorsebatterystaple",
        ] {
            assert_eq!(chosen(text).unwrap_err(), UnusablePassword::Common, "{text}");
        }
    }

    #[test]
    fn pw_03_names_of_person_and_tenant_are_refused_as_passwords() {
        for text in [
            "mary.poppins@long-street.example",
            "MaryPoppins-2024-!",
            "poppins poppins Mary",
            "cherry-tree-2024-x",
            "Cherry Tree Lane 17",
            "mary@cherry-tree!!",
        ] {
            assert_eq!(chosen(text).unwrap_err(), UnusablePassword::Guessable, "{text}");
        }
        for text in [
            "the cherry on the evening cake",
            "correct horse battery staple",
            "mary had a little sheep",
        ] {
            assert!(chosen(text).is_ok(), "{text}");
        }
    }
}
