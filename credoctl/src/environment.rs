//! The one place that reads the environment. An empty variable is none.

use std::path::PathBuf;

/// A variable.
#[expect(
    clippy::disallowed_methods,
    reason = "credoctl is no service: its context may be overridden by the environment, and only here"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The folder of contexts and credentials: `CREDO_CONFIG_DIR`, or by the XDG base directories.
pub fn config_folder() -> Option<PathBuf> {
    if let Some(folder) = variable("CREDO_CONFIG_DIR") {
        return Some(folder.into());
    }
    let base = match variable("XDG_CONFIG_HOME") {
        Some(base) => PathBuf::from(base),
        None => PathBuf::from(variable("HOME")?).join(".config"),
    };
    Some(base.join("credo"))
}

/// Whether colours are unwelcome: <https://no-color.org>.
pub fn no_color() -> bool {
    variable("NO_COLOR").is_some() || variable("TERM").is_some_and(|terminal| terminal == "dumb")
}
