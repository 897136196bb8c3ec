//! Removes what is over (DESIGN section 12): sessions a day after their end, codes ten minutes after theirs, signed-out
//! browsers, counted attempts and rows of the revocation feed that nothing follows from.
//!
//! Nothing rests on it but space: whatever goes was dead by its own row. Walks are by id, a page at a time with a rest between
//! two. Sessions are walked twice, since codes end so much earlier: young ids once, on their way past ten minutes, and all of
//! them again and again. Where a walk stands is forgotten at a restart, and by the other replicas: the next begins anew.

use std::{sync::Arc, time::Duration};

use credo_auth_store::{AttemptPlace, Fault, Page, Store};
use credo_clock::SharedClock;
use credo_ids::TenantId;
use credo_lifecycle::Shutdown;
use prometheus::{IntCounterVec, Opts};
use uuid::Uuid;

/// Between two pages of a walk.
const REST: Duration = Duration::from_secs(1);
/// When all walks are at their end.
const PAUSE: Duration = Duration::from_mins(1);
/// Rows that a page looks at.
const PAGE: i64 = 1_000;
/// Pages in a row that a walk may take while they are full of what is over.
const PAGES_IN_A_ROW: u32 = 20;
/// A code lives a minute, and its row ten minutes more.
const CODE_AGE: Duration = Duration::from_mins(12);
/// What a young walk begins at.
const YOUNG_AGE: Duration = Duration::from_hours(1);

/// What is purged, as the metric names it.
const TABLES: [&str; 4] = ["session", "browser_session", "sign_in_attempt", "revocation"];

/// Where each walk stands.
struct Purge {
    store: Arc<Store>,
    clock: SharedClock,
    removed: IntCounterVec,
    young: Uuid,
    sessions: Uuid,
    browsers: Uuid,
    attempts: AttemptPlace,
}

/// Rows that were removed, by table: every series at zero.
///
/// # Errors
/// If its name is none.
pub fn counter() -> Result<IntCounterVec, prometheus::Error> {
    let spec = Opts::new(
        "credo_purged_rows_total",
        "Rows that were removed some time after their end, by table.",
    );
    let counter = IntCounterVec::new(spec, &["table"])?;
    for table in TABLES {
        counter.with_label_values(&[table]);
    }
    Ok(counter)
}

/// Purges until shutdown.
pub async fn run(store: Arc<Store>, clock: SharedClock, removed: IntCounterVec, shutdown: Shutdown) {
    let mut purge = Purge {
        store,
        clock,
        removed,
        young: Uuid::nil(),
        sessions: Uuid::nil(),
        browsers: Uuid::nil(),
        attempts: beginning(),
    };
    while !shutdown.is_requested() {
        let rest = match purge.step().await {
            Ok(true) => REST,
            Ok(false) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "what is over is removed later");
                PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = shutdown.requested() => {}
        }
    }
}

fn beginning() -> AttemptPlace {
    (TenantId::from(Uuid::nil()), Vec::new())
}

/// What a page of a walk came to.
struct Walked<P> {
    /// Where the next page begins.
    next: P,
    /// There is one.
    more: bool,
    /// It is well worth taking at once.
    full: bool,
}

impl Purge {
    /// A page of each walk, or more while they are full of what is over. Whether there is more to walk.
    async fn step(&mut self) -> Result<bool, Fault> {
        let mut more = true;
        for _ in 0..PAGES_IN_A_ROW {
            let after = self.young.max(self.id_of(YOUNG_AGE));
            let page = self.store.purge_sessions((after, self.id_of(CODE_AGE)), PAGE).await?;
            let young = self.walked("session", page, after, after);
            self.young = young.next;
            let page = self.store.purge_sessions((self.sessions, Uuid::max()), PAGE).await?;
            let sessions = self.walked("session", page, self.sessions, Uuid::nil());
            self.sessions = sessions.next;
            let page = self.store.purge_browser_sessions(self.browsers, PAGE).await?;
            let browsers = self.walked("browser_session", page, self.browsers, Uuid::nil());
            self.browsers = browsers.next;
            let page = self.store.purge_sign_in_attempts(&self.attempts, PAGE).await?;
            let attempts = self.walked("sign_in_attempt", page, self.attempts.clone(), beginning());
            self.attempts = attempts.next;
            let revocations = self.store.purge_revocations(PAGE).await?;
            self.removed.with_label_values(&["revocation"]).inc_by(revocations);
            let oldest_are_over = is_worth_it(revocations);
            more = young.more || sessions.more || browsers.more || attempts.more || oldest_are_over;
            if !(young.full || sessions.full || browsers.full || attempts.full || oldest_are_over) {
                break;
            }
        }
        Ok(more)
    }

    /// Counts a page that began `here`. A walk that is through begins again at `beginning`; in another replica's turn it waits.
    fn walked<P>(&self, table: &str, page: Option<Page<P>>, here: P, beginning: P) -> Walked<P> {
        let Some(page) = page else {
            return Walked {
                next: here,
                more: false,
                full: false,
            };
        };
        self.removed.with_label_values(&[table]).inc_by(page.removed);
        Walked {
            more: page.next.is_some(),
            full: page.next.is_some() && is_worth_it(page.removed),
            next: page.next.unwrap_or(beginning),
        }
    }

    /// The lowest id of that age.
    fn id_of(&self, age: Duration) -> Uuid {
        let at = self.clock.now() - age;
        let millis = u128::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        Uuid::from_u128(millis << 80) // its first 48 bits are milliseconds, RFC 9562 section 5.7
    }
}

const fn is_worth_it(removed: u64) -> bool {
    removed >= PAGE.unsigned_abs() / 2
}
