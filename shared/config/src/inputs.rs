//! The sources of settings, laid over each other in order of precedence and decoded.

use std::{collections::BTreeMap, env, ffi::OsString, fs, path::PathBuf};

use config::{Config, Value, ValueKind};
use serde::de::DeserializeOwned;

use crate::{ConfigError, Flags, Spec, file, resolve, resolve::Target};

/// Everything that settings can come from. Tests make one by hand.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The file of `--config`.
    pub config: Option<PathBuf>,
    /// The arguments of `--set`.
    pub set: Vec<String>,
    /// The environment.
    pub environment: Vec<(OsString, OsString)>,
}

impl Inputs {
    /// The process's environment, beside its flags.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn of_process(flags: &Flags) -> Self {
        Self {
            config: flags.config.clone(),
            set: flags.set.clone(),
            environment: env::vars_os().collect(),
        }
    }

    /// The settings that these inputs give.
    ///
    /// # Errors
    /// When a name is unknown, a file cannot be read, or a value has the wrong type or is missing.
    pub fn decode<S: DeserializeOwned>(&self, spec: &Spec) -> Result<S, ConfigError> {
        let variables = self.variables(spec)?;
        let mut merged = self.file_layer(spec, &variables)?;
        merged.extend(environment_layer(spec, &variables)?);
        merged.extend(self.flag_layer(spec)?);
        decode(spec, merged)
    }

    /// The variables that could be ours, without the empty ones.
    fn variables(&self, spec: &Spec) -> Result<BTreeMap<&str, &str>, ConfigError> {
        self.environment
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, value)| Some((name.to_str()?, value)))
            .filter(|(name, _)| {
                name.starts_with(spec.env_prefix) || spec.shared.iter().any(|(shared, _)| name.starts_with(shared))
            })
            .map(|(name, value)| {
                let value = value
                    .to_str()
                    .ok_or_else(|| ConfigError::NotUtf8 { name: name.to_owned() })?;
                Ok((name, value))
            })
            .collect()
    }

    fn file_layer(
        &self,
        spec: &Spec,
        variables: &BTreeMap<&str, &str>,
    ) -> Result<BTreeMap<String, Value>, ConfigError> {
        let variable = config_variable(spec);
        let (path, named_by) = match (&self.config, variables.get(variable.as_str())) {
            (Some(path), _) => (path.clone(), "--config"),
            (None, Some(path)) => (PathBuf::from(path), variable.as_str()),
            (None, None) => return Ok(BTreeMap::new()),
        };
        let mut layer = Layer::default();
        for (name, value) in file::read(&path, named_by)? {
            let target = resolve::key(spec, &name)?;
            layer.put(&name, target, from_toml(value))?;
        }
        Ok(layer.values)
    }

    fn flag_layer(&self, spec: &Spec) -> Result<BTreeMap<String, Value>, ConfigError> {
        let mut layer = Layer::default();
        for argument in &self.set {
            let (name, value) = argument.split_once('=').ok_or_else(|| ConfigError::NotAnAssignment {
                argument: argument.clone(),
            })?;
            layer.put(name, resolve::key(spec, name)?, value.into())?;
        }
        Ok(layer.values)
    }
}

fn config_variable(spec: &Spec) -> String {
    format!("{}CONFIG", spec.env_prefix)
}

fn environment_layer(spec: &Spec, variables: &BTreeMap<&str, &str>) -> Result<BTreeMap<String, Value>, ConfigError> {
    let mut layer = Layer::default();
    for (name, value) in variables {
        if *name == config_variable(spec) {
            continue;
        }
        if let Some(target) = resolve::variable(spec, name)? {
            layer.put(name, target, (*value).into())?;
        }
    }
    Ok(layer.values)
}

/// The values of one source. A value and a file for one key in the same source contradict each other.
#[derive(Default)]
struct Layer {
    values: BTreeMap<String, Value>,
    names: BTreeMap<String, String>,
}

impl Layer {
    fn put(&mut self, name: &str, target: Target, value: Value) -> Result<(), ConfigError> {
        let (key, value) = match target {
            Target::Value(key) => (key, value),
            Target::File(key) => (key, read_value(name, value)?),
        };
        match self.names.insert(key.clone(), name.to_owned()) {
            Some(earlier) if earlier != name => Err(ConfigError::Twice {
                name: earlier,
                name_of_file: name.to_owned(),
            }),
            _ => {
                self.values.insert(key, value);
                Ok(())
            }
        }
    }
}

fn read_value(name: &str, path: Value) -> Result<Value, ConfigError> {
    let path = path.into_string().map_err(|error| ConfigError::Decode {
        reason: format!("{name}: {error}"),
    })?;
    let content = fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable {
        name: name.to_owned(),
        path: PathBuf::from(&path),
        source,
    })?;
    let content = content.strip_suffix('\n').unwrap_or(&content);
    Ok(content.strip_suffix('\r').unwrap_or(content).into())
}

fn decode<S: DeserializeOwned>(spec: &Spec, values: BTreeMap<String, Value>) -> Result<S, ConfigError> {
    let mut builder = Config::builder();
    for (key, value) in values {
        builder = builder
            .set_override(key, value)
            .map_err(|error| explain(spec, &error))?;
    }
    builder
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|error| explain(spec, &error))
}

/// Adds the variable's name where the error names a key.
fn explain(spec: &Spec, error: &config::ConfigError) -> ConfigError {
    let reason = error.to_string();
    let key = spec
        .all_keys()
        .filter(|key| reason.contains(&format!("`{key}`")) || reason.contains(&format!("\"{key}\"")))
        .max_by_key(|key| key.len());
    match key {
        Some(key) => ConfigError::Value {
            variable: spec.variable(key),
            reason,
        },
        None => ConfigError::Decode { reason },
    }
}

fn from_toml(value: toml::Value) -> Value {
    let kind: ValueKind = match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(instant) => instant.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(from_toml).collect::<Vec<Value>>().into(),
        toml::Value::Table(table) => table
            .into_iter()
            .map(|(name, value)| (name, from_toml(value)))
            .collect::<config::Map<String, Value>>()
            .into(),
    };
    Value::new(None, kind)
}
