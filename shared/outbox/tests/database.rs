//! The statements against a real Postgres, as the role that serves.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use credo_outbox::{
    Advance, FIRST_SEQ, Fence, Head, Lease, Numbering, Place, advance, advance::Published, oldest_pending, pending,
    record_advance, resume, take_tick, window_after,
};
use credo_testkit::{TestDatabase, eventually};
use support::{Outbox, Published as _, insert, relay_pool};
use uuid::Uuid;

#[tokio::test]
async fn a_late_commit_lies_in_a_later_batch_and_a_rollback_in_none() {
    let outbox = Outbox::new().await;
    let late = outbox.begin().await;
    let late = late.insert(1).await;
    let aborted = outbox.begin().await.insert(2).await;
    outbox.insert(3).await;
    assert!(take_tick(outbox.relay()).await.unwrap());
    outbox.insert(4).await;
    late.commit().await;
    aborted.rollback().await;
    outbox.insert_with_rolled_back_savepoint(5, 6).await;
    assert!(take_tick(outbox.relay()).await.unwrap());
    assert_eq!(outbox.read_tick(1, 10).await, [3]);
    assert_eq!(outbox.read_tick(2, 10).await, [1, 4, 5], "in the order of ids");
    assert_eq!(outbox.read_tick(2, 1).await, [1, 4, 5], "in chunks too");
}

#[tokio::test]
async fn no_tick_without_a_new_row() {
    let outbox = Outbox::new().await;
    assert!(!take_tick(outbox.relay()).await.unwrap());
    let open = outbox.begin().await.insert(1).await;
    assert!(!take_tick(outbox.relay()).await.unwrap(), "not committed yet");
    open.commit().await;
    assert!(take_tick(outbox.relay()).await.unwrap());
    assert!(!take_tick(outbox.relay()).await.unwrap());
    assert_eq!(window_after(outbox.relay(), 1).await.unwrap(), None);
}

#[tokio::test]
async fn a_row_of_a_transaction_that_ran_at_the_last_tick_is_reason_to_tick() {
    let outbox = Outbox::new().await;
    let open = outbox.begin().await.insert(1).await;
    outbox.insert(2).await;
    assert!(take_tick(outbox.relay()).await.unwrap());
    open.commit().await;
    assert!(take_tick(outbox.relay()).await.unwrap());
    assert_eq!(outbox.read_tick(2, 10).await, [1]);
}

#[tokio::test]
async fn an_old_tick_is_followed_by_one_without_rows() {
    let outbox = Outbox::new().await;
    outbox
        .execute("UPDATE tick SET created_at = now() - interval '31 seconds'")
        .await;
    assert!(take_tick(outbox.relay()).await.unwrap());
    assert_eq!(outbox.read_tick(1, 10).await, [] as [i64; 0]);
}

#[tokio::test]
async fn a_tick_inside_a_transaction_that_has_an_id_already_is_refused() {
    let outbox = Outbox::new().await;
    outbox.insert(1).await;
    let mut transaction = outbox.relay().begin().await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()")
        .execute(&mut *transaction)
        .await
        .unwrap();
    outbox.insert(2).await;
    let refused = sqlx::query(include_str!("../sql/tick.sql"))
        .execute(&mut *transaction)
        .await;
    assert!(
        refused.unwrap_err().to_string().contains("tick_check"),
        "its xid would be older than its snapshot"
    );
}

#[tokio::test]
async fn of_two_advances_from_one_place_one_is_recorded_and_whole() {
    let outbox = Outbox::new().await;
    let start = resume(outbox.relay()).await.unwrap();
    assert_eq!(
        (start.epoch, start.place, start.numbering),
        (1, Place::after_tick(0), Numbering::default())
    );
    let mut numbering = Numbering::default();
    let rows: Vec<Published> = (1..=4).map(|id| numbering.publish(id)).collect();
    let (short, long) = (step(&rows[..2]), advance::advance(1, &rows, true).unwrap());
    assert_eq!(record_advance(outbox.relay(), 1, &short).await.unwrap(), Fence::Passed);
    assert_eq!(record_advance(outbox.relay(), 1, &long).await.unwrap(), Fence::Held);
    assert_eq!(record_advance(outbox.relay(), 1, &short).await.unwrap(), Fence::Held);
    let resumed = resume(outbox.relay()).await.unwrap();
    assert_eq!(resumed.place, Place { tick: 1, last_id: 2 });
    let mut expected = Numbering::default();
    for id in 1..=2 {
        expected.publish(id);
    }
    assert_eq!(resumed.numbering, expected);
    let unused = rows[2].shard;
    assert_eq!(
        resumed.numbering.head(unused),
        Head::START,
        "nothing of the refused step is left"
    );
}

fn step(rows: &[Published]) -> Advance {
    advance::advance(1, rows, false).unwrap()
}

#[tokio::test]
async fn a_tick_without_rows_is_recorded_once() {
    let outbox = Outbox::new().await;
    let empty = advance::advance(1, &[], true).unwrap();
    assert_eq!(record_advance(outbox.relay(), 1, &empty).await.unwrap(), Fence::Passed);
    assert_eq!(record_advance(outbox.relay(), 1, &empty).await.unwrap(), Fence::Held);
    assert_eq!(resume(outbox.relay()).await.unwrap().place, Place::after_tick(1));
}

#[tokio::test]
async fn one_holder_at_a_time_and_a_term_for_each() {
    let database = TestDatabase::auth().await;
    let pool = relay_pool(&database);
    let ttl = Duration::from_mins(1);
    let (one, two) = (
        Lease::new("relay", Uuid::new_v4(), ttl),
        Lease::new("relay", Uuid::new_v4(), ttl),
    );
    let first = one.take(&pool).await.unwrap().unwrap();
    assert_eq!(one.take(&pool).await.unwrap(), Some(first), "renewing keeps the term");
    assert_eq!(two.take(&pool).await.unwrap(), None);
    two.resign(&pool, first).await.unwrap();
    assert_eq!(two.take(&pool).await.unwrap(), None, "nobody resigns for another");
    one.resign(&pool, first).await.unwrap();
    let second = two.take(&pool).await.unwrap().unwrap();
    assert_ne!(first, second);
    assert_eq!(one.take(&pool).await.unwrap(), None);
}

#[tokio::test]
async fn an_unrenewed_lease_is_taken_when_its_time_is_over() {
    let database = TestDatabase::auth().await;
    let pool = relay_pool(&database);
    let short = Lease::new("relay", Uuid::new_v4(), Duration::from_millis(200));
    let other = Lease::new("relay", Uuid::new_v4(), Duration::from_mins(1));
    let first = short.take(&pool).await.unwrap().unwrap();
    let second = eventually(Duration::from_secs(10), async || other.take(&pool).await.unwrap()).await;
    assert_ne!(first, second);
    assert_eq!(short.take(&pool).await.unwrap(), None);
}

#[tokio::test]
async fn pending_is_an_upper_bound_that_comes_down_to_zero() {
    let outbox = Outbox::new().await;
    assert_eq!(pending(outbox.relay()).await.unwrap().events, 0);
    for number in 1..=3 {
        outbox.insert(number).await;
    }
    assert_eq!(pending(outbox.relay()).await.unwrap().events, 3);
    assert!(oldest_pending(outbox.relay()).await.unwrap().is_some());
    assert_eq!(
        pending(outbox.writer()).await.unwrap().events,
        3,
        "who writes them can read how many wait"
    );
    take_tick(outbox.relay()).await.unwrap();
    let mut numbering = Numbering::default();
    let rows: Vec<Published> = (1..=3).map(|id| numbering.publish(id)).collect();
    record_advance(outbox.relay(), 1, &step(&rows[..1])).await.unwrap();
    assert_eq!(pending(outbox.relay()).await.unwrap().events, 2);
    record_advance(outbox.relay(), 1, &advance::advance(1, &rows[1..], true).unwrap())
        .await
        .unwrap();
    let pending = pending(outbox.relay()).await.unwrap();
    assert_eq!((pending.events, pending.last_tick), (0, 1));
    assert_eq!(oldest_pending(outbox.relay()).await.unwrap(), None);
}

#[tokio::test]
async fn plans_made_on_empty_tables_use_the_indexes() {
    let database = TestDatabase::auth().await;
    let mut connection = relay_pool(&database).acquire().await.unwrap();
    let statement = format!(
        "PREPARE batch (text, text, bigint, bigint, bigint, bigint) AS {}",
        include_str!("../sql/outbox_batch.sql")
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut *connection)
        .await
        .unwrap();
    let plan: Vec<(String,)> = sqlx::query_as("EXPLAIN EXECUTE batch ('9:9:', '12:12:', 0, 5, 10, 100)")
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    let plan = plan.into_iter().map(|(line,)| line).collect::<Vec<_>>().join("\n");
    for slot in 0..4 {
        assert!(plan.contains(&format!("outbox_{slot}_id_idx")), "{plan}");
        assert!(plan.contains(&format!("outbox_{slot}_xid_idx")), "{plan}");
    }
    assert!(
        plan.contains("Index Cond: ((id > GREATEST($3, $4)) AND (id <= $5))"),
        "{plan}"
    );
    assert!(
        plan.contains("Index Cond: (xid = x.xid)") && !plan.contains("Seq Scan"),
        "{plan}"
    );
}

#[tokio::test]
async fn a_writer_cannot_choose_its_place() {
    let database = TestDatabase::auth().await;
    let writer = sqlx::PgPool::connect_lazy(&database.url_as("credo_auth_api")).unwrap();
    let row = "1, gen_random_uuid(), 0, gen_random_uuid(), gen_random_uuid(), 2, 'c', 'p'";
    let columns = "slot, tenant_id, shard, aggregate, event_id, class, core, personal";
    for (column, value) in [("id", "7"), ("xid", "'7'")] {
        let statement = format!("INSERT INTO outbox ({columns}, {column}) VALUES ({row}, {value})");
        assert!(
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
                .execute(&writer)
                .await
                .is_err(),
            "{column}"
        );
    }
    insert(&writer, 1).await;
    assert_eq!(FIRST_SEQ, 1);
}
