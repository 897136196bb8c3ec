//! Documents on disk, one file per issuer. A cache: what cannot be read or written is as if it were not there.

use std::{io::ErrorKind, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::fs;

use super::RemoteJwksError;

#[derive(Debug)]
pub(super) struct DiskCache {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    fetched_at_unix_seconds: i64,
    document: String,
}

impl DiskCache {
    pub(super) fn open(folder: PathBuf) -> Result<Self, RemoteJwksError> {
        match std::fs::create_dir_all(&folder) {
            Ok(()) => Ok(Self { folder }),
            Err(source) => Err(RemoteJwksError::CacheDir { path: folder, source }),
        }
    }

    /// Remembers `document` as of `now`.
    pub(super) async fn write(&self, slug: &str, document: &str, now: OffsetDateTime) {
        let entry = Entry {
            fetched_at_unix_seconds: now.unix_timestamp(),
            document: document.to_owned(),
        };
        let path = self.path(slug);
        let written = async {
            // A reader sees the old file or the new one, never half of one.
            let draft = path.with_extension("new");
            fs::write(&draft, serde_json::to_vec(&entry)?).await?;
            fs::rename(&draft, &path).await
        };
        if let Err(error) = written.await {
            tracing::warn!(path = %path.display(), %error, "JWKS cache could not be written");
        }
    }

    /// Forgets the issuer.
    pub(super) async fn remove(&self, slug: &str) {
        let path = self.path(slug);
        match fs::remove_file(&path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), %error, "JWKS cache could not be removed");
            }
            _ => {}
        }
    }

    /// The document and its age.
    pub(super) async fn read(&self, slug: &str, now: OffsetDateTime) -> Option<(String, Duration)> {
        let bytes = fs::read(self.path(slug)).await.ok()?;
        let entry: Entry = serde_json::from_slice(&bytes).ok()?;
        let age_seconds = now.unix_timestamp().checked_sub(entry.fetched_at_unix_seconds)?;
        // One from the future is not trusted.
        Some((entry.document, Duration::from_secs(u64::try_from(age_seconds).ok()?)))
    }

    /// `slug` holds only letters, digits and hyphens.
    fn path(&self, slug: &str) -> PathBuf {
        self.folder.join(format!("{slug}.json"))
    }
}
