//! The Java that Kafka runs on: 17 or later.

use std::{fs, path::PathBuf, process::Stdio};

use tokio::process::Command;

const OLDEST: u32 = 17;

/// A Java that will do.
#[derive(Debug, Clone)]
pub struct Java {
    /// Its program.
    pub program: PathBuf,
    /// Its full version, such as `17.0.15`.
    pub version: String,
}

impl Java {
    /// The `java` on the path if it is new enough, else the first such one that the system has installed.
    pub async fn find() -> Option<Self> {
        let installed = fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
        let installed = installed
            .map(|entry| entry.path().join("bin/java"))
            .filter(|program| program.is_file());
        for program in [PathBuf::from("java")].into_iter().chain(installed) {
            let output = Command::new(&program)
                .arg("-version")
                .stdin(Stdio::null())
                .output()
                .await;
            let said = output
                .map(|output| String::from_utf8_lossy(&output.stderr).into_owned())
                .unwrap_or_default();
            if let Some(version) = version(&said) {
                return Some(Self { program, version });
            }
        }
        None
    }
}

/// The version in what `java -version` says, if it is new enough.
fn version(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("version \"")?;
    let (version, _) = rest.split_once('"')?;
    let major: u32 = version.split(['.', '-', '+']).next()?.parse().ok()?;
    (major >= OLDEST).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_java_is_no_java() {
        assert_eq!(
            version("openjdk version \"17.0.15\" 2025-04-15"),
            Some("17.0.15".to_owned())
        );
        assert_eq!(version("openjdk version \"21\" 2023-09-19"), Some("21".to_owned()));
        assert_eq!(version("openjdk version \"11.0.2\" 2019-01-15"), None);
        assert_eq!(version("java version \"1.8.0_292\""), None);
        assert_eq!(version(""), None);
    }
}
