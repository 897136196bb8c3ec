//! One value as a person reads it.

use std::fmt::Write as _;

use prost_reflect::{DynamicMessage, Kind, ReflectMessage as _, Value};
use time::{OffsetDateTime, macros::format_description};

use crate::console::harmless;

/// What stands where there is nothing.
pub const NOTHING: &str = "-";

/// A field of a message by its path, such as `branding.accent_color`.
pub fn at(message: &DynamicMessage, path: &str) -> String {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(field) = message.descriptor().get_field_by_name(name) else {
        return NOTHING.to_owned();
    };
    if field.supports_presence() && !message.has_field(&field) {
        return NOTHING.to_owned();
    }
    let value = message.get_field(&field);
    match (&*value, rest) {
        (Value::Message(inner), rest) if !rest.is_empty() => at(inner, rest),
        (Value::EnumNumber(number), _) => enum_name(&field.kind(), *number),
        (value, _) => text(value),
    }
}

/// An enum's value without the prefix that its type's name repeats.
pub fn enum_name(kind: &Kind, number: i32) -> String {
    let Some((values, value)) = kind
        .as_enum()
        .and_then(|values| Some((values, values.get_value(number)?)))
    else {
        return number.to_string();
    };
    short_enum_name(values.default_value().name(), value.name())
}

/// `TENANT_STATUS_ACTIVE` beside `TENANT_STATUS_UNSPECIFIED` as `active`.
pub fn short_enum_name(default: &str, name: &str) -> String {
    let prefix = default.strip_suffix("UNSPECIFIED").unwrap_or_default();
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_ascii_lowercase()
        .replace('_', "-")
}

/// A value.
pub fn text(value: &Value) -> String {
    let text = match value {
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::I32(number) | Value::EnumNumber(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::U32(number) => number.to_string(),
        Value::U64(number) => number.to_string(),
        Value::F32(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        Value::String(text) => harmless(text),
        Value::Bytes(bytes) => hex(bytes),
        Value::List(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        Value::Message(message) => of_message(message),
        Value::Map(entries) => format!("{} entries", entries.len()),
    };
    if text.is_empty() { NOTHING.to_owned() } else { text }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

fn of_message(message: &DynamicMessage) -> String {
    let part = |name: &str| {
        message
            .get_field_by_name(name)
            .and_then(|value| value.as_i64().or(value.as_i32().map(i64::from)))
    };
    let (seconds, nanos) = (part("seconds").unwrap_or_default(), part("nanos").unwrap_or_default());
    match message.descriptor().full_name() {
        "google.protobuf.Timestamp" => instant(seconds, nanos),
        "google.protobuf.Duration" => duration(seconds, nanos),
        _ => fields(message, "")
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join(","),
    }
}

/// An instant, to the second, in UTC.
pub fn instant(seconds: i64, nanos: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(seconds).map(|at| at + time::Duration::nanoseconds(nanos));
    at.ok()
        .and_then(|at| {
            at.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
                .ok()
        })
        .unwrap_or_else(|| NOTHING.to_owned())
}

/// A span in the largest two units, such as `3m12s`.
pub fn duration(seconds: i64, nanos: i64) -> String {
    match seconds {
        0 => format!("{}ms", nanos / 1_000_000),
        1..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// Every field that says something, by name, those of messages inside too.
pub fn fields(message: &DynamicMessage, prefix: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut fields: Vec<_> = message.descriptor().fields().collect();
    fields.sort_by_key(prost_reflect::FieldDescriptor::number);
    for field in fields {
        if field.supports_presence() && !message.has_field(&field) {
            continue;
        }
        let name = format!("{prefix}{}", field.name());
        match &*message.get_field(&field) {
            Value::Message(inner) if !inner.descriptor().full_name().starts_with("google.protobuf.") => {
                found.extend(self::fields(inner, &format!("{name}.")));
            }
            Value::List(items) if field.kind().as_message().is_some() => {
                for (index, item) in items.iter().enumerate() {
                    found.push((format!("{name}[{index}]"), text(item)));
                }
            }
            Value::EnumNumber(number) => found.push((name, enum_name(&field.kind(), *number))),
            value => found.push((name, text(value))),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_people() {
        assert_eq!(instant(1_700_000_000, 0), "2023-11-14T22:13:20Z");
        assert_eq!(duration(0, 12_000_000), "12ms");
        assert_eq!(duration(192, 0), "3m12s");
        assert_eq!(duration(90_000, 0), "1d1h");
        assert_eq!(short_enum_name("RATE_CLASS_UNSPECIFIED", "RATE_CLASS_AUTH"), "auth");
        assert_eq!(
            text(&Value::List(vec![
                Value::String("a\n".to_owned()),
                Value::String("b".to_owned())
            ])),
            "a\\u{a} b"
        );
    }
}
