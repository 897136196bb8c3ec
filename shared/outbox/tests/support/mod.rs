//! Writers of numbered events, and reading them back.
#![allow(dead_code, reason = "each test program uses its part")]

use std::time::Duration;

use credo_ids::Shard;
use credo_outbox::{CONNECTION_SETTINGS, Number, Numbering, OutboxRow, advance, read_batch, window_after};
use credo_postgres::{PoolSpec, connect_lazy};
use credo_testkit::TestDatabase;
use sqlx::{PgConnection, PgExecutor, PgPool, Postgres, Transaction};

pub fn relay_pool(database: &TestDatabase) -> PgPool {
    connect_lazy(&PoolSpec {
        url: &database.url_as("credo_outbox_relay").into(),
        application_name: "test-relay",
        max_connections: 6,
        statement_timeout: Duration::from_secs(10),
        lock_timeout: Duration::from_secs(10),
        settings: &CONNECTION_SETTINGS,
    })
    .unwrap()
}

/// Inserts the event with this number: its core is the number, its aggregate and tenant are made of it.
pub async fn insert(executor: impl PgExecutor<'_>, number: i64) {
    sqlx::query(
        "INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
         VALUES (0, gen_random_uuid(), $1::bigint % 3, gen_random_uuid(), gen_random_uuid(), 2, int8send($1), 'p')",
    )
    .bind(number)
    .execute(executor)
    .await
    .unwrap();
}

pub fn number_of(row: &OutboxRow) -> i64 {
    i64::from_be_bytes(row.core.as_slice().try_into().unwrap())
}

/// An auth database with one pool as the relay and one as the writer.
pub struct Outbox {
    database: TestDatabase,
    relay: PgPool,
    writer: PgPool,
}

impl Outbox {
    pub async fn new() -> Self {
        let database = TestDatabase::auth().await;
        let writer = PgPool::connect_lazy(&database.url_as("credo_auth_api")).unwrap();
        let outbox = Self {
            relay: relay_pool(&database),
            writer,
            database,
        };
        // The first tick is as old as the template: without this, its age would be a reason to tick.
        outbox.execute("UPDATE tick SET created_at = now()").await;
        outbox
    }

    pub fn relay(&self) -> &PgPool {
        &self.relay
    }

    pub fn writer(&self) -> &PgPool {
        &self.writer
    }

    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    pub async fn execute(&self, statement: &'static str) {
        sqlx::query(statement)
            .execute(self.database.owner_pool())
            .await
            .unwrap();
    }

    pub async fn insert(&self, number: i64) {
        insert(&self.writer, number).await;
    }

    pub async fn begin(&self) -> Open {
        Open(self.writer.begin().await.unwrap())
    }

    pub async fn insert_with_rolled_back_savepoint(&self, kept: i64, rolled_back: i64) {
        let mut transaction = self.writer.begin().await.unwrap();
        insert(&mut *transaction, kept).await;
        sqlx::query("SAVEPOINT s").execute(&mut *transaction).await.unwrap();
        insert(&mut *transaction, rolled_back).await;
        sqlx::query("ROLLBACK TO s").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// The numbers of a tick's events in their order, read in chunks.
    pub async fn read_tick(&self, tick: i64, limit: u16) -> Vec<i64> {
        self.read_rows(tick, limit).await.iter().map(number_of).collect()
    }

    pub async fn read_rows(&self, tick: i64, limit: u16) -> Vec<OutboxRow> {
        let window = window_after(&self.relay, tick - 1).await.unwrap().unwrap();
        let mut rows: Vec<OutboxRow> = vec![];
        loop {
            let after = rows.last().map_or(0, |row| row.id);
            let chunk = read_batch(&self.relay, &window, after, limit).await.unwrap();
            let ends = chunk.len() < usize::from(limit);
            rows.extend(chunk);
            if ends {
                return rows;
            }
        }
    }
}

/// A transaction that is not finished.
pub struct Open(Transaction<'static, Postgres>);

impl Open {
    pub async fn insert(mut self, number: i64) -> Self {
        let connection: &mut PgConnection = &mut self.0;
        insert(connection, number).await;
        self
    }

    pub async fn commit(self) {
        self.0.commit().await.unwrap();
    }

    pub async fn rollback(self) {
        self.0.rollback().await.unwrap();
    }
}

/// Numbers a row that exists only here; its shard is its id modulo three.
pub trait Published {
    fn publish(&mut self, id: i64) -> advance::Published;
}

impl Published for Numbering {
    fn publish(&mut self, id: i64) -> advance::Published {
        let shard = Shard::try_from(i16::try_from(id % 3).unwrap()).unwrap();
        let number: Number = self.number(shard, &id.to_be_bytes());
        advance::Published { id, shard, number }
    }
}
