//! What is committed is published: once, in order, under numbers that never change.

use std::time::Duration;

use credo_kafka::topic::PARTITIONS;
use credo_testkit::{eventually, kafka_brokers};
use sqlx::PgPool;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{
    DEADLINE, Killable, Relay, assert_lock_order, assert_sound, committed, database_with_truth, fresh_topic, published,
    settings, tenant, topic_content, write, write_many,
};

const WRITERS: u64 = 6;
const ROUNDS: u64 = 50;

fn aggregate(number: u64) -> Uuid {
    Uuid::from_u128(u128::from(number % 5) + 100)
}

async fn write_rounds(pool: PgPool, writer: u64) {
    for round in 0..ROUNDS {
        let mut transaction = pool.begin().await.unwrap();
        let aggregate = aggregate(writer + round * 3);
        write(
            &mut transaction,
            tenant(u64::try_from(aggregate.as_u128()).unwrap()),
            aggregate,
        )
        .await;
        if writer == 0 {
            sqlx::query("SELECT pg_sleep(0.03)")
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
        if (writer + round).is_multiple_of(5) {
            transaction.rollback().await.unwrap();
        } else {
            transaction.commit().await.unwrap();
        }
    }
}

async fn write_concurrently(pool: &PgPool) {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write_rounds(pool.clone(), writer));
    }
    while let Some(result) = writers.join_next().await {
        result.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_concurrent_writers_commit_is_published_once_and_in_lock_order() {
    let (brokers, topic) = (kafka_brokers(), fresh_topic());
    let (database, writer) = database_with_truth((0..5).map(aggregate)).await;
    let relay = Relay::start(&settings(&database, &brokers, &topic)).await;
    write_concurrently(&writer).await;
    published(&database).await;
    let pending = eventually(DEADLINE, async || {
        (relay.metric("credo_outbox_pending_total").await == 0).then_some(())
    });
    pending.await;
    assert_eq!(
        relay.metric("credo_outbox_published_total").await,
        u64::try_from(committed(&database).await).unwrap()
    );
    relay.stop().await.unwrap();

    let content = topic_content(&brokers, &topic).await;
    assert_eq!(
        content.len(),
        committed(&database).await,
        "nothing twice, nothing missing"
    );
    assert_lock_order(&assert_sound(&content, PARTITIONS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_relays_leave_no_hole_and_their_successor_sends_the_same_bytes() {
    let (brokers, topic) = (kafka_brokers(), fresh_topic());
    let (database, writer) = database_with_truth((0..5).map(aggregate)).await;
    let settings = settings(&database, &brokers, &topic);
    for round in 0..4 {
        let relay = Killable::start(&settings);
        write_concurrently(&writer).await;
        if round % 2 == 0 {
            published(&database).await;
        }
        relay.kill();
        // As if the kill had come before the last steps were recorded, and nobody had to wait for the lease.
        for statement in [
            "DELETE FROM progress WHERE tick_id > (SELECT max(tick_id) - 2 FROM progress)",
            "UPDATE lease SET expires_at = '-infinity'",
        ] {
            sqlx::query(statement).execute(database.owner_pool()).await.unwrap();
        }
    }
    let last = Relay::start(&settings).await;
    published(&database).await;
    last.stop().await.unwrap();

    let content = topic_content(&brokers, &topic).await;
    assert!(
        content.len() > committed(&database).await,
        "the test is void without repetition"
    );
    let events = assert_sound(&content, PARTITIONS);
    assert_eq!(events.len(), committed(&database).await);
    assert_lock_order(&events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tick_larger_than_a_chunk_is_published_whole() {
    let (brokers, topic) = (kafka_brokers(), fresh_topic());
    let (database, writer) = database_with_truth((0..5).map(aggregate)).await;
    for number in 0..5 {
        write_many(&writer, tenant(number), aggregate(number), 500).await;
    }
    let relay = Relay::start(&settings(&database, &brokers, &topic)).await;
    published(&database).await;
    relay.stop().await.unwrap();
    let content = topic_content(&brokers, &topic).await;
    assert_eq!(content.len(), 2_500);
    assert_lock_order(&assert_sound(&content, PARTITIONS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn au_04_of_two_relays_one_works_and_the_other_takes_over_at_once_when_it_is_stopped() {
    let (brokers, topic) = (kafka_brokers(), fresh_topic());
    let (database, writer) = database_with_truth((0..5).map(aggregate)).await;
    let settings = settings(&database, &brokers, &topic);
    let first = Relay::start(&settings).await;
    eventually(DEADLINE, async || first.metric("credo_outbox_leader").await == 1).await;
    let second = Relay::start(&settings).await;
    write_many(&writer, tenant(1), aggregate(1), 10).await;
    published(&database).await;
    assert_eq!(second.metric("credo_outbox_leader").await, 0);
    assert_eq!(second.metric("credo_outbox_published_total").await, 0);

    first.stop().await.unwrap();
    eventually(Duration::from_secs(3), async || {
        second.metric("credo_outbox_leader").await == 1
    })
    .await;
    write_many(&writer, tenant(1), aggregate(1), 10).await;
    published(&database).await;
    second.stop().await.unwrap();
    let content = topic_content(&brokers, &topic).await;
    assert_eq!(content.len(), 20);
    assert_lock_order(&assert_sound(&content, PARTITIONS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_as_large_as_they_may_be_are_published() {
    let (brokers, topic) = (kafka_brokers(), fresh_topic());
    let (database, writer) = database_with_truth(std::iter::empty()).await;
    sqlx::query(
        "INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
         SELECT 0, gen_random_uuid(), 7, gen_random_uuid(), gen_random_uuid(), 2,
                (SELECT decode(string_agg(md5(random()::text || event || part), ''), 'hex') FROM generate_series(1, 3830) part),
                decode(md5(''), 'hex')
         FROM generate_series(1, 40) event",
    )
    .execute(&writer)
    .await
    .unwrap();
    let relay = Relay::start(&settings(&database, &brokers, &topic)).await;
    published(&database).await;
    assert_eq!(relay.metric("credo_outbox_restarts_total").await, 0);
    relay.stop().await.unwrap();
    let content = topic_content(&brokers, &topic).await;
    assert_eq!(assert_sound(&content, PARTITIONS).len(), 40);
    assert!(content.iter().all(|(_, record)| record.value.len() > 61_000));
}
