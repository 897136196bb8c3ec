//! The account that Postgres runs as: it refuses root.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use anyhow::{Context as _, Result};
use rustix::process::getuid;

/// An account without rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The user's number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
}

impl Account {
    /// For root: `postgres`, else `nobody`. For everybody else: none, they run it as themselves.
    ///
    /// # Errors
    /// If root has neither account at hand.
    pub fn unprivileged() -> Result<Option<Self>> {
        if !getuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let found = find(&accounts, "postgres").or_else(|| find(&accounts, "nobody"));
        found
            .map(Some)
            .context("Postgres refuses root, and there is neither an account `postgres` nor `nobody`")
    }
}

/// Whether everybody may enter all folders on the way to `path`.
pub fn is_open_to_all(path: &Path) -> bool {
    path.ancestors()
        .filter_map(|folder| fs::metadata(folder).ok())
        .all(|metadata| metadata.mode() & 0o001 != 0)
}

fn find(accounts: &str, name: &str) -> Option<Account> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some(Account {
        uid: fields.next()?.parse().ok()?,
        gid: fields.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_is_found_by_its_whole_name() {
        let accounts = "postgres2:x:7:8::/:/bin/sh\npostgres:x:101:104:,,,:/var:/bin/bash\n";
        assert_eq!(find(accounts, "postgres"), Some(Account { uid: 101, gid: 104 }));
        assert_eq!(find(accounts, "nobody"), None);
    }
}
