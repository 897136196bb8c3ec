//! Files that hold secrets or are read by others while they change.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context as _, Result};

/// Writes a file that only its owner can read, whole or not at all.
///
/// # Errors
/// If the file system refuses.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".unfinished");
    let new = Path::new(&new);
    remove(new)?;
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(new, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Removes a file if it is there.
///
/// # Errors
/// If the file system refuses.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Removes a folder and all in it if it is there.
///
/// # Errors
/// If the file system refuses.
pub fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Reads a file if it is there.
///
/// # Errors
/// If the file system refuses.
pub fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, os::unix::fs::PermissionsExt as _, process};

    use super::*;

    #[test]
    fn private_file_is_replaced_and_unreadable_for_others() {
        let path = env::temp_dir().join(format!("credo-file-{}", process::id()));
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        remove(&path).unwrap();
        assert_eq!(read(&path).unwrap(), None);
    }
}
