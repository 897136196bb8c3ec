//! What the members of a profile must be like. Syntax alone: whether a number or a page is somebody's is not looked at.

use time::{Date, Month};
use url::Url;

/// Most characters of a member.
const MAX_CHARACTERS: usize = 200;
/// Longest URL, in bytes.
const MAX_URL_BYTES: usize = 1_024;
/// Longest name of a time zone or a locale, in bytes.
const MAX_TAG_BYTES: usize = 64;

/// A line that people are shown.
pub(super) fn is_text(text: &str) -> bool {
    text.chars().count() <= MAX_CHARACTERS && !text.chars().any(char::is_control) && !text.trim().is_empty()
}

/// An http or https URL.
pub(super) fn is_url(text: &str) -> bool {
    let plain = text.len() <= MAX_URL_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain
        && Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        })
}

/// `YYYY-MM-DD`, `0000-MM-DD` or `YYYY`.
pub(super) fn is_birthdate(text: &str) -> bool {
    let number = |digits: &str, length| {
        (digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse::<u16>().ok())
            .flatten()
    };
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let Some(year) = year.and_then(|year| number(year, 4)).filter(|_| parts.next().is_none()) else {
        return false;
    };
    match (month, day) {
        (None, None) => year > 0,
        (Some(month), Some(day)) => {
            let month = number(month, 2).and_then(|month| Month::try_from(u8::try_from(month).ok()?).ok());
            let day = number(day, 2).and_then(|day| u8::try_from(day).ok());
            let year = if year == 0 { 2_000 } else { i32::from(year) }; // the year is withheld: 29 February may be
            month
                .zip(day)
                .is_some_and(|(month, day)| Date::from_calendar_date(year, month, day).is_ok())
        }
        _ => false,
    }
}

/// The form of a name of the IANA time zone database; the database itself changes too often to be asked.
pub(super) fn is_zone(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    text.len() <= MAX_TAG_BYTES && text.split('/').all(part)
}

/// The form of a language tag (BCP 47).
pub(super) fn is_locale(text: &str) -> bool {
    let mut subtags = text.split(['-', '_']); // some send en_US, and the specification lets them
    let subtag = |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let language = subtags.next().unwrap_or_default();
    text.len() <= MAX_TAG_BYTES
        && (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(subtag)
}

/// E.164 with an extension if need be.
pub(super) fn is_phone_number(text: &str) -> bool {
    let digits = |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, extension) = text
        .split_once(";ext=")
        .map_or((text, None), |(number, extension)| (number, Some(extension)));
    number
        .strip_prefix('+')
        .is_some_and(|number| number.len() >= 5 && digits(number, 15) && !number.starts_with('0'))
        && extension.is_none_or(|extension| digits(extension, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(rule(text), "{text:?}");
        }
        for text in bad {
            assert!(!rule(text), "{text:?}");
        }
    }

    #[test]
    fn texts_are_short_and_plain() {
        check(
            is_text,
            &["Zoë", &"ü".repeat(200)],
            &["", " ", "a\nb", "a\u{0}", &"x".repeat(201)],
        );
    }

    #[test]
    fn urls_are_of_the_web() {
        let bad = [
            "javascript:alert(1)",
            "data:image/png,x",
            "//a.example/x",
            "https://u@a.example/",
            "x",
            "https://ä.example/",
        ];
        check(is_url, &["https://a.example/p.png", "http://a.example/"], &bad);
    }

    #[test]
    fn birthdates_are_days_or_years() {
        let bad = [
            "1990-02-29",
            "1990-13-01",
            "1990-1-1",
            "90-01-01",
            "0000",
            "1990-01",
            "1990-01-01-01",
            "+990-01-01",
            "",
        ];
        check(is_birthdate, &["1990-02-28", "2000-02-29", "0000-02-29", "1990"], &bad);
    }

    #[test]
    fn zones_and_locales_have_their_form() {
        check(
            is_zone,
            &["Europe/Zurich", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+1"],
            &["", "/etc/passwd", "Europe/", "../x", "Europe Zurich"],
        );
        check(
            is_locale,
            &["de", "de-CH", "en_US", "zh-Hant-TW"],
            &["", "d", "de-", "1e", "de--CH", "de-CHCHCHCHC"],
        );
    }

    #[test]
    fn phone_numbers_are_international() {
        let bad = [
            "0446681800",
            "+041446681800",
            "+41 44 668 18 00",
            "+1",
            "+1234567890123456",
            "+41446681800;ext=",
            "tel:+41446681800",
            "",
        ];
        check(is_phone_number, &["+41446681800", "+16045551234;ext=5678"], &bad);
    }
}
