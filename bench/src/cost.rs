//! What work costs: processor time out of `/proc`, statements, bytes and flushes out of Postgres.

use std::{collections::HashMap, fs, time::Duration};

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, PgConnection};
use tokio::time::{Instant, sleep};

use crate::stack::Stack;

/// Linux counts processor time in hundredths of a second for everybody.
const MICROSECONDS_PER_TICK: u64 = 10_000;
/// Statements of auth-api's role but those that no request causes; rows that sessions were updated in.
const COUNTERS: &str = "
    SELECT s.calls, s.wal, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint,
           (SELECT wal_sync FROM pg_stat_wal), t.n_tup_upd, t.n_tup_hot_upd
    FROM (SELECT coalesce(sum(calls), 0)::bigint AS calls, coalesce(sum(wal_bytes), 0)::bigint AS wal
          FROM pg_stat_statements
          WHERE userid = 'credo_auth_api'::regrole AND query NOT LIKE '/* revocation_poll */%') s,
         pg_stat_user_tables t
    WHERE t.relname = 'session'";
const BACKENDS: &str = "SELECT pid FROM pg_stat_activity WHERE usename = 'credo_auth_api'";
const PENDING: &str = include_str!("../../shared/outbox/sql/outbox_pending.sql");
/// A machine that does less than this much of one core is quiet.
const QUIET_SHARE: f64 = 0.2;

/// Reads what was used so far.
pub struct Meter {
    connection: PgConnection,
    auth_api: i32,
    postgres: i32,
    downstream: Vec<i32>,
}

/// What was used up to a moment.
#[derive(Debug, Default)]
pub struct Reading {
    auth_api_us: u64,
    postgres_us: u64,
    generator_us: u64,
    downstream_us: u64,
    /// By backend of auth-api's.
    backends_us: HashMap<i32, u64>,
    counters: (i64, i64, i64, i64, i64, i64),
}

/// What was used between two moments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    pub auth_api_us: u64,
    /// The whole server, relay's and consumer's work too.
    pub postgres_us: u64,
    /// The backends of auth-api alone.
    pub backends_us: u64,
    pub downstream_us: u64,
    pub generator_us: u64,
    pub statements: i64,
    /// Of auth-api's statements.
    pub wal_bytes: i64,
    /// Of the whole server.
    pub wal_bytes_all: i64,
    pub flushes: i64,
    pub updates: i64,
    pub hot_updates: i64,
}

impl Meter {
    /// `server`: whose processor time is asked for; auth-api's or that of what stands in for it.
    pub async fn connect(stack: &Stack, server: i32) -> Result<Self> {
        Ok(Self {
            connection: PgConnection::connect(&stack.superuser_url("credo_auth")?).await?,
            auth_api: server,
            postgres: stack.postgres_pid()?,
            downstream: vec![stack.pid("outbox-relay")?, stack.pid("audit-consumer")?],
        })
    }

    /// What was used so far.
    pub async fn read(&mut self) -> Result<Reading> {
        let counters = sqlx::query_as(COUNTERS).fetch_one(&mut self.connection).await?;
        let backends: Vec<i32> = sqlx::query_scalar(BACKENDS).fetch_all(&mut self.connection).await?;
        let own = |pid: &i32| Times::of(*pid).map(|times| times.own);
        Ok(Reading {
            counters,
            backends_us: backends.iter().filter_map(|pid| Some((*pid, own(pid).ok()?))).collect(),
            auth_api_us: own(&self.auth_api)?,
            postgres_us: family_us(self.postgres)?,
            generator_us: own(&i32::try_from(std::process::id())?)?,
            downstream_us: self.downstream.iter().map(own).sum::<Result<u64>>()?,
        })
    }

    /// Events that are not published yet.
    pub async fn backlog(&mut self) -> Result<i64> {
        let row: Option<(i64, i64, Option<sqlx::types::Uuid>)> =
            sqlx::query_as(PENDING).fetch_optional(&mut self.connection).await?;
        Ok(row.map_or(0, |row| row.0))
    }

    /// Waits until nobody works off what was left, or for so long; says how much of it was needed.
    pub async fn settle(&mut self, at_most: Duration) -> Result<Duration> {
        const LOOK_EVERY: Duration = Duration::from_millis(150);
        let began = Instant::now();
        let busy = |meter: &Self| -> Result<u64> {
            let services = meter.downstream.iter().chain([&meter.auth_api]);
            let services = services.map(|pid| Ok(Times::of(*pid)?.own)).sum::<Result<u64>>()?;
            Ok(services + family_us(meter.postgres)?)
        };
        let mut before = busy(self)?;
        while began.elapsed() < at_most {
            sleep(LOOK_EVERY).await;
            let now = busy(self)?;
            if Duration::from_micros(now - before) < LOOK_EVERY.mul_f64(QUIET_SHARE) && self.backlog().await? == 0 {
                break;
            }
            before = now;
        }
        Ok(began.elapsed())
    }
}

impl Reading {
    pub fn since(&self, before: &Self) -> Used {
        let (calls, wal, wal_all, flushes, updates, hot) = self.counters;
        let old = before.counters;
        let used_by = |(pid, us): (&i32, &u64)| us.saturating_sub(before.backends_us.get(pid).copied().unwrap_or(0));
        Used {
            auth_api_us: self.auth_api_us - before.auth_api_us,
            postgres_us: self.postgres_us.saturating_sub(before.postgres_us),
            backends_us: self.backends_us.iter().map(used_by).sum(),
            downstream_us: self.downstream_us - before.downstream_us,
            generator_us: self.generator_us - before.generator_us,
            statements: calls - old.0,
            wal_bytes: wal - old.1,
            wal_bytes_all: wal_all - old.2,
            flushes: flushes - old.3,
            updates: updates - old.4,
            hot_updates: hot - old.5,
        }
    }
}

struct Times {
    parent: i32,
    own: u64,
    /// Of children that have ended.
    reaped: u64,
}

impl Times {
    fn of(pid: i32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid}"))?;
        // The name may hold anything but ends with the last parenthesis; the state is the first word behind it.
        let words: Vec<&str> = text.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let number = |at: usize| -> Result<u64> { Ok(words.get(at).context("a short stat file")?.parse()?) };
        Ok(Self {
            parent: i32::try_from(number(1)?)?,
            own: (number(11)? + number(12)?) * MICROSECONDS_PER_TICK,
            reaped: (number(13)? + number(14)?) * MICROSECONDS_PER_TICK,
        })
    }
}

/// A process, its children, and those that have ended.
fn family_us(pid: i32) -> Result<u64> {
    let first = Times::of(pid)?;
    let mut sum = first.own + first.reaped;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(child) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that has ended meanwhile is counted as reaped the next time.
        if let Some(times) = Times::of(child).ok().filter(|times| times.parent == pid) {
            sum += times.own;
        }
    }
    Ok(sum)
}
