//! A refresh leaves nothing behind but its event: every update of a session stays on its page and touches no index (HOT), and
//! the table keeps its size without a vacuum, in whatever order sessions are used.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash as _, Hasher as _},
    time::Duration,
};

use credo_auth_domain::refresh_token::Rotation;
use credo_ids::SessionId;
use credo_testkit::eventually;
use futures::future::join_all;
use sqlx::PgPool;

use crate::fixture::World;

/// Requests that are under way at one time.
const CROWD: usize = 256;
/// Workers that ended have told the server what they did by then.
const DEADLINE: Duration = Duration::from_secs(30);
/// Others of the server can only add to what refreshes leave behind: a page that a checkpoint is just writing, or that another
/// backend is reading, cannot be pruned, and its next version moves. What the layout itself leaves behind it leaves each time.
const ATTEMPTS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Order {
    Creation,
    Random,
}

/// Copies of one active session, `larger` by so many bytes, with ids in the order in which they were made.
async fn copies(world: &World, count: i32, larger: i32) -> Vec<SessionId> {
    let model = world.active().await;
    let insert = "INSERT INTO session
        SELECT (jsonb_populate_record(s, jsonb_build_object('id', '01900000-0000-7000-8000-' || lpad(to_hex(g), 12, '0'),
                                                            'redirect_uri', s.redirect_uri || repeat('x', $3)))).*
        FROM session s, generate_series(1, $2) g WHERE s.id = $1 ORDER BY g RETURNING id";
    let insert = sqlx::query_scalar(insert)
        .bind(model.as_uuid())
        .bind(count)
        .bind(larger);
    let ids: Vec<uuid::Uuid> = insert.fetch_all(world.owner()).await.unwrap();
    ids.into_iter().map(SessionId::from).collect()
}

/// Bytes of the table and of its indexes.
async fn size(pool: &PgPool) -> (i64, i64) {
    let size = "SELECT pg_relation_size('session'), pg_indexes_size('session')";
    sqlx::query_as(size).fetch_one(pool).await.unwrap()
}

async fn refresh_all(world: &World, sessions: &mut [SessionId], generation: u32, order: Order) {
    if matches!(order, Order::Random) {
        sessions.sort_by_key(|session| {
            let mut hasher = DefaultHasher::new();
            (generation, session.as_uuid()).hash(&mut hasher);
            hasher.finish()
        });
    }
    for crowd in sessions.chunks(CROWD) {
        let rotated = crowd
            .iter()
            .map(|session| world.store.rotate_refresh_token(world.rotate(*session, generation)));
        for answer in join_all(rotated).await {
            assert_eq!(answer.unwrap().unwrap().outcome, Rotation::Rotated);
        }
    }
}

/// Waits for every transaction of the server that runs now, as sessions wait minutes for their next refresh: while one of them
/// runs, and be it in another test's database, no dead version can be removed. Nor while an older snapshot is held in this
/// database, as statistics are gathered under one that has no transaction of its own.
async fn everybody_has_moved_on(pool: &PgPool) {
    let now = sqlx::query_scalar("SELECT pg_current_xact_id()::text::bigint");
    let now: i64 = now.fetch_one(pool).await.unwrap();
    let oldest = || {
        sqlx::query_as::<_, (i64, i32)>(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
                    (SELECT coalesce(max(age(backend_xmin)), 0) FROM pg_stat_activity
                     WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL))",
        )
        .fetch_one(pool)
    };
    eventually(DEADLINE, || async {
        let (running, age_of_snapshot) = oldest().await.unwrap();
        running - i64::from(age_of_snapshot) > now
    })
    .await;
}

/// Each of `sessions` is refreshed `rounds` times.
async fn stays_as_it_was(order: Order, sessions: i32, rounds: u32) {
    stays_as_it_was_of_size(order, sessions, rounds, 0).await;
}

async fn stays_as_it_was_of_size(order: Order, sessions: i32, rounds: u32, larger: i32) {
    let mut seen = Vec::new();
    while seen.len() < ATTEMPTS {
        let footprint = footprint(order, sessions, rounds, larger).await;
        if footprint.is_none() {
            return;
        }
        seen.push(footprint);
    }
    panic!("{order:?}, {larger} bytes more: {seen:?}");
}

/// What the refreshes left behind.
#[derive(Debug)]
#[expect(dead_code, reason = "shown when a test fails")]
struct Footprint {
    /// Bytes of the table and of its indexes.
    before: (i64, i64),
    after: (i64, i64),
    updates: i64,
    hot_updates: i64,
}

/// Nothing if table and indexes kept their size and each update was HOT.
async fn footprint(order: Order, sessions: i32, rounds: u32, larger: i32) -> Option<Footprint> {
    let world = World::new().await;
    world.sql("ALTER TABLE session SET (autovacuum_enabled = off)").await;
    let mut copies = copies(&world, sessions, larger).await;
    let before = size(world.owner()).await;
    for generation in 1..=rounds {
        refresh_all(&world, &mut copies, generation, order).await;
        everybody_has_moved_on(world.owner()).await;
    }
    let after = size(world.owner()).await;
    let World { database, store, .. } = world;
    drop(store); // a backend that ends tells what it counted
    let refreshes = i64::from(sessions) * i64::from(rounds);
    let counted = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'session'";
    let counts = || async {
        sqlx::query_as::<_, (i64, i64)>(counted)
            .fetch_one(database.owner_pool())
            .await
            .unwrap()
    };
    eventually(DEADLINE, || async { counts().await.0 >= refreshes }).await;
    let (updates, hot_updates) = counts().await;
    (after != before || hot_updates != updates).then_some(Footprint {
        before,
        after,
        updates,
        hot_updates,
    })
}

#[tokio::test]
async fn refreshes_in_creation_order_are_hot_and_the_table_keeps_its_size() {
    stays_as_it_was(Order::Creation, 1_000, 10).await;
}

#[tokio::test]
async fn refreshes_in_random_order_are_hot_and_the_table_keeps_its_size() {
    stays_as_it_was(Order::Random, 1_000, 10).await;
}

#[tokio::test]
async fn a_page_has_room_for_the_next_versions_of_its_rows_whatever_their_size() {
    // Rows are aligned to eight bytes; over this range a page is filled with eight rows or with seven.
    for larger in (0..104).step_by(8) {
        stays_as_it_was_of_size(Order::Creation, 100, 3, larger).await;
    }
}

#[tokio::test]
#[ignore = "minutes: `make soak`"]
async fn soak_half_a_million_refreshes_in_creation_order_are_hot_and_the_table_keeps_its_size() {
    stays_as_it_was(Order::Creation, 10_000, 50).await;
}

#[tokio::test]
#[ignore = "minutes: `make soak`"]
async fn soak_half_a_million_refreshes_in_random_order_are_hot_and_the_table_keeps_its_size() {
    stays_as_it_was(Order::Random, 10_000, 50).await;
}
