//! Our own refresh statement, driven directly: what HTTP, client authentication and signing leave of it is seen beside it.
//!
//! Runs over the tables of the benchmark's own database, where no relay reads and every session is made up.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sqlx::{
    Connection as _, PgConnection, Row as _,
    postgres::{PgConnectOptions, PgRow},
    types::Uuid,
};
use tokio::task::JoinSet;

use crate::{cost::Meter, load::Load, prepare::DATABASE, stack::Stack};

const FULL: &str = include_str!("../../services/auth-api/store/sql/refresh_token_rotate.sql");
/// What is left of it without locks, decisions, joins and the arm of replays: the swap and its event.
const BARE: &str = include_str!("../sql/rotate_bare.sql");
const SEED: &str = include_str!("../sql/rotate_seed.sql");
/// As the connections of auth-api's workers.
const SETTINGS: [(&str, &str); 5] = [
    ("jit", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];
const SESSIONS: usize = 65_536;
const WORKERS: usize = 4;
const MAX_BATCH: usize = 64;
/// As long as the core and the personal part of a real event.
const CORE: [u8; 300] = [7; 300];
const PERSONAL: [u8; 96] = [7; 96];

/// Which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Bare,
    Full,
    BatchOfOne,
}

/// Every session, by its number, with its generation.
pub struct Statements {
    url: String,
    /// Of each worker; nobody else's.
    generations: Vec<Vec<i32>>,
    attempts: u64,
}

impl Form {
    pub const ALL: [Self; 3] = [Self::Bare, Self::Full, Self::BatchOfOne];

    /// As the table calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "statement_bare",
            Self::Full => "statement_full",
            Self::BatchOfOne => "statement_batch_of_one",
        }
    }

    /// Workers and rows of a batch, when so many requests are under way.
    fn shape(self, connections: usize) -> (usize, usize) {
        match self {
            Self::BatchOfOne => (connections.min(MAX_BATCH), 1),
            Self::Bare | Self::Full => {
                let workers = WORKERS.min(connections);
                (workers, (connections / workers).clamp(1, MAX_BATCH))
            }
        }
    }
}

impl Statements {
    /// Makes the sessions.
    pub async fn prepare(stack: &Stack) -> Result<Self> {
        let url = stack.superuser_url(DATABASE)?;
        let mut connection = PgConnection::connect(&url).await?;
        sqlx::raw_sql(SEED).execute(&mut connection).await?;
        sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await?;
        Ok(Self {
            url,
            generations: vec![vec![1; SESSIONS / MAX_BATCH]; MAX_BATCH],
            attempts: 0,
        })
    }

    /// Rotates without a pause, as so many requests under way would have it.
    pub async fn run(&mut self, (form, connections): (Form, usize), meter: &mut Meter, time: Duration) -> Result<Load> {
        let (workers, batch) = form.shape(connections);
        let mut tasks = JoinSet::new();
        let mut connected = Vec::new();
        for _ in 0..workers {
            let options: PgConnectOptions = self.url.parse()?;
            connected.push(PgConnection::connect_with(&options.options(SETTINGS)).await?);
        }
        let before = meter.read().await?;
        let began = Instant::now();
        for (number, connection) in connected.into_iter().enumerate() {
            self.attempts += 1;
            let worker = Worker {
                connection,
                number,
                generations: std::mem::take(&mut self.generations[number]),
                next: 0,
                attempt: self.attempts << 32,
            };
            tasks.spawn(worker.run(form, batch, began + time));
        }
        let mut load = Load::default();
        let mut batches = 0;
        while let Some(done) = tasks.join_next().await {
            let (worker, seconds) = done??;
            self.generations[worker.number] = worker.generations;
            batches += i64::try_from(seconds.len())?;
            load.seconds
                .extend(seconds.iter().flat_map(|seconds| std::iter::repeat_n(*seconds, batch)));
        }
        load.window = began.elapsed();
        load.used = meter.read().await?.since(&before);
        // Nobody else writes meanwhile, and these are not of auth-api's role.
        load.used.statements = batches;
        load.used.wal_bytes = load.used.wal_bytes_all;
        load.seconds.sort_by(f64::total_cmp);
        Ok(load)
    }
}

struct Worker {
    connection: PgConnection,
    number: usize,
    generations: Vec<i32>,
    next: usize,
    attempt: u64,
}

impl Worker {
    async fn run(mut self, form: Form, batch: usize, end: Instant) -> Result<(Self, Vec<f64>)> {
        let mut seconds = Vec::new();
        while Instant::now() < end {
            let began = Instant::now();
            let rows = self.rotate(form, batch).await?;
            seconds.push(began.elapsed().as_secs_f64());
            let outcomes = rows.iter().map(|row| row.try_get::<String, _>("outcome!"));
            let rotated = outcomes.filter(|outcome| outcome.as_deref().is_ok_and(|outcome| outcome == "Rotated"));
            ensure!(
                rotated.count() == batch,
                "{} did not rotate all of its batch",
                form.name()
            );
        }
        Ok((self, seconds))
    }

    async fn rotate(&mut self, form: Form, batch: usize) -> Result<Vec<PgRow>> {
        // A prime step: neighbours in a batch are none in the table.
        const STEP: usize = 397;
        let mut sessions = Vec::with_capacity(batch);
        let mut generations = Vec::with_capacity(batch);
        let mut attempts = Vec::with_capacity(batch);
        for _ in 0..batch {
            self.next = (self.next + STEP) % self.generations.len();
            self.attempt += 1;
            sessions.push(self.next * MAX_BATCH + self.number);
            generations.push(self.generations[self.next]);
            self.generations[self.next] += 1;
            attempts.push(Uuid::from_u64_pair(u64::MAX, self.attempt));
        }
        let ids: Vec<Uuid> = sessions.iter().map(|session| id(*session)).collect();
        let hashes = |add: i32| -> Vec<Vec<u8>> {
            let each = sessions.iter().zip(&generations);
            each.map(|(session, generation)| hash(*session, generation + add))
                .collect()
        };
        let same = |bytes: &[u8]| vec![bytes.to_vec(); batch];
        let query = if form == Form::Bare {
            sqlx::query(BARE)
                .bind(ids)
                .bind(vec![id(0); batch])
                .bind(hashes(0))
                .bind(hashes(1))
                .bind(attempts)
                .bind(same(&CORE))
                .bind(same(&PERSONAL))
        } else {
            sqlx::query(FULL)
                .bind(ids)
                .bind(vec![id(0); batch])
                .bind(vec![id(0); batch])
                .bind(vec![1_i64; batch])
                .bind(generations.clone())
                .bind(hashes(0))
                .bind(hashes(1))
                .bind(vec![1_i16; batch])
                .bind(vec![false; batch])
                .bind(vec![None::<String>; batch])
                .bind(attempts)
                .bind(vec![0_i16; batch])
                .bind(vec![0_i16; batch])
                .bind(same(&CORE))
                .bind(same(&CORE))
                .bind(same(&CORE))
                .bind(same(&CORE))
                .bind(same(&PERSONAL))
                .bind(vec![1_000_000; batch])
        };
        Ok(query.fetch_all(&mut self.connection).await?)
    }
}

/// As `rotate_seed.sql` makes them; number 0 is the tenant, its client and its person too.
const fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128)
}

/// As `rotate_seed.sql` makes those of generation 1.
fn hash(session: usize, generation: i32) -> Vec<u8> {
    let mut hash = vec![0; 32];
    hash[..8].copy_from_slice(&(session as u64).to_be_bytes());
    hash[8..12].copy_from_slice(&generation.to_be_bytes());
    hash
}
