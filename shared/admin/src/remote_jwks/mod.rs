//! The keys of auth-api as another service sees them: fetched over HTTP, cached in memory and on disk.
//!
//! Refuses issuers that are not ours before anything leaves the process. Bounded in every direction: issuers, fetches at
//! a time, bytes and seconds of a fetch, how often an unknown `kid` may cause one. The disk copy serves the first
//! minutes of a process that starts while auth-api is down, and no longer: tokens live five minutes.

mod disk;
mod fetch;
mod issuers;
mod key_set;

use std::{path::PathBuf, time::Duration};

use credo_clock::SharedClock;

use self::{
    disk::DiskCache,
    fetch::{FetchError, Fetcher},
    issuers::{IssuerState, Issuers},
    key_set::KeySet,
};
use crate::{
    KeysUnavailable, VerificationKey, VerificationKeys,
    issuer::{TENANT_PATH, is_slug},
};

/// Keys this young are used without a question: a key that left the JWKS is believed no longer than this.
const FRESH_TTL: Duration = Duration::from_secs(30);
/// Keys this old are used no more, even if newer ones cannot be had: twice as long as a token lives, and no new one comes from a
/// server that does not answer.
const STALE_TTL: Duration = Duration::from_mins(10);
/// After an answer an issuer is not asked again so soon because of an unknown `kid`.
const ANSWERED_PAUSE: Duration = Duration::from_secs(10);
/// After a failure an issuer is not asked again so soon.
const FAILED_PAUSE: Duration = Duration::from_secs(1);

/// Where the keys are.
#[derive(Debug, Clone)]
pub struct RemoteJwksSpec {
    /// What every issuer of ours begins with, without a trailing slash.
    pub public_base_url: String,
    /// Where auth-api answers, without a trailing slash.
    pub auth_api_url: String,
    /// The folder of the disk cache; it is made if it is missing. `None`: no disk cache.
    pub cache_dir: Option<PathBuf>,
}

/// What is wrong with a [`RemoteJwksSpec`].
#[derive(Debug, thiserror::Error)]
pub enum RemoteJwksError {
    /// The folder cannot be made.
    #[error("JWKS cache folder {}: {source}", .path.display())]
    CacheDir {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The HTTP client cannot be made.
    #[error("JWKS client: {0}")]
    Client(#[from] reqwest::Error),
}

/// Keys that are fetched from auth-api.
#[derive(Debug)]
pub struct RemoteJwks {
    issuer_prefix: String,
    fetcher: Fetcher,
    disk: Option<DiskCache>,
    issuers: Issuers,
    clock: SharedClock,
}

impl RemoteJwks {
    /// Keys from where `spec` says. Nothing is fetched yet.
    ///
    /// # Errors
    /// When the cache folder or the HTTP client cannot be made.
    pub fn new(spec: RemoteJwksSpec, clock: SharedClock) -> Result<Self, RemoteJwksError> {
        let disk = spec.cache_dir.map(DiskCache::open).transpose()?;
        Ok(Self {
            issuer_prefix: format!("{}{TENANT_PATH}", spec.public_base_url),
            fetcher: Fetcher::new(spec.auth_api_url)?,
            disk,
            issuers: Issuers::default(),
            clock,
        })
    }

    /// Brings `state` up to date if that is allowed now.
    async fn refresh(&self, slug: &str, state: &mut IssuerState) {
        let now = self.clock.monotonic();
        if state.not_before.is_some_and(|not_before| now < not_before) {
            return;
        }
        match self.fetcher.fetch(slug).await {
            Ok(document) => {
                let keys = KeySet::parse(&document);
                state.answered(keys, now);
                self.remember(slug, Some(&document)).await;
            }
            Err(FetchError::NoSuchIssuer) => {
                state.answered(KeySet::default(), now);
                self.remember(slug, None).await;
            }
            Err(FetchError::Failed(reason)) => {
                tracing::warn!(slug, reason, "JWKS could not be fetched");
                state.failed(reason, now);
                if state.has_no_keys() {
                    self.recall(slug, state, now).await;
                }
            }
        }
    }

    async fn remember(&self, slug: &str, document: Option<&str>) {
        match (&self.disk, document) {
            (None, _) => {}
            (Some(disk), Some(document)) => disk.write(slug, document, self.clock.now()).await,
            (Some(disk), None) => disk.remove(slug).await,
        }
    }

    async fn recall(&self, slug: &str, state: &mut IssuerState, now: Duration) {
        let Some(disk) = &self.disk else { return };
        if let Some((document, age)) = disk.read(slug, self.clock.now()).await {
            state.recalled(KeySet::parse(&document), age, now);
        }
    }
}

#[tonic::async_trait]
impl VerificationKeys for RemoteJwks {
    async fn find(&self, issuer: &str, kid: &str) -> Result<Option<VerificationKey>, KeysUnavailable> {
        let Some(slug) = issuer.strip_prefix(&self.issuer_prefix).filter(|slug| is_slug(slug)) else {
            return Ok(None);
        };
        let issuer = self.issuers.get(slug, self.clock.monotonic());
        // Held while fetching: callers for the same issuer wait for one fetch, which is bounded.
        let mut state = issuer.state.lock().await;
        let now = self.clock.monotonic();
        if let Some(key) = state.younger_than(FRESH_TTL, now).and_then(|keys| keys.find(kid)) {
            return Ok(Some(key));
        }
        self.refresh(slug, &mut state).await;
        issuer.set_known(!state.has_no_keys());
        match state.younger_than(STALE_TTL, self.clock.monotonic()) {
            Some(keys) => Ok(keys.find(kid)),
            None => Err(KeysUnavailable(state.last_failure())),
        }
    }
}
