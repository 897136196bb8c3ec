//! Dates as people read them, in UTC: the server does not know where the reader is.

use time::OffsetDateTime;

use super::{Language, messages::phrase};

/// A date and a time, in words.
pub(super) fn in_words(language: Language, instant: OffsetDateTime) -> String {
    let instant = instant.to_offset(time::UtcOffset::UTC);
    phrase(language, "instant")
        .with("day", instant.day().to_string())
        .count("month", u8::from(instant.month()).into())
        .with("year", instant.year().to_string())
        .with("time", format!("{:02}:{:02}", instant.hour(), instant.minute()))
        .plain()
}

/// The same for programs.
pub(super) fn for_programs(instant: &OffsetDateTime) -> String {
    let instant = instant.to_offset(time::UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}Z",
        instant.year(),
        u8::from(instant.month()),
        instant.day(),
        instant.hour(),
        instant.minute()
    )
}
