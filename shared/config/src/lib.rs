//! Settings of a process: default < TOML file < environment < flag, decoded into one typed `Settings`.
//!
//! Refuses names that it does not know, with the nearest that it does. Values never appear in its own error text but for
//! those of the wrong type, which no secret can be: a secret is a string.
//!
//! Names: key `http.listen` of service `auth-api` is `CREDO_AUTH_API_HTTP_LISTEN` in the environment, `listen` of the
//! table `[http]` in the file and `--set http.listen=…` as a flag. Every name takes the suffix `_FILE` (`_file` in the
//! file and in flags): the value is then read from the named file, without its trailing newline. An empty variable
//! counts as absent.

pub mod duration;
mod error;
mod file;
mod flags;
mod inputs;
pub mod list;
mod resolve;

use serde::de::DeserializeOwned;

pub use self::{error::ConfigError, flags::Flags, inputs::Inputs};

/// Which names a process knows.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The program's name, such as `auth-api`.
    pub service: &'static str,
    /// What the names of its own variables begin with, such as `CREDO_AUTH_API_`.
    pub env_prefix: &'static str,
    /// Variables that several services share, each with the key that it sets.
    pub shared: &'static [(&'static str, &'static str)],
    /// The service's own keys, such as `http.listen`.
    pub keys: &'static [&'static str],
}

impl Spec {
    /// The variable that sets `key`.
    #[must_use]
    pub fn variable(&self, key: &str) -> String {
        self.shared
            .iter()
            .find(|(_, shared_key)| *shared_key == key)
            .map_or_else(
                || format!("{}{}", self.env_prefix, key.replace('.', "_").to_uppercase()),
                |(variable, _)| (*variable).to_owned(),
            )
    }

    fn all_keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().copied().chain(self.shared.iter().map(|(_, key)| *key))
    }
}

/// Reads the settings of a service whose command line has only the flags of [`Flags`].
///
/// Ends the process by itself after `--help`, and with clap's message after an unknown flag.
///
/// # Errors
/// When a name is unknown, a file cannot be read, or a value has the wrong type or is missing.
pub fn load<S: DeserializeOwned>(spec: &Spec) -> Result<S, ConfigError> {
    let flags = flags::CommandLine::parse_for(spec.service);
    load_with(spec, &flags)
}

/// Reads the settings of a program that parses its own command line and flattens [`Flags`] into it.
///
/// # Errors
/// As [`load`].
pub fn load_with<S: DeserializeOwned>(spec: &Spec, flags: &Flags) -> Result<S, ConfigError> {
    Inputs::of_process(flags).decode(spec)
}
