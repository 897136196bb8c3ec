//! Writers that lock, wait, commit late and roll back, against two tickers and a reader, on a real Postgres.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use credo_outbox::{OutboxRow, pending, take_tick};
use sqlx::PgPool;
use support::Outbox;
use tokio::task::JoinSet;
use uuid::Uuid;

const WRITERS: u64 = 8;
const ROUNDS: u64 = 60;
const AGGREGATES: u128 = 5;

/// Numbers an aggregate's events under its row lock, as a business statement does, and notes each in the same transaction.
async fn write(pool: PgPool, writer: u64) {
    for round in 0..ROUNDS {
        let aggregate = Uuid::from_u128(u128::from(writer * 7 + round * 3) % AGGREGATES);
        let mut transaction = pool.begin().await.unwrap();
        if round % 4 == writer % 4 {
            // Takes its transaction id long before it gets the lock.
            sqlx::query("SELECT pg_current_xact_id()")
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
        sqlx::query(
            "WITH locked AS (UPDATE truth SET n = n + 1 WHERE aggregate = $1 RETURNING n)
             INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
             SELECT 0, $1, 3, $1, gen_random_uuid(), 2, int8send(n), 'p' FROM locked",
        )
        .bind(aggregate)
        .execute(&mut *transaction)
        .await
        .unwrap();
        if writer == 0 {
            sqlx::query("SELECT pg_sleep(0.02)")
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
        if (round + writer).is_multiple_of(5) {
            transaction.rollback().await.unwrap();
        } else {
            transaction.commit().await.unwrap();
        }
    }
}

async fn tick_until(pool: PgPool, done: Arc<AtomicBool>) {
    while !done.load(Ordering::Relaxed) {
        take_tick(&pool).await.unwrap();
        tokio::task::yield_now().await;
    }
}

async fn read_all(outbox: &Outbox, limit: u16) -> Vec<OutboxRow> {
    let last_tick = pending(outbox.relay()).await.unwrap().last_tick;
    let mut rows = vec![];
    for tick in 1..=last_tick {
        rows.extend(outbox.read_rows(tick, limit).await);
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_committed_row_is_read_once_and_in_lock_order() {
    let outbox = Outbox::new().await;
    outbox
        .execute("CREATE TABLE truth (aggregate uuid PRIMARY KEY, n bigint NOT NULL)")
        .await;
    outbox
        .execute("GRANT SELECT, INSERT, UPDATE ON truth TO credo_auth_api")
        .await;
    for aggregate in 0..AGGREGATES {
        let insert = sqlx::query("INSERT INTO truth VALUES ($1, 0)").bind(Uuid::from_u128(aggregate));
        insert.execute(outbox.writer()).await.unwrap();
    }

    let done = Arc::new(AtomicBool::new(false));
    let mut tickers = JoinSet::new();
    (0..2).for_each(|_| drop(tickers.spawn(tick_until(outbox.relay().clone(), Arc::clone(&done)))));
    let mut writers = JoinSet::new();
    (0..WRITERS).for_each(|writer| drop(writers.spawn(write(outbox.writer().clone(), writer))));
    while let Some(result) = writers.join_next().await {
        result.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    while let Some(result) = tickers.join_next().await {
        result.unwrap();
    }
    take_tick(outbox.relay()).await.unwrap();

    let rows = read_all(&outbox, 7).await;
    let ids: BTreeSet<i64> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), rows.len(), "no row twice");
    let committed: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox")
        .fetch_one(outbox.relay())
        .await
        .unwrap();
    assert_eq!(i64::try_from(rows.len()).unwrap(), committed, "none missing");
    let mut next = BTreeMap::<Uuid, i64>::new();
    for row in &rows {
        let next = next.entry(row.aggregate).or_insert(1);
        assert_eq!(support::number_of(row), *next, "out of lock order");
        *next += 1;
    }
    assert!(
        !rows.is_sorted_by_key(|row| row.id),
        "the test is void without late commits"
    );
    let again: Vec<i64> = read_all(&outbox, 1000).await.iter().map(|row| row.id).collect();
    assert_eq!(
        again,
        rows.iter().map(|row| row.id).collect::<Vec<_>>(),
        "the order does not depend on chunks"
    );
}
