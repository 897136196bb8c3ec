//! Running a change again when it could not be made now.
//!
//! Every change is safe to run again: what is made has its id beforehand, and what has the wanted status is left alone.

use std::time::Duration;

use credo_postgres::classify;

use crate::Fault;

/// How often a change is tried.
const MAX_RUNS: u32 = 3;
/// Time before it is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// Runs `change` until it is made or fails for good: a lock that was not to be had, or a lost connection, is tried again.
pub(super) async fn attempt<T, F>(change: impl Fn() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    for run in 1.. {
        match change().await {
            Ok(answer) => return Ok(answer),
            Err(error) if run < MAX_RUNS && classify(&error).is_transient() => {
                tracing::warn!(%error, run, "a change could not be made, it is tried again");
                tokio::time::sleep(PAUSE * run).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Fault::Impossible("an endless loop ended"))
}
