//! Waiting: for something to come true, before a deadline, and for something to stay true.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep};

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(25);

/// Tries until it succeeds.
///
/// # Errors
/// The last failure, when `within` has passed.
pub async fn eventually<T>(within: Duration, mut attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() >= deadline => {
                return Err(error).with_context(|| format!("not within {within:?}"));
            }
            Err(_) => sleep(INTERVAL).await,
        }
    }
}

/// Looks again and again for so long.
///
/// # Errors
/// The first failure.
pub async fn remains(so_long: Duration, mut check: impl AsyncFnMut() -> Result<()>) -> Result<()> {
    let end = Instant::now() + so_long;
    loop {
        check().await?;
        if Instant::now() >= end {
            return Ok(());
        }
        sleep(INTERVAL).await;
    }
}

/// Lets time pass: for the rules that are about nothing else.
pub async fn pass(time: Duration) {
    sleep(time).await;
}
