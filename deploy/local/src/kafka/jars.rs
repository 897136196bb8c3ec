//! Kafka's jars, fetched once per checkout by Maven and shared by its stacks, and the archive of loaded classes that
//! halves the broker's start.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::Command;

use super::jars_folder;
use crate::{file, fingerprint, java::Java, layout::Layout, log};

/// The jars of the version that `deploy/local/kafka/pom.xml` names.
#[derive(Debug)]
pub struct Jars {
    files: Vec<PathBuf>,
    cache: PathBuf,
    version: String,
}

impl Jars {
    /// The jars, if they have been fetched.
    ///
    /// # Errors
    /// If the pom cannot be read.
    pub fn find(layout: &Layout) -> Result<Option<Self>> {
        let version = version(layout)?;
        let folder = jars_folder(layout).join(&version);
        let Ok(entries) = fs::read_dir(&folder) else {
            return Ok(None);
        };
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort(); // the archive of classes holds for one order
        Ok(Some(Self {
            files,
            cache: jars_folder(layout),
            version,
        }))
    }

    /// Fetches them with Maven.
    ///
    /// # Errors
    /// If Maven cannot: the end of its output says why.
    pub async fn fetch(layout: &Layout) -> Result<Self> {
        let folder = jars_folder(layout).join(version(layout)?);
        let unfinished = jars_folder(layout).join(format!("new-{}", std::process::id()));
        file::remove_folder(&unfinished)?;
        let path = layout.log("maven");
        let (output, begin) = log::open(&path)?;
        let status = Command::new("mvn")
            .args(["--batch-mode", "--no-transfer-progress", "--file"])
            .arg(pom(layout))
            .arg("dependency:copy-dependencies")
            .arg({
                let mut argument = OsString::from("-DoutputDirectory=");
                argument.push(&unfinished);
                argument
            })
            .stdin(Stdio::null())
            .stderr(output.try_clone()?)
            .stdout(output)
            .kill_on_drop(true)
            .status()
            .await
            .context("cannot run mvn")?;
        if !status.success() {
            bail!(
                "Maven could not fetch Kafka's jars. Is its repository reachable from here?\n{}",
                log::tail(&path, begin)
            );
        }
        if fs::rename(&unfinished, &folder).is_err() {
            file::remove_folder(&unfinished)?; // another stack was faster
        }
        let jars = Self::find(layout)?.context("Maven fetched nothing")?;
        ensure!(
            !jars.files.is_empty(),
            "Maven fetched nothing into {}",
            folder.display()
        );
        Ok(jars)
    }

    /// The class path.
    pub fn class_path(&self) -> OsString {
        let mut path = OsString::new();
        for file in &self.files {
            if !path.is_empty() {
                path.push(":");
            }
            path.push(file);
        }
        path
    }

    /// Uses the archive of classes, or has one written into `folder` when this run ends in good order.
    pub fn archive_arguments(&self, java: &Java, folder: &Path) -> Vec<OsString> {
        let archive = self.archive(java);
        let option = if archive.is_file() {
            "-XX:SharedArchiveFile="
        } else {
            "-XX:ArchiveClassesAtExit="
        };
        let file = if archive.is_file() {
            archive
        } else {
            folder.join("classes.jsa")
        };
        let mut argument = OsString::from(option);
        argument.push(file);
        vec!["-Xlog:cds=off".into(), "-Xlog:cds+dynamic=off".into(), argument]
    }

    /// Takes over an archive that a run which ended in good order has left in `folder`.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn keep_archive(&self, java: &Java, folder: &Path) -> Result<()> {
        let written = folder.join("classes.jsa");
        if written.is_file() {
            fs::rename(&written, self.archive(java)).context("cannot keep the archive of classes")?;
        }
        Ok(())
    }

    fn archive(&self, java: &Java) -> PathBuf {
        self.cache
            .join(format!("classes-{}-{}.jsa", self.version, java.version))
    }
}

fn pom(layout: &Layout) -> PathBuf {
    layout.root().join("deploy/local/kafka/pom.xml")
}

/// The pom's own hash: other jars lie in another folder.
fn version(layout: &Layout) -> Result<String> {
    let pom = fs::read(pom(layout)).context("cannot read Kafka's pom")?;
    Ok(fingerprint::of(&pom))
}
