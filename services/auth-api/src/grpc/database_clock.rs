//! The database's clock: admin tokens are dated by it, so they are judged by it, whatever this machine's clock says.

use std::{sync::Arc, time::Duration};

use credo_clock::Clock;
use time::OffsetDateTime;

use crate::app::App;

/// The process clock plus the offset that the revocation feed learns.
#[derive(Debug)]
pub(super) struct DatabaseClock(pub Arc<App>);

impl Clock for DatabaseClock {
    fn now(&self) -> OffsetDateTime {
        self.0.feed.database_now()
    }

    fn monotonic(&self) -> Duration {
        self.0.clock.monotonic()
    }
}
