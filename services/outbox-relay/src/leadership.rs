//! Whether this relay is the one that works. It saves work; safety never depends on it.

use std::time::Duration;

use credo_lifecycle::Component;
use credo_outbox::{Lease, OutboxError, Term};
use sqlx::PgPool;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use uuid::Uuid;

use crate::status::Status;

const LEASE: &str = "outbox-relay";
const TTL: Duration = Duration::from_secs(5);
const RENEW_INTERVAL: Duration = Duration::from_millis(1_500);
const STANDBY_INTERVAL: Duration = Duration::from_millis(500);
/// A holder stops this long before the others may begin, by its own clock.
const MARGIN: Duration = Duration::from_secs(1);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// The competition for the lease.
#[derive(Debug)]
pub(crate) struct Leadership {
    pub(crate) pool: PgPool,
    pub(crate) postgres: Component,
    pub(crate) status: Status,
}

impl Leadership {
    /// Competes until `stop` is true, and says in `leads` whether this relay leads. Then gives the lease back.
    pub(crate) async fn run(self, leads: watch::Sender<bool>, mut stop: watch::Receiver<bool>) {
        let lease = Lease::new(LEASE, Uuid::new_v4(), TTL);
        let mut held: Option<(Term, Instant)> = None;
        loop {
            held = self.renew(&lease, held).await;
            self.status.leads(held.is_some());
            leads.send_if_modified(|leads| std::mem::replace(leads, held.is_some()) != held.is_some());
            let interval = if held.is_some() {
                RENEW_INTERVAL
            } else {
                STANDBY_INTERVAL
            };
            if timeout(interval, stop.wait_for(|stop| *stop)).await.is_ok() {
                break;
            }
        }
        if let Some((term, _)) = held
            && !matches!(
                timeout(REQUEST_TIMEOUT, lease.resign(&self.pool, term)).await,
                Ok(Ok(()))
            )
        {
            tracing::warn!("the lease could not be given back; another relay begins when its time is over");
        }
    }

    /// A holding is trusted from before the request that renewed it: the database's time began to run after that.
    async fn renew(&self, lease: &Lease, held: Option<(Term, Instant)>) -> Option<(Term, Instant)> {
        let asked_at = Instant::now();
        match timeout(REQUEST_TIMEOUT, lease.take(&self.pool)).await {
            Ok(Ok(term)) => {
                self.postgres.up();
                if held.map(|(term, _)| term) != term {
                    tracing::info!(leads = term.is_some(), "leadership changed");
                }
                term.map(|term| (term, asked_at + TTL - MARGIN))
            }
            failure => {
                let reason = failure.map_or_else(|_| "no answer in time".to_owned(), describe);
                self.postgres.degraded(reason);
                held.filter(|(_, trusted_until)| *trusted_until > Instant::now())
            }
        }
    }
}

fn describe(result: Result<Option<Term>, OutboxError>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_default()
}
