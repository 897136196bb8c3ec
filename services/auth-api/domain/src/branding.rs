//! What a tenant's pages look like: a colour for light and one for dark, and a logo.
//!
//! Refuses a colour that people could not read (WCAG 2.2, success criterion 1.4.3): it is the colour of links on the page's
//! surfaces and lies under the text of buttons. Refuses a logo that is not a small PNG image. The surfaces are those of
//! `assets/credo.css`; a test of the pages compares both.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Least contrast of text against what it stands on.
pub const MIN_CONTRAST: f64 = 4.5;
/// Largest logo, in bytes.
pub const MAX_LOGO_BYTES: usize = 32 * 1_024;
/// Longest side of a logo, in pixels.
const MAX_LOGO_SIDE: u32 = 1_024;
/// How every PNG image begins (PNG specification section 5.2), and its first chunk's length and name.
const PNG_START: [u8; 16] = *b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

/// Card and text of buttons, page.
const LIGHT: [Color; 2] = [Color::new(0xff, 0xff, 0xff), Color::new(0xf3, 0xf4, 0xf7)];
/// Page, card, notes, text of buttons.
const DARK: [Color; 4] = [
    Color::new(0x0e, 0x10, 0x14),
    Color::new(0x17, 0x1a, 0x20),
    Color::new(0x1f, 0x23, 0x2b),
    Color::new(0x10, 0x13, 0x1c),
];

/// A colour of the sRGB space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Color([u8; 3]);

/// Which of the two ways a page is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Dark text on a light page.
    Light,
    /// Light text on a dark page.
    Dark,
}

/// How a tenant's pages differ from the plain ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appearance {
    /// The accent on light pages.
    pub accent_color: Option<Color>,
    /// The accent on dark pages.
    pub accent_color_dark: Option<Color>,
    /// The SHA-256 of its logo, if it has one.
    pub logo_sha256: Option<[u8; 32]>,
}

/// A text that is no colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a colour like #2f4fd0, in lower case")]
pub struct InvalidColor;

/// A colour that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("has a contrast of {ratio:.2}:1 against {against}; it must have 4.5:1 at least")]
pub struct LowContrast {
    /// The contrast, 1 to 21.
    pub ratio: f64,
    /// What it cannot be told from.
    pub against: Color,
}

/// Why a logo is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLogo {
    /// Too many bytes.
    #[error("must have 32768 bytes at most")]
    TooLarge,
    /// Something else.
    #[error("must be a PNG image")]
    NotPng,
    /// Too many pixels, or none.
    #[error("must be 1 to 1024 pixels wide and high")]
    TooWide,
}

impl Color {
    /// A colour by its red, green and blue.
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// The contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl FromStr for Color {
    type Err = InvalidColor;

    fn from_str(text: &str) -> Result<Self, InvalidColor> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let digits = digits.ok_or(InvalidColor)?;
        if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(InvalidColor);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| InvalidColor)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self::new(red, green, blue))
    }
}

impl fmt::Display for Color {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(formatter, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Scheme {
    /// What the accent stands on, and what stands on the accent.
    #[must_use]
    pub const fn neighbours(self) -> &'static [Color] {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
        }
    }

    /// Whether an accent can be read on these pages.
    ///
    /// # Errors
    /// If it cannot: how low the lowest contrast is.
    pub fn check_accent(self, accent: Color) -> Result<(), LowContrast> {
        let all = self.neighbours().iter().map(|neighbour| LowContrast {
            ratio: accent.contrast(*neighbour),
            against: *neighbour,
        });
        match all.min_by(|one, other| one.ratio.total_cmp(&other.ratio)) {
            Some(lowest) if lowest.ratio < MIN_CONTRAST => Err(lowest),
            _ => Ok(()),
        }
    }
}

/// Whether these bytes can be a logo.
///
/// # Errors
/// If they are too many, no PNG image, or one that is too large to draw.
pub fn check_logo(bytes: &[u8]) -> Result<(), InvalidLogo> {
    if bytes.len() > MAX_LOGO_BYTES {
        return Err(InvalidLogo::TooLarge);
    }
    let rest = bytes.strip_prefix(&PNG_START).ok_or(InvalidLogo::NotPng)?;
    let side = |at: usize| -> Option<u32> {
        let bytes = rest.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    match (side(0), side(4)) {
        (Some(1..=MAX_LOGO_SIDE), Some(1..=MAX_LOGO_SIDE)) => Ok(()),
        (Some(_), Some(_)) => Err(InvalidLogo::TooWide),
        _ => Err(InvalidLogo::NotPng),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn color(text: &str) -> Color {
        text.parse().unwrap()
    }

    #[test]
    fn colours_are_six_lower_case_digits() {
        assert_eq!(color("#2f4fd0").to_string(), "#2f4fd0");
        for bad in [
            "",
            "#",
            "2f4fd0",
            "#2F4FD0",
            "#2f4fd",
            "#2f4fd00",
            "#2f4fdg",
            "#+f4fd0",
            "red",
            "#\u{fc}\u{fc}\u{fc}",
        ] {
            assert_eq!(bad.parse::<Color>(), Err(InvalidColor), "{bad}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        for (one, other, expected) in [
            ("#000000", "#ffffff", 21.0),
            ("#ffffff", "#ffffff", 1.0),
            ("#767676", "#ffffff", 4.54),
            ("#777777", "#ffffff", 4.48),
        ] {
            let ratio = color(one).contrast(color(other));
            assert!((ratio - expected).abs() < 0.005, "{one} {other}: {ratio}");
        }
    }

    #[test]
    fn accents_that_cannot_be_read_are_refused_by_name_of_the_ratio() {
        Scheme::Light.check_accent(color("#2f4fd0")).unwrap();
        Scheme::Dark.check_accent(color("#9fb3ff")).unwrap();
        let refused = Scheme::Light.check_accent(color("#767676")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "has a contrast of 4.13:1 against #f3f4f7; it must have 4.5:1 at least"
        );
        assert!(Scheme::Light.check_accent(color("#9fb3ff")).is_err());
        assert!(Scheme::Dark.check_accent(color("#2f4fd0")).is_err());
    }

    #[test]
    fn logos_are_small_png_images() {
        let png = |width: u32, height: u32| [&PNG_START[..], &width.to_be_bytes(), &height.to_be_bytes()].concat();
        check_logo(&png(1, 1_024)).unwrap();
        assert_eq!(check_logo(&png(0, 1)), Err(InvalidLogo::TooWide));
        assert_eq!(check_logo(&png(1, 1_025)), Err(InvalidLogo::TooWide));
        assert_eq!(check_logo(&png(1, 1)[..20]), Err(InvalidLogo::NotPng));
        for bad in [&b""[..], b"<svg onload=alert(1)>", b"GIF89a", b"\x89PNG\r\n\x1a\n"] {
            assert_eq!(check_logo(bad), Err(InvalidLogo::NotPng));
        }
        let large = [png(1, 1), vec![0; MAX_LOGO_BYTES]].concat();
        assert_eq!(check_logo(&large), Err(InvalidLogo::TooLarge));
    }
}
