//! The contexts of this account: `contexts/NAME.json`, `current`, and `credentials/NAME.json` in one folder.

#[cfg(test)]
use std::path::Path;
use std::{fs, path::PathBuf};

use super::{Chosen, Context, overrides, private_file};
use crate::{
    environment,
    failure::{Failure, Kind, Result},
};

/// The folder.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The folder of this account.
    ///
    /// # Errors
    /// If the environment names none.
    pub fn of_this_account() -> Result<Self> {
        let folder = environment::config_folder()
            .ok_or_else(|| Failure::usage("no folder for contexts is known").next("set HOME or CREDO_CONFIG_DIR"))?;
        Ok(Self { folder })
    }

    #[cfg(test)]
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The context of this call: by name, else the current one, else what the environment says; the environment's variables
    /// win over the file's.
    ///
    /// # Errors
    /// If a named one is not there.
    pub fn choose(&self, name: Option<&str>) -> Result<Chosen> {
        let name = match name {
            Some(name) => Some(name.to_owned()),
            None => self.current()?,
        };
        let context = match &name {
            Some(name) => self.load(name)?,
            None => Context::default(),
        };
        Ok(Chosen {
            name,
            context: overrides::with_environment(context),
        })
    }

    /// A context by name.
    ///
    /// # Errors
    /// If there is none, or its file is damaged or open to others.
    pub fn load(&self, name: &str) -> Result<Context> {
        let path = self.file("contexts", name)?;
        let Some(text) = private_file::read(&path)? else {
            let known = self.names()?.join(", ");
            let known = if known.is_empty() {
                "there is none yet".to_owned()
            } else {
                format!("there is {known}")
            };
            return Err(
                Failure::new(Kind::NotFound, format!("no context is called {name}: {known}"))
                    .next("credoctl context list, or credoctl context add"),
            );
        };
        serde_json::from_str(&text).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
    }

    /// Writes a context.
    ///
    /// # Errors
    /// If the name cannot be a file's, or the file system refuses.
    pub fn save(&self, name: &str, context: &Context) -> Result<()> {
        let text = serde_json::to_string_pretty(context)?;
        private_file::write(&self.file("contexts", name)?, &(text + "\n"))
    }

    /// Forgets a context and what is kept for it; whether it was there.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn remove(&self, name: &str) -> Result<bool> {
        private_file::remove(&self.credentials(name)?)?;
        if self.current()?.as_deref() == Some(name) {
            private_file::remove(&self.folder.join("current"))?;
        }
        private_file::remove(&self.file("contexts", name)?)
    }

    /// Every name, in order.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let Ok(entries) = fs::read_dir(self.folder.join("contexts")) else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for entry in entries {
            let file = entry?.file_name();
            if let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".json")) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The current one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn current(&self) -> Result<Option<String>> {
        let text = private_file::read(&self.folder.join("current"))?;
        Ok(text.map(|text| text.trim().to_owned()).filter(|name| !name.is_empty()))
    }

    /// Makes one the current one.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn set_current(&self, name: &str) -> Result<()> {
        self.load(name)?;
        private_file::write(&self.folder.join("current"), &format!("{name}\n"))
    }

    /// Where what was learnt at a login is kept.
    ///
    /// # Errors
    /// If the name cannot be a file's.
    pub fn credentials(&self, name: &str) -> Result<PathBuf> {
        self.file("credentials", name)
    }

    fn file(&self, kind: &str, name: &str) -> Result<PathBuf> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(plain) {
            return Err(Failure::usage(format!(
                "a context is named by up to 64 letters, digits, -, _ and . and does not begin with a dot: {name:?}"
            )));
        }
        Ok(self.folder.join(kind).join(format!("{name}.json")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_kept_chosen_and_forgotten() {
        let folder = std::env::temp_dir().join(format!("credoctl-store-{}", std::process::id()));
        let store = Store::at(&folder);
        assert_eq!(store.names().unwrap(), Vec::<String>::new());
        let context = Context {
            tenant: Some("demo".to_owned()),
            ..Context::default()
        };
        store.save("local", &context).unwrap();
        store.save("other", &Context::default()).unwrap();
        assert_eq!(store.names().unwrap(), ["local", "other"]);
        assert_eq!(store.load("local").unwrap(), context);
        store.set_current("local").unwrap();
        assert_eq!(store.current().unwrap().as_deref(), Some("local"));
        assert_eq!(store.set_current("absent").unwrap_err().kind, Kind::NotFound);
        assert!(store.remove("local").unwrap() && !store.remove("local").unwrap());
        assert_eq!(store.current().unwrap(), None);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn names_stay_inside_the_folder() {
        let store = Store::at(Path::new("/nowhere"));
        for name in ["", "..", "a/b", ".hidden", "a\0", "ä"] {
            assert_eq!(store.load(name).unwrap_err().kind, Kind::Usage, "{name:?}");
        }
    }

    #[test]
    fn unknown_settings_are_refused() {
        assert!(serde_json::from_str::<Context>(r#"{"tennant":"demo"}"#).is_err());
    }
}
