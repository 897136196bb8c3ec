//! Files that only their owner may read. Refuses to read one that others could have read or written.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    time::{Duration, Instant},
};

use crate::failure::{Failure, Result};

/// Nothing here is longer.
const MAX_BYTES: u64 = 1 << 20;
/// A renewal takes no longer.
const LOCK_PATIENCE: Duration = Duration::from_secs(15);
const LOCK_POLL: Duration = Duration::from_millis(20);

/// Reads a file if it is there.
///
/// # Errors
/// If others may read it, or the file system refuses.
pub fn read(path: &Path) -> Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(about(path, &error)),
    };
    let found = file.metadata().map_err(|error| about(path, &error))?;
    let mode = found.permissions().mode() & 0o777;
    if found.is_file() && mode & 0o077 != 0 {
        return Err(
            Failure::usage(format!("{} is open to others: its mode is {mode:04o}", path.display()))
                .next(format!("chmod 600 {}", path.display())),
        );
    }
    let mut text = String::new();
    file.take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| about(path, &error))?;
    Ok(Some(text))
}

/// Writes a file, whole or not at all, for its owner alone.
///
/// # Errors
/// If the file system refuses.
pub fn write(path: &Path, text: &str) -> Result<()> {
    make_folder(path)?;
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    let unfinished = Path::new(&unfinished);
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(unfinished)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        fs::rename(unfinished, path)
    };
    write().map_err(|error| about(path, &error))
}

/// Removes a file if it is there; whether it was.
///
/// # Errors
/// If the file system refuses.
pub fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(about(path, &error)),
    }
}

/// Holds a lock between processes while it lives.
#[derive(Debug)]
pub struct LockedFile {
    _file: File,
}

impl LockedFile {
    /// Waits for the lock beside `path`. The waiting is asynchronous: whoever holds it may be a task of this very thread.
    ///
    /// # Errors
    /// If the file system refuses, or somebody holds it for long.
    pub async fn beside(path: &Path) -> Result<Self> {
        make_folder(path)?;
        let path = path.with_extension("lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| about(&path, &error))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(error)) => return Err(about(&path, &error)),
                Err(TryLockError::WouldBlock) if begun.elapsed() > LOCK_PATIENCE => {
                    let message = format!("{} is held by another credoctl", path.display());
                    return Err(Failure::unavailable(message).next("end the other one, or try again"));
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_POLL).await,
            }
        }
    }
}

fn make_folder(path: &Path) -> Result<()> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| about(folder, &error))
}

fn about(path: &Path, error: &std::io::Error) -> Failure {
    Failure::error(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_may_read_is_refused() {
        let folder = std::env::temp_dir().join(format!("credoctl-private-{}", std::process::id()));
        let path = folder.join("a.json");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, "{}").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(read(&path).unwrap().as_deref(), Some("{}"));
        for mode in [0o640, 0o604, 0o660, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let refusal = read(&path).unwrap_err();
            assert_eq!(refusal.kind.code(), 2);
            assert!(refusal.to_string().contains("chmod 600"), "{refusal}");
        }
        assert!(remove(&path).unwrap() && !remove(&path).unwrap());
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn two_tasks_of_one_thread_share_the_lock() {
        let folder = std::env::temp_dir().join(format!("credoctl-lock-{}", std::process::id()));
        let path = folder.join("a.json");
        let work = async || {
            let _lock = LockedFile::beside(&path).await.unwrap();
            tokio::task::yield_now().await;
        };
        let both = async { tokio::join!(work(), work()) };
        tokio::time::timeout(Duration::from_secs(10), both).await.unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}
