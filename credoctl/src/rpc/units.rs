//! Instants and spans as people type them.

use std::collections::BTreeMap;

use credo_clock::SystemClock;
use prost_reflect::{DynamicMessage, MessageDescriptor, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::failure::{Failure, Result};

/// `now`, `2026-11-23T10:00:00Z`, or a span before now such as `15m`.
///
/// # Errors
/// If it is none of these.
pub fn instant(text: &str) -> Result<(i64, i32)> {
    let now = SystemClock::new().now();
    let at = if text == "now" {
        Some(now)
    } else if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
        Some(at)
    } else {
        span(text)
            .ok()
            .and_then(|seconds| now.checked_sub(time::Duration::seconds(seconds)))
    };
    let at = at.ok_or_else(|| {
        Failure::usage(format!(
            "{text:?} is no instant: 2026-11-23T10:00:00Z, now, or 15m ago as 15m"
        ))
    })?;
    Ok((at.unix_timestamp(), i32::try_from(at.nanosecond()).unwrap_or_default()))
}

/// Seconds of a span such as `90s`, `15m`, `24h`, `30d` or `1h30m`.
///
/// # Errors
/// If it is none.
pub fn span(text: &str) -> Result<i64> {
    let bad = || Failure::usage(format!("{text:?} is no span: 90s, 15m, 24h, 30d, 1h30m"));
    let units = BTreeMap::from([('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)]);
    let (mut total, mut number) = (0_i64, String::new());
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let unit = units.get(&letter).ok_or_else(bad)?;
        let count: i64 = number.parse().map_err(|_| bad())?;
        total = count
            .checked_mul(*unit)
            .and_then(|more| total.checked_add(more))
            .ok_or_else(bad)?;
        number.clear();
    }
    if text.is_empty() || !number.is_empty() {
        return Err(bad());
    }
    Ok(total)
}

/// As a Timestamp or a Duration.
pub fn message(kind: &MessageDescriptor, seconds: i64, nanos: i32) -> Value {
    let mut message = DynamicMessage::new(kind.clone());
    message.set_field_by_name("seconds", Value::I64(seconds));
    message.set_field_by_name("nanos", Value::I32(nanos));
    Value::Message(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_instants_are_read() {
        assert_eq!(span("1h30m").unwrap(), 5_400);
        assert_eq!(span("0s").unwrap(), 0);
        for bad in ["", "15", "m", "1w", "9999999999999999999d", "1.5h"] {
            assert!(span(bad).is_err(), "{bad}");
        }
        assert_eq!(instant("2023-11-14T22:13:20.5Z").unwrap(), (1_700_000_000, 500_000_000));
        let (now, ago) = (instant("now").unwrap().0, instant("1h").unwrap().0);
        assert!((3_595..=3_605).contains(&(now - ago)));
        assert!(instant("yesterday").is_err());
    }
}
