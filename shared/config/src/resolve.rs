//! From a name as it is written to the key that it sets. Refuses names that nobody reads.

use crate::{ConfigError, Spec};

/// What a name sets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The key takes the value as it stands.
    Value(String),
    /// The key takes the content of the file that the value names.
    File(String),
}

/// The target of a variable; `None` if the variable is not ours to judge.
pub(crate) fn variable(spec: &Spec, name: &str) -> Result<Option<Target>, ConfigError> {
    let known: Vec<(String, &str)> = spec.all_keys().map(|key| (spec.variable(key), key)).collect();
    if let Some(target) = find(&known, name, "_FILE") {
        return Ok(Some(target));
    }
    if name.starts_with(spec.env_prefix) {
        return Err(unknown(name, known.iter().map(|(variable, _)| variable.as_str())));
    }
    Ok(None)
}

/// The target of a key in the file or in a flag.
pub(crate) fn key(spec: &Spec, name: &str) -> Result<Target, ConfigError> {
    let known: Vec<(String, &str)> = spec.all_keys().map(|key| (key.to_owned(), key)).collect();
    find(&known, name, "_file").ok_or_else(|| unknown(name, spec.all_keys()))
}

/// An exact name goes before one with the suffix, because a key may itself end so.
fn find(known: &[(String, &str)], name: &str, suffix: &str) -> Option<Target> {
    let named = |wanted: &str| {
        known
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, key)| (*key).to_owned())
    };
    named(name)
        .map(Target::Value)
        .or_else(|| named(name.strip_suffix(suffix)?).map(Target::File))
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> ConfigError {
    const NEAR: f64 = 0.8;
    let suggestion = known
        .map(|candidate| (strsim::jaro_winkler(candidate, name), candidate))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate.to_owned());
    ConfigError::Unknown {
        name: name.to_owned(),
        suggestion,
    }
}
