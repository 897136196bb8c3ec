//! How answers look: tables for people, the API's own JSON for programs.
//!
//! Invariant: JSON and YAML are the API's message in proto3's canonical JSON, every field shown, so that a program may rely on it.

pub mod cell;
mod table;
mod yaml;

use clap::ValueEnum;
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde_json::Value;

pub use table::{grid, rows_under, table};
pub use yaml::yaml;

use crate::{catalogue::Noun, console, failure::Result};

/// What data look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// More columns.
    Wide,
    /// The API's message as JSON.
    Json,
    /// The same, one object a line.
    Jsonl,
    /// The same as YAML.
    Yaml,
    /// Ids alone, one a line.
    Name,
}

/// How the caller wants it.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub format: Format,
    pub headers: bool,
}

/// A message as canonical JSON, with every field.
///
/// # Errors
/// If it cannot be written so.
pub fn json(message: &DynamicMessage) -> Result<Value> {
    let options = SerializeOptions::new().skip_default_fields(false);
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}

/// Prints what `status`, `smoke` and the like found.
///
/// # Errors
/// If stdout refuses.
pub fn value(style: Style, value: &Value) -> Result<()> {
    match style.format {
        Format::Yaml => console::data(yaml(value).trim_end()),
        Format::Jsonl => console::data(value),
        _ => console::data(serde_json::to_string_pretty(value)?),
    }
}

/// Prints an answer. `items` are the resources in it.
///
/// # Errors
/// If stdout refuses.
pub fn answer(style: Style, noun: &Noun, whole: &DynamicMessage, items: &[DynamicMessage]) -> Result<()> {
    match style.format {
        Format::Json | Format::Yaml => value(style, &json(whole)?),
        Format::Jsonl if items.is_empty() => Ok(()),
        Format::Jsonl => items.iter().try_for_each(|item| console::data(json(item)?)),
        Format::Name => items
            .iter()
            .filter_map(|item| item.get_field_by_name(noun.id).map(|id| cell::text(&id)))
            .try_for_each(console::data),
        Format::Table | Format::Wide => {
            if items.is_empty() {
                console::note("there is none");
                return Ok(());
            }
            console::data(table(style, noun, items))
        }
    }
}

/// Prints one resource, field by field.
///
/// # Errors
/// If stdout refuses.
pub fn one(style: Style, noun: &Noun, whole: &DynamicMessage, items: &[DynamicMessage]) -> Result<()> {
    match (style.format, items) {
        (Format::Table | Format::Wide, [item]) => {
            let mut fields = cell::fields(item, "");
            fields.retain(|(_, value)| value != cell::NOTHING);
            console::data(grid(&fields))
        }
        _ => answer(style, noun, whole, items),
    }
}
