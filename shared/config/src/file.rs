//! The TOML file: its tables flattened to dotted keys.

use std::{fs, path::Path};

use toml::{Table, Value};

use crate::ConfigError;

/// Every leaf of the file with its dotted key.
pub(crate) fn read(path: &Path, named_by: &str) -> Result<Vec<(String, Value)>, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        name: named_by.to_owned(),
        path: path.to_owned(),
        source,
    })?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
        path: path.to_owned(),
        reason: error.message().to_owned(),
    })?;
    let mut leaves = Vec::new();
    flatten("", table, &mut leaves);
    Ok(leaves)
}

fn flatten(prefix: &str, table: Table, leaves: &mut Vec<(String, Value)>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Value::Table(inner) => flatten(&key, inner, leaves),
            leaf => leaves.push((key, leaf)),
        }
    }
}
