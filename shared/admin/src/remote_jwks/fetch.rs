//! One fetch of a JWKS: bounded in time, in bytes and in how many run at once.

use std::time::Duration;

use reqwest::{Client, StatusCode, redirect};
use tokio::sync::Semaphore;

use super::RemoteJwksError;

/// A fetch takes no longer, its waiting for a free place included.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Tokens with made-up issuers cost auth-api no more than this many requests at a time.
const MAX_FETCHES: usize = 4;

#[derive(Debug)]
pub(super) struct Fetcher {
    client: Client,
    auth_api_url: String,
    places: Semaphore,
}

/// Why there is no document.
#[derive(Debug)]
pub(super) enum FetchError {
    /// auth-api says that the tenant does not exist or is suspended.
    NoSuchIssuer,
    /// Anything else; for the log.
    Failed(String),
}

impl Fetcher {
    pub(super) fn new(auth_api_url: String) -> Result<Self, RemoteJwksError> {
        let builder = Client::builder().redirect(redirect::Policy::none()).no_proxy();
        // Without TLS no roots are needed, and a machine that has none is fine.
        let is_plain = auth_api_url.starts_with("http://");
        let builder = if is_plain { builder.tls_certs_only([]) } else { builder };
        Ok(Self {
            client: builder.build()?,
            auth_api_url,
            places: Semaphore::new(MAX_FETCHES),
        })
    }

    pub(super) async fn fetch(&self, slug: &str) -> Result<String, FetchError> {
        tokio::time::timeout(FETCH_TIMEOUT, self.fetch_unbounded(slug))
            .await
            .unwrap_or_else(|_| Err(FetchError::Failed("no answer in time".to_owned())))
    }

    async fn fetch_unbounded(&self, slug: &str) -> Result<String, FetchError> {
        let failed = |error: reqwest::Error| FetchError::Failed(describe(&error));
        let _place = self.places.acquire().await;
        let url = format!("{}/t/{slug}/jwks.json", self.auth_api_url);
        let mut response = self.client.get(url).send().await.map_err(failed)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(FetchError::NoSuchIssuer),
            other => return Err(FetchError::Failed(format!("auth-api answered {other}"))),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BODY_BYTES {
                return Err(FetchError::Failed("the document is too long".to_owned()));
            }
        }
        let document =
            String::from_utf8(body).map_err(|_| FetchError::Failed("the document is not UTF-8".to_owned()))?;
        if serde_json::from_str::<serde_json::Value>(&document).is_err() {
            return Err(FetchError::Failed("the document is not JSON".to_owned()));
        }
        Ok(document)
    }
}

/// The error with its innermost cause, where the reason stands.
fn describe(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    format!("{error}: {cause}")
}
