//! The Python that tests make their virtual environments with: 3.11 or later, with venv and pip's installer.

use std::{path::PathBuf, process::Stdio};

use tokio::process::Command;

/// Prints where it is and its version, or fails.
const PROBE: &str = "import sys, venv, ensurepip; sys.version_info >= (3, 11) or sys.exit(1); \
                     print(sys.executable); print(sys.version.split()[0])";

/// A Python that will do.
#[derive(Debug, Clone)]
pub struct Python {
    /// Its program.
    pub program: PathBuf,
    /// Its full version, such as `3.11.2`.
    pub version: String,
}

impl Python {
    /// The `python3` on the path if it will do, else the system's.
    pub async fn find() -> Option<Self> {
        for program in ["python3", "/usr/bin/python3"] {
            let output = Command::new(program)
                .args(["-c", PROBE])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .output()
                .await;
            let said = output.ok().filter(|output| output.status.success());
            let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
            let mut lines = said.as_deref().unwrap_or_default().lines();
            if let (Some(program), Some(version)) = (lines.next(), lines.next()) {
                return Some(Self {
                    program: program.into(),
                    version: version.to_owned(),
                });
            }
        }
        None
    }
}
