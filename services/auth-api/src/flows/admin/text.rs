//! Texts that people are shown.

/// Most characters of a name.
const MAX_CHARACTERS: usize = 200;

/// What [`is_name`] accepts.
pub(super) const NAME_RULE: &str = "must have 1 to 200 characters, none of them a control character, and not be blank";

/// Whether a text can be shown as a name.
pub(super) fn is_name(text: &str) -> bool {
    (1..=MAX_CHARACTERS).contains(&text.chars().count())
        && !text.chars().any(char::is_control)
        && !text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        assert!(is_name("Zoë & Söhne") && is_name(&"ü".repeat(200)));
        for bad in ["", " ", "a\nb", "a\u{0}b", "a\u{85}", &"x".repeat(201)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
