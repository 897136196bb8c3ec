//! Where everything of a stack lies: `.credo/<stack>/` in the checkout, and `.credo/cache/` for what stacks share.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

/// The folders and files of one stack.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
    stack: String,
}

impl Layout {
    /// The layout of `stack` in the checkout around the working directory or, failing that, around this program.
    ///
    /// # Errors
    /// If there is no checkout, or the name cannot be a folder's.
    pub fn find(stack: &str) -> Result<Self> {
        ensure!(
            is_stack_name(stack),
            "a stack is named by up to 20 of a-z, 0-9 and -, but for `cache`: {stack:?}"
        );
        let here = env::current_dir().context("there is no working directory")?;
        let program = env::current_exe().context("cannot find this program")?;
        let root = here
            .ancestors()
            .chain(program.ancestors())
            .find(|folder| folder.join("deploy/local/kafka/pom.xml").is_file())
            .context("run this inside a checkout of Credo")?;
        Ok(Self {
            root: root.to_owned(),
            stack: stack.to_owned(),
        })
    }

    /// The checkout.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The stack's name, such as `run`.
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// The stack's folder.
    pub fn folder(&self) -> PathBuf {
        self.root.join(".credo").join(&self.stack)
    }

    /// What all stacks of the checkout share and `reset` keeps.
    pub fn cache(&self) -> PathBuf {
        self.root.join(".credo/cache")
    }

    /// A file or folder of the stack.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The log of a part or of a step.
    pub fn log(&self, name: &str) -> PathBuf {
        self.folder().join("logs").join(format!("{name}.log"))
    }

    /// The control socket, relative to the checkout: an absolute path could be longer than a socket's may be.
    pub fn socket(&self) -> PathBuf {
        Path::new(".credo").join(&self.stack).join("control.sock")
    }

    /// Makes the folders and enters the checkout, to which the socket's path is relative.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn prepare(&self) -> Result<()> {
        for folder in [self.folder().join("logs"), self.cache()] {
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        self.enter()
    }

    /// Enters the checkout.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn enter(&self) -> Result<()> {
        env::set_current_dir(&self.root).with_context(|| format!("cannot enter {}", self.root.display()))
    }
}

/// A program that was built together with this one.
///
/// # Errors
/// If it is not there.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = env::current_exe()
        .context("cannot find this program")?
        .with_file_name(name);
    ensure!(path.is_file(), "{} is missing: `make build` makes it", path.display());
    Ok(path)
}

fn is_stack_name(name: &str) -> bool {
    let characters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=20).contains(&name.len()) && name.chars().all(characters) && name != "cache"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_names_stay_inside_the_folder() {
        assert!(is_stack_name("run") && is_stack_name("test-2"));
        for name in ["", "cache", "..", "a/b", "Run", "aaaaaaaaaaaaaaaaaaaaa"] {
            assert!(!is_stack_name(name), "{name:?}");
        }
    }
}
