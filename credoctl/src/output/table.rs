//! Columns without lines, so that they can be cut by other programs too.

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use prost_reflect::DynamicMessage;

use super::{Format, Style, cell};
use crate::{catalogue::Noun, console::Paint};

/// The resources of a noun.
pub fn table(style: Style, noun: &Noun, items: &[DynamicMessage]) -> String {
    let mut columns = noun.columns.to_vec();
    if style.format == Format::Wide {
        columns.extend_from_slice(noun.wide);
    }
    let head: Vec<_> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    let rows = items
        .iter()
        .map(|item| columns.iter().map(|(_, path)| cell::at(item, path)).collect());
    rows_under(style.headers.then_some(head), rows)
}

/// Rows under a head.
pub fn rows_under(head: Option<Vec<String>>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let paint = Paint::for_stdout();
    let mut table = empty();
    if let Some(head) = &head {
        table.add_row(head);
    }
    for row in rows {
        table.add_row(row);
    }
    tidy(&mut table);
    let text = trimmed(&table);
    // Painted afterwards: the width of a column is that of its letters.
    match (head, text.split_once('\n')) {
        (Some(_), Some((first, rest))) => format!("{}\n{rest}", paint.bold(first)),
        (Some(_), None) => paint.bold(&text),
        (None, _) => text,
    }
}

/// Names and values side by side.
pub fn grid(fields: &[(String, String)]) -> String {
    let mut table = empty();
    for (name, value) in fields {
        table.add_row([name, value]);
    }
    tidy(&mut table);
    trimmed(&table)
}

fn empty() -> Table {
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn tidy(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
}

fn trimmed(table: &Table) -> String {
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
