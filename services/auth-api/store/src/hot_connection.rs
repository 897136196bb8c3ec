//! The connection of a batch worker: its own, opened when it is needed, replaced when it is lost.
//!
//! It is never pinged: a dead one shows itself in the statement, which is run again. Refuses to wait for a server that does
//! not answer, longer than the server's own time-out would take.

use std::time::Duration;

use credo_postgres::{Failure, classify};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::time::{Instant, sleep, timeout};

use crate::observed::StatementMetrics;

/// How long a server that cannot be reached is tried for.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// One try.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The pause after the first try; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_millis(320);
/// A second more than the server lets a statement run: then it is the wire that is dead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that heals.
pub(crate) struct HotConnection {
    options: PgConnectOptions,
    metrics: StatementMetrics,
    live: Option<PgConnection>,
}

impl HotConnection {
    /// Not open yet.
    pub(crate) const fn new(options: PgConnectOptions, metrics: StatementMetrics) -> Self {
        Self {
            options,
            metrics,
            live: None,
        }
    }

    /// The connection, open. Give it back with what became of it.
    pub(crate) async fn take(&mut self) -> Result<PgConnection, sqlx::Error> {
        match self.live.take() {
            Some(connection) => Ok(connection),
            None => connect(&self.options).await,
        }
    }

    /// Keeps the connection, unless it was lost.
    pub(crate) fn keep<T>(&mut self, connection: PgConnection, answer: &Result<T, sqlx::Error>) {
        if !matches!(answer, Err(error) if classify(error) == Failure::ConnectionLost) {
            self.live = Some(connection);
        }
    }

    /// The answer of a statement of that name, or a lost connection if there is none in time.
    pub(crate) async fn answer<T>(
        &self,
        name: &str,
        statement: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let began = Instant::now();
        let answer = timeout(ANSWER_TIMEOUT, statement).await;
        let answer = answer.unwrap_or_else(|_| Err(timed_out("the server did not answer a statement")));
        self.metrics.ran_batch(name, began.elapsed(), &answer);
        answer
    }
}

impl std::fmt::Debug for HotConnection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("HotConnection")
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let give_up_at = Instant::now() + CONNECT_PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        let tried = timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options)).await;
        let error = match tried.unwrap_or_else(|_| Err(timed_out("the server did not take a connection"))) {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        if classify(&error) != Failure::ConnectionLost || Instant::now() + pause > give_up_at {
            return Err(error);
        }
        tracing::debug!(%error, "no connection yet");
        sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

fn timed_out(what: &'static str) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, what))
}
