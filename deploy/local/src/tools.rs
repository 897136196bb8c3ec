//! What tests bring along from npm and pip: the libraries of the example clients, the page checker, the fuzzer, the linter of the
//! definitions. Fetched once per checkout into `.credo/cache/tools`, by the committed lock files alone, and shared by its stacks.
//!
//! Where packages come from is the machine's setting: no host is named here, and no setting of npm or pip is overridden.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use anyhow::{Context as _, Result, bail};
use tokio::{process::Command, task::JoinSet};

use crate::{file, fingerprint, layout::Layout, log, python::Python, terminal::Terminal};

/// One set of packages.
#[derive(Debug, Clone, Copy)]
struct Tool {
    /// What tests find it by, below [`folder`].
    name: &'static str,
    /// The folder in the checkout that has its lock file.
    source: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `package-lock.json`; the packages lie in `node_modules`.
    Npm,
    /// `requirements.txt` with hashes; the programs are run as modules of `bin/python`.
    Pip,
}

const TOOLS: [Tool; 5] = [
    Tool {
        name: "openid-client",
        source: "examples/openid-client",
        kind: Kind::Npm,
    },
    Tool {
        name: "authlib",
        source: "examples/authlib",
        kind: Kind::Pip,
    },
    Tool {
        name: "axe-core",
        source: "services/auth-api/tests/axe-core",
        kind: Kind::Npm,
    },
    Tool {
        name: "schemathesis",
        source: "e2e/openapi",
        kind: Kind::Pip,
    },
    Tool {
        name: "buf",
        source: "proto/buf",
        kind: Kind::Npm,
    },
];

/// Where a stack's tests find the tools, by name.
pub fn folder(layout: &Layout) -> PathBuf {
    layout.file("tools")
}

/// Whether npm is needed to fetch what is missing.
///
/// # Errors
/// If a lock file cannot be read.
pub fn want_npm(layout: &Layout) -> Result<bool> {
    for tool in TOOLS.iter().filter(|tool| tool.kind == Kind::Npm) {
        if !tool.place(layout, None)?.is_dir() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Fetches what is missing, side by side, and shows the stack's tests where it is.
///
/// # Errors
/// If npm or pip cannot: the end of its output says why.
pub async fn fetch(terminal: Terminal, layout: &Layout) -> Result<()> {
    let python = Python::find().await.context("there is no Python 3.11 with venv")?;
    let mut missing = Vec::new();
    for tool in TOOLS {
        if !tool.place(layout, Some(&python))?.is_dir() {
            missing.push(tool);
        }
    }
    if !missing.is_empty() {
        let fetching = fetch_all(layout, &python, missing);
        terminal
            .step("packages that tests use, once (npm, pip)", fetching)
            .await?;
    }
    let folder = folder(layout);
    file::remove_folder(&folder)?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for tool in TOOLS {
        symlink(tool.place(layout, Some(&python))?, folder.join(tool.name)).context("cannot link a tool")?;
    }
    Ok(())
}

/// Runs buf on the definitions in `proto/`, fetched first if it is not there.
///
/// # Errors
/// If it cannot be fetched or run.
pub async fn buf(terminal: Terminal, layout: &Layout, arguments: &[OsString]) -> Result<ExitStatus> {
    let python = Python::find().await.context("there is no Python 3.11 with venv")?;
    let tool = TOOLS.into_iter().find(|tool| tool.name == "buf").context("no buf")?;
    let place = tool.place(layout, Some(&python))?;
    if !place.is_dir() {
        layout.prepare()?;
        let fetching = fetch_all(layout, &python, vec![tool]);
        terminal.step("buf, once (npm)", fetching).await?;
    }
    let program = absolute(&place)?.join("node_modules/.bin/buf");
    let mut command = Command::new(program);
    let status = command
        .args(arguments)
        .current_dir(layout.root().join("proto"))
        .status();
    status.await.context("cannot run buf")
}

async fn fetch_all(layout: &Layout, python: &Python, missing: Vec<Tool>) -> Result<()> {
    let mut fetching = JoinSet::new();
    for tool in missing {
        let (layout, python) = (layout.clone(), python.clone());
        fetching.spawn(async move { tool.fetch(&layout, &python).await });
    }
    while let Some(done) = fetching.join_next().await {
        done??;
    }
    Ok(())
}

impl Tool {
    /// Where it lies: another lock file, or another Python, makes another folder.
    fn place(self, layout: &Layout, python: Option<&Python>) -> Result<PathBuf> {
        let lock = layout.root().join(self.source).join(self.lock());
        let mut content = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        if let (Kind::Pip, Some(python)) = (self.kind, python) {
            content.extend_from_slice(python.version.as_bytes());
        }
        let name = format!("{}-{}", self.name, fingerprint::of(&content));
        Ok(layout.cache().join("tools").join(name))
    }

    fn lock(self) -> &'static str {
        match self.kind {
            Kind::Npm => "package-lock.json",
            Kind::Pip => "requirements.txt",
        }
    }

    async fn fetch(self, layout: &Layout, python: &Python) -> Result<()> {
        let place = self.place(layout, Some(python))?;
        let unfinished = place.with_file_name(format!("new-{}-{}", self.name, std::process::id()));
        file::remove_folder(&unfinished)?;
        fs::create_dir_all(&unfinished).with_context(|| format!("cannot make {}", unfinished.display()))?;
        let source = layout.root().join(self.source);
        match self.kind {
            Kind::Npm => {
                for name in ["package.json", self.lock()] {
                    fs::copy(source.join(name), unfinished.join(name)).context("cannot copy a lock file")?;
                }
                let mut npm = Command::new("npm");
                npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
                self.run(layout, npm.current_dir(&unfinished)).await?;
            }
            Kind::Pip => {
                let mut venv = Command::new(&python.program);
                self.run(layout, venv.args(["-m", "venv"]).arg(&unfinished)).await?;
                // absolute, but no real path: a virtual environment is known by the name that its Python was called by
                let mut pip = Command::new(absolute(&unfinished)?.join("bin/python"));
                pip.args(["-m", "pip", "install", "--no-input", "--require-hashes"])
                    .args(["--only-binary=:all:", "--requirement"]);
                self.run(layout, pip.arg(source.join(self.lock()))).await?;
            }
        }
        if fs::rename(&unfinished, &place).is_err() {
            file::remove_folder(&unfinished)?; // another stack was faster
        }
        Ok(())
    }

    async fn run(self, layout: &Layout, command: &mut Command) -> Result<()> {
        let path = layout.log(self.name);
        let (output, begin) = log::open(&path)?;
        let status = command
            .stdin(Stdio::null())
            .stderr(output.try_clone()?)
            .stdout(output)
            .kill_on_drop(true)
            .status()
            .await
            .with_context(|| format!("cannot fetch {}", self.name))?;
        if !status.success() {
            bail!(
                "{} could not be fetched. Is the package registry reachable from here?\n{}",
                self.name,
                log::tail(&path, begin)
            );
        }
        Ok(())
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    let here = env::current_dir().context("there is no working directory")?;
    Ok(here.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_files_name_no_host_and_pin_every_package() {
        let layout = Layout::find("test").unwrap();
        for tool in TOOLS {
            let lock = fs::read_to_string(layout.root().join(tool.source).join(tool.lock())).unwrap();
            assert!(!lock.contains("\"resolved\""), "{}", tool.name);
            assert!(!lock.contains("-index-url") && !lock.contains(" @ "), "{}", tool.name);
            match tool.kind {
                Kind::Npm => assert_eq!(
                    lock.matches("\"node_modules/").count(),
                    lock.matches("\"integrity\"").count()
                ),
                Kind::Pip => assert!(lock.matches("==").count() <= lock.matches("--hash=sha256:").count()),
            }
        }
    }
}
