//! Pools whose statements are counted and timed: by the name of their file, by how they ended, and for the request that
//! they serve. Statements inside a transaction are its own matter; the wait for its connection is seen here.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use credo_postgres::{Failure, classify};
use futures::{
    StreamExt as _, TryStreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};
use sqlx::{
    Either, Error, Execute, Executor, PgPool, Postgres, SqlStr, Transaction,
    error::BoxDynError,
    pool::PoolConnection,
    postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};

use crate::{batch::BatchObserver, lanes::KINDS, work::Work};

include!(concat!(env!("OUT_DIR"), "/statements.rs"));

/// Seconds, for one statement and for the wait for a connection.
const BUCKETS: [f64; 14] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];
/// The pools.
const POOLS: [&str; 2] = ["hot", "cold"];
/// The connections of batch workers, as if they were a pool.
const BATCH: &str = "batch";
/// Requests that share a statement.
const SIZE_BUCKETS: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Ok,
    Contended,
    Unavailable,
    Failed,
}

impl Ended {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Ok, "ok"),
        (Self::Contended, "contended"),
        (Self::Unavailable, "unavailable"),
        (Self::Failed, "failed"),
    ];

    fn of<T>(result: &Result<T, Error>) -> Self {
        match result.as_ref().err().map(classify) {
            None => Self::Ok,
            Some(Failure::LockTimeout | Failure::Conflict) => Self::Contended,
            Some(Failure::UniqueViolation(_) | Failure::BadValue | Failure::Other) => Self::Failed,
            Some(_) => Self::Unavailable,
        }
    }
}

/// The metrics of both pools.
#[derive(Debug, Clone)]
pub struct StatementMetrics {
    ended: IntCounterVec,
    seconds: HistogramVec,
    waited: HistogramVec,
    batch_waited: HistogramVec,
    batch_size: HistogramVec,
}

impl StatementMetrics {
    /// All series, in `registry`.
    ///
    /// # Errors
    /// If a name is taken.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let histogram = |name: &str, help: &str| {
            HistogramVec::new(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()), &["pool"])
        };
        let metrics = Self {
            ended: IntCounterVec::new(
                Opts::new(
                    "credo_db_statements_total",
                    "Statements by the name of their file and by how they ended.",
                ),
                &["statement", "outcome"],
            )?,
            seconds: histogram(
                "credo_db_statement_duration_seconds",
                "Time of a statement, without its wait.",
            )?,
            waited: histogram("credo_db_pool_wait_seconds", "Wait for a connection.")?,
            batch_waited: HistogramVec::new(
                HistogramOpts::new(
                    "credo_batch_wait_seconds",
                    "Wait of a request for the statement that it shares.",
                )
                .buckets(BUCKETS.to_vec()),
                &["statement"],
            )?,
            batch_size: HistogramVec::new(
                HistogramOpts::new("credo_batch_size", "Requests that shared a statement.")
                    .buckets(SIZE_BUCKETS.to_vec()),
                &["statement"],
            )?,
        };
        for (statement, _) in STATEMENTS {
            for (_, outcome) in Ended::ALL {
                metrics.ended.with_label_values(&[statement, outcome]);
            }
        }
        for pool in POOLS {
            metrics.seconds.with_label_values(&[pool]);
            metrics.waited.with_label_values(&[pool]);
        }
        metrics.seconds.with_label_values(&[BATCH]);
        for statement in KINDS {
            metrics.batch_waited.with_label_values(&[statement]);
            metrics.batch_size.with_label_values(&[statement]);
        }
        registry.register(Box::new(metrics.ended.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        registry.register(Box::new(metrics.waited.clone()))?;
        registry.register(Box::new(metrics.batch_waited.clone()))?;
        registry.register(Box::new(metrics.batch_size.clone()))?;
        Ok(metrics)
    }

    /// What batches tell.
    pub(crate) fn batch_observer(&self) -> BatchObserver {
        let (waited, size) = (self.batch_waited.clone(), self.batch_size.clone());
        Arc::new(move |statement, waits| {
            let count = u32::try_from(waits.len()).unwrap_or(u32::MAX);
            size.with_label_values(&[statement]).observe(count.into());
            let waited = waited.with_label_values(&[statement]);
            for wait in waits {
                waited.observe(wait.as_secs_f64());
            }
        })
    }

    /// Counts a batch's statement.
    pub(crate) fn ran_batch<T>(&self, statement: &str, took: Duration, result: &Result<T, Error>) {
        let (_, outcome) = Ended::ALL[Ended::of(result) as usize];
        self.ended.with_label_values(&[statement, outcome]).inc();
        self.seconds.with_label_values(&[BATCH]).observe(took.as_secs_f64());
    }
}

/// A pool, observed.
#[derive(Debug)]
pub(crate) struct Observed {
    pool: PgPool,
    seconds: Histogram,
    waited: Histogram,
    statements: Statements,
}

/// The counters of each statement, found by where its text lies: a literal of this crate lies at one place for ever.
#[derive(Debug)]
struct Statements {
    counters: Vec<[IntCounter; 4]>,
    places: RwLock<HashMap<usize, Option<usize>>>,
}

impl Observed {
    pub(crate) fn new(pool: PgPool, name: &'static str, metrics: &StatementMetrics) -> Self {
        let counters = |(statement, _): (&str, &str)| {
            Ended::ALL.map(|(_, outcome)| metrics.ended.with_label_values(&[statement, outcome]))
        };
        Self {
            pool,
            seconds: metrics.seconds.with_label_values(&[name]),
            waited: metrics.waited.with_label_values(&[name]),
            statements: Statements {
                counters: STATEMENTS.into_iter().map(counters).collect(),
                places: RwLock::default(),
            },
        }
    }

    /// The pool itself, for what is not a statement of this crate.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, Error> {
        let started = Instant::now();
        let transaction = self.pool.begin().await;
        self.waited.observe(started.elapsed().as_secs_f64());
        Work::count(started.elapsed());
        transaction
    }

    async fn connect(&self) -> Result<PoolConnection<Postgres>, Error> {
        let started = Instant::now();
        let connection = self.pool.acquire().await;
        self.waited.observe(started.elapsed().as_secs_f64());
        connection
    }

    /// Runs one statement on a connection of its own.
    async fn run<T>(
        &self,
        text: usize,
        sql: SqlStr,
        act: impl AsyncFnOnce(PoolConnection<Postgres>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let started = Instant::now();
        let (result, took) = match self.connect().await {
            Ok(connection) => {
                let began = Instant::now();
                (act(connection).await, Some(began.elapsed()))
            }
            Err(error) => (Err(error), None),
        };
        if let Some(took) = took {
            self.seconds.observe(took.as_secs_f64());
        }
        self.statements.count(text, sql.as_str(), Ended::of(&result));
        Work::count(started.elapsed());
        result
    }
}

impl Statements {
    fn count(&self, place: usize, text: &str, ended: Ended) {
        let known = self
            .places
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&place)
            .copied();
        let index = known.unwrap_or_else(|| {
            let index = STATEMENTS.iter().position(|(_, known)| *known == text);
            let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
            places.insert(place, index);
            index
        });
        if let Some(counters) = index.and_then(|index| self.counters.get(index)) {
            counters[ended as usize].inc();
        }
    }
}

/// A statement that was taken apart to see its text.
struct Apart {
    sql: SqlStr,
    arguments: Option<PgArguments>,
    persistent: bool,
}

impl Apart {
    fn of<'q>(mut query: impl Execute<'q, Postgres>) -> Result<Self, Error> {
        let arguments = query.take_arguments().map_err(Error::Encode)?;
        let persistent = query.persistent();
        Ok(Self {
            sql: query.sql(),
            arguments,
            persistent,
        })
    }
}

impl Execute<'_, Postgres> for Apart {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&PgStatement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        Ok(self.arguments.take())
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

impl<'p> Executor<'p> for &'p Observed {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        // Answers are bounded: they are taken in whole, and the connection is free again.
        let whole = async move {
            let query = Apart::of(query)?;
            let sql = query.sql.clone();
            let rows = self
                .run(sql.as_str().as_ptr() as usize, sql, async move |mut connection| {
                    connection.fetch_many(query).try_collect::<Vec<_>>().await
                })
                .await?;
            Ok::<_, Error>(stream::iter(rows.into_iter().map(Ok)))
        };
        stream::once(whole).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let query = Apart::of(query)?;
            let sql = query.sql.clone();
            self.run(sql.as_str().as_ptr() as usize, sql, async move |mut connection| {
                connection.fetch_optional(query).await
            })
            .await
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        self.pool.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        self.pool.describe(sql)
    }
}
