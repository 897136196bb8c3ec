//! What can be wrong with settings, each with the name that the operator must look at.

use std::{io, path::PathBuf};

/// Why settings were refused. One line, names the setting, holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Nobody reads this name.
    #[error("unknown setting {name}{}", did_you_mean(.suggestion.as_deref()))]
    Unknown {
        /// The name as it was written.
        name: String,
        /// The nearest name that exists, in the same spelling, if one is near.
        suggestion: Option<String>,
    },
    /// One source gives a value and a file for the same setting.
    #[error("{name} and {name_of_file} are both set; keep one")]
    Twice {
        /// The name of the value.
        name: String,
        /// The name of the file.
        name_of_file: String,
    },
    /// A file that a setting names cannot be read.
    #[error("{name}: cannot read {}: {source}", .path.display())]
    Unreadable {
        /// The name of the setting.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The configuration file is not TOML.
    #[error("{}: {reason}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser says, without the offending line.
        reason: String,
    },
    /// A variable that is ours is not UTF-8.
    #[error("{name} is not UTF-8")]
    NotUtf8 {
        /// The variable.
        name: String,
    },
    /// `--set` without `=`.
    #[error("--set takes KEY=VALUE, got {argument:?}")]
    NotAnAssignment {
        /// The argument.
        argument: String,
    },
    /// A value has the wrong type, or a required one is missing.
    #[error("{reason} (set it with {variable})")]
    Value {
        /// What is wrong, with the key's name.
        reason: String,
        /// The variable that sets it.
        variable: String,
    },
    /// As [`ConfigError::Value`], where the key is not known.
    #[error("{reason}")]
    Decode {
        /// What is wrong.
        reason: String,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!(", did you mean {name}?"))
}
