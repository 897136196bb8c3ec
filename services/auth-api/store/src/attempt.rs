//! Running a statement again when its outcome is unknown.
//!
//! A connection that was lost inside a statement leaves it open whether the change was committed. Every change carries an
//! attempt id, so running it again finds its own work (DESIGN section 4): only then is again safe.

use std::time::Duration;

use crate::{Fault, lanes::is_open};

/// How often a statement is run before its fault is answered.
const MAX_RUNS: u32 = 3;
/// Time before it is run again.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs `statement` until it answers or fails for another reason than a lost connection or a conflict.
pub(crate) async fn attempt<T, F>(statement: impl Fn() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    for run in 1.. {
        match statement().await {
            Ok(answer) => return Ok(answer),
            Err(error) if run < MAX_RUNS && is_open(&error) => {
                tracing::warn!(%error, run, "a statement's outcome is unknown, it is run again");
                tokio::time::sleep(PAUSE * run).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Fault::Impossible("an endless loop ended"))
}
