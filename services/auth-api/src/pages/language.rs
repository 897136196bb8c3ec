//! Which language a page speaks.
//!
//! What the person chose on the page itself goes before what the client asks for (`ui_locales`, OpenID Connect Core section
//! 3.1.2.1), that before what they chose on an earlier day (a cookie), and that before what the browser is set to
//! (`Accept-Language`, RFC 9110 section 12.5.4). A language that we do not speak is never an error.

/// The parameter in the query of our own pages by which a person chooses a language.
pub const LANGUAGE_PARAMETER: &str = "language";

/// Most language ranges that are looked at: more are noise.
const MAX_RANGES: usize = 32;

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// All of them, as the pages list them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its tag (RFC 5646).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Its name, in itself.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// Which way it is written.
    #[must_use]
    pub const fn direction(self) -> &'static str {
        match self {
            Self::English | Self::German => "ltr",
        }
    }

    /// The language of that tag exactly: what our own links and cookies carry.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The first language of a space-delimited list of tags (`ui_locales`) that we speak: `de-CH` is German.
    #[must_use]
    pub fn from_locales(locales: &str) -> Option<Self> {
        locales.split(' ').take(MAX_RANGES).find_map(Self::of_range)
    }

    /// The most wanted language of an `Accept-Language` header that we speak.
    #[must_use]
    pub fn from_accept_language(header: &str) -> Option<Self> {
        let mut wanted: Vec<(u16, Self)> = Vec::new();
        for item in header.split(',').take(MAX_RANGES) {
            let (range, parameters) = item.split_once(';').unwrap_or((item, ""));
            let weight = weight(parameters);
            if let Some(language) = Self::of_range(range.trim()).filter(|_| weight > 0) {
                wanted.push((weight, language));
            }
        }
        // Of equal weights the first: the sort is stable.
        wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        wanted.first().map(|(_, language)| *language)
    }

    fn of_range(range: &str) -> Option<Self> {
        let primary = range.split(['-', '_']).next()?;
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

/// `q`, in thousandths; what cannot be read counts as unwanted.
fn weight(parameters: &str) -> u16 {
    let Some(value) = parameters.split(';').find_map(|one| one.trim().strip_prefix("q=")) else {
        return 1_000;
    };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    let thousandths = format!("{fraction:0<3}").parse().unwrap_or(0);
    match whole {
        "0" => thousandths,
        "1" => 1_000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_spoken_wins() {
        assert_eq!(Language::from_locales("fr-CA de-CH en"), Some(Language::German));
        assert_eq!(Language::from_locales("EN_gb de"), Some(Language::English));
        for nothing in ["", " ", "fr", "deutsch", "*", "\u{0}"] {
            assert_eq!(Language::from_locales(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn weights_order_what_the_browser_accepts() {
        let cases = [
            ("de", Some(Language::German)),
            ("en;q=0.5, de;q=0.9", Some(Language::German)),
            ("en, de", Some(Language::English)),
            ("fr, de-AT;q=0.7, en;q=0.3", Some(Language::German)),
            ("de;q=0, en;q=0.1", Some(Language::English)),
            ("de;q=0", None),
            ("de;q=2, en;q=0.001", Some(Language::English)),
            ("de;q=abc", None),
            ("*", None),
            ("", None),
        ];
        for (header, expected) in cases {
            assert_eq!(Language::from_accept_language(header), expected, "{header}");
        }
    }
}
