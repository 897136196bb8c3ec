//! What is over goes, what is alive stays, and nothing comes alive again.

use std::time::Duration;

use credo_auth_domain::{email_address::EmailAddress, refresh_token::Rotation};
use credo_auth_store::{Account, Authorization, Page, Reservation};
use credo_ids::{DeviceId, SessionId, TenantId};
use uuid::Uuid;

use crate::fixture::{World, hash};

const ALL: (Uuid, Uuid) = (Uuid::nil(), Uuid::max());

/// How many sessions go.
async fn purge(world: &World) -> u64 {
    world.store.purge_sessions(ALL, 1_000).await.unwrap().unwrap().removed
}

async fn set(world: &World, session: SessionId, change: &'static str) {
    let statement = sqlx::AssertSqlSafe(format!("UPDATE session SET {change} WHERE id = $1"));
    sqlx::query(statement)
        .bind(session.as_uuid())
        .execute(world.owner())
        .await
        .unwrap();
}

async fn is_there(world: &World, session: SessionId) -> bool {
    let statement = sqlx::query_scalar("SELECT EXISTS (SELECT FROM session WHERE id = $1)");
    statement
        .bind(session.as_uuid())
        .fetch_one(world.owner())
        .await
        .unwrap()
}

#[tokio::test]
async fn sessions_go_a_day_after_their_end_and_codes_ten_minutes_after_theirs() {
    let world = World::new().await;
    for (change, goes) in [
        (
            "state = 2, refresh_hash = NULL, ended_at = now() - interval '24 hours 1 minute'",
            true,
        ),
        (
            "state = 2, refresh_hash = NULL, ended_at = now() - interval '23 hours 59 minutes'",
            false,
        ),
        ("expires_at = now() - interval '24 hours 1 minute'", true),
        ("expires_at = now() - interval '23 hours 59 minutes'", false),
        ("rotated_at = now() - interval '2 days', idle_ttl = '23 hours'", true),
        ("rotated_at = now() - interval '2 days', idle_ttl = '25 hours'", false),
        ("idle_ttl = idle_ttl", false),
        // Long over as a code, and redeemed.
        ("code_expires_at = now() - interval '20 days'", false),
    ] {
        let session = world.active().await;
        set(&world, session, change).await;
        assert_eq!(purge(&world).await, u64::from(goes), "{change}");
        assert_eq!(is_there(&world, session).await, !goes, "{change}");
    }
    for (change, goes) in [
        ("code_expires_at = now() - interval '11 minutes'", true),
        ("code_expires_at = now() - interval '9 minutes'", false),
    ] {
        let session = world.pending().await;
        set(&world, session, change).await;
        assert_eq!(purge(&world).await, u64::from(goes), "{change}");
        assert_eq!(is_there(&world, session).await, !goes, "{change}");
    }
}

#[tokio::test]
async fn rt_04_tokens_and_codes_of_a_purged_session_are_unknown_ones() {
    let world = World::new().await;
    let (family, code) = (world.active().await, world.pending().await);
    assert_eq!(
        world.rotate_as(&world.rotate(family, 1)).await.outcome,
        Rotation::Rotated
    );
    set(&world, family, "expires_at = now() - interval '2 days'").await;
    set(&world, code, "code_expires_at = now() - interval '1 hour'").await;
    assert_eq!(purge(&world).await, 2);
    for generation in [1, 2] {
        let answer = world.store.rotate_refresh_token(world.rotate(family, generation)).await;
        assert!(answer.unwrap().is_none(), "{generation}");
    }
    let answer = world.store.redeem_authorization_code(world.redeem(code)).await;
    assert!(answer.unwrap().is_none());
    assert!(!is_there(&world, family).await && !is_there(&world, code).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rt_03_a_purge_beside_refreshes_takes_dead_rows_alone_and_waits_for_nobody() {
    let world = World::new().await;
    let (held, dead) = (world.active().await, world.active().await);
    for session in [held, dead] {
        set(&world, session, "expires_at = now() - interval '2 days'").await;
    }
    let alive = world.active().await;
    let mut holder = world.owner().begin().await.unwrap();
    sqlx::query("SELECT 1 FROM session WHERE id = $1 FOR NO KEY UPDATE")
        .bind(held.as_uuid())
        .execute(&mut *holder)
        .await
        .unwrap();
    let removed = tokio::time::timeout(Duration::from_millis(900), purge(&world));
    assert_eq!(removed.await.expect("it waited for a lock"), 1);
    assert!(is_there(&world, held).await && !is_there(&world, dead).await);
    holder.rollback().await.unwrap();
    // A refresh that changes a row between the purge's look and its lock: the row as it is then decides.
    let refreshes = async {
        for generation in 1..=40 {
            assert_eq!(
                world.rotate_as(&world.rotate(alive, generation)).await.outcome,
                Rotation::Rotated
            );
        }
    };
    let purges = async {
        for _ in 0..40 {
            purge(&world).await;
        }
    };
    tokio::join!(refreshes, purges);
    assert!(is_there(&world, alive).await && !is_there(&world, held).await);
}

#[tokio::test]
async fn a_walk_takes_a_page_at_a_time_and_one_replica_at_a_time() {
    let world = World::new().await;
    for _ in 0..5 {
        let session = world.active().await;
        set(&world, session, "expires_at = now() - interval '2 days'").await;
    }
    let mut after = Uuid::nil();
    let mut sizes = Vec::new();
    loop {
        let page = world
            .store
            .purge_sessions((after, Uuid::max()), 2)
            .await
            .unwrap()
            .unwrap();
        sizes.push(page.removed);
        let Some(next) = page.next else { break };
        assert!(next > after);
        after = next;
    }
    assert_eq!(sizes, [2, 2, 1]);
    let mut other = world.owner().begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(x'637265646f707531'::bigint)")
        .execute(&mut *other)
        .await
        .unwrap();
    assert_eq!(world.store.purge_sessions(ALL, 10).await.unwrap(), None);
    other.rollback().await.unwrap();
    let page = Page {
        looked_at: 0,
        removed: 0,
        next: None,
    };
    assert_eq!(world.store.purge_sessions(ALL, 10).await.unwrap(), Some(page));
}

async fn reserve(world: &World, device: DeviceId) -> Reservation {
    let email = EmailAddress::parse("a@one.example").unwrap();
    let account = Account {
        tenant: world.tenant,
        hash: hash(7),
        device: Some((device, hash(8))),
        email: &email,
    };
    world.store.reserve_sign_in_attempt(&account).await.unwrap()
}

#[tokio::test]
async fn pw_05_a_device_stays_known_when_its_session_is_purged_and_goes_with_the_person() {
    let world = World::new().await;
    let item = world.authorize();
    let (device, session) = (item.device_id, item.session_id);
    let done = world.store.insert_authorization(item).await.unwrap();
    assert!(matches!(done, Authorization::Authorized), "{done:?}");
    set(&world, session, "code_expires_at = now() - interval '1 day'").await;
    assert_eq!(purge(&world).await, 1);
    world
        .sql("INSERT INTO sign_in_attempt SELECT id, decode(repeat('07', 32), 'hex'), 100, now(), now() FROM tenant")
        .await;
    assert!(matches!(
        reserve(&world, DeviceId::random_v4()).await,
        Reservation::TooMany { .. }
    ));
    assert!(matches!(reserve(&world, device).await, Reservation::Nobody));
    let devices = "SELECT count(*) FROM known_device";
    let count = || sqlx::query_scalar::<_, i64>(devices).fetch_one(world.owner());
    assert_eq!(count().await.unwrap(), 1);
    world.sql("DELETE FROM app_user").await;
    assert_eq!(count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_person_has_at_most_a_hundred_devices_behind_their_sessions() {
    let world = World::new().await;
    world
        .sql(
            "INSERT INTO known_device SELECT u.id, gen_random_uuid(), u.tenant_id, now() - n * interval '1 day'
             FROM app_user u, generate_series(10, 159) n",
        )
        .await;
    let session = world.active().await;
    set(&world, session, "expires_at = now() - interval '2 days'").await;
    assert_eq!(purge(&world).await, 1);
    let (count, oldest): (i64, f64) =
        sqlx::query_as("SELECT count(*), extract(day FROM now() - min(seen_at))::float8 FROM known_device")
            .fetch_one(world.owner())
            .await
            .unwrap();
    assert_eq!(count, 101, "a hundred of before, and the new one");
    assert!((109.0..=110.0).contains(&oldest), "{oldest}: the oldest went");
}

#[tokio::test]
async fn signed_out_browsers_go_but_not_while_a_session_came_from_them() {
    let world = World::new().await;
    world
        .sql(
            "INSERT INTO browser_session (id, tenant_id, user_id, device_id, secret_hash, tenant_epoch, user_epoch, auth_time,
                                          amr, seen_at, expires_at, idle_ttl, ended_at)
             SELECT gen_random_uuid(), u.tenant_id, u.id, gen_random_uuid(), decode(repeat('07', 32), 'hex'), 1, 1, now(), 'pwd',
                    now() - v.seen, now() + v.expires, v.idle, now() - v.ended
             FROM app_user u, (VALUES
               (interval '0', interval '1 day', interval '1 day', NULL::interval), -- alive
               ('0', '1 day', '1 day', '23 hours'), ('0', '1 day', '1 day', '25 hours'),
               ('0', '-25 hours', '1 day', NULL), ('3 days', '1 day', '1 day', NULL), ('3 days', '1 day', '50 hours', NULL))
               v (seen, expires, idle, ended)",
        )
        .await;
    let session = world.active().await;
    world
        .sql(
            "UPDATE session SET browser_session_id = (SELECT id FROM browser_session
             WHERE ended_at < now() - interval '24 hours')",
        )
        .await;
    let removed = async || {
        world
            .store
            .purge_browser_sessions(Uuid::nil(), 100)
            .await
            .unwrap()
            .unwrap()
            .removed
    };
    assert_eq!(removed().await, 2);
    set(&world, session, "expires_at = now() - interval '2 days'").await;
    assert_eq!(purge(&world).await, 1);
    assert_eq!((removed().await, removed().await), (1, 0));
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM known_device")
        .fetch_one(world.owner())
        .await
        .unwrap();
    assert_eq!(known, 4, "three browsers and a session");
}

#[tokio::test]
async fn pw_05_counts_go_once_nothing_follows_from_them_and_a_hundred_failures_stay() {
    let world = World::new().await;
    world
        .sql(
            "INSERT INTO sign_in_attempt
             SELECT t.id, decode(lpad(to_hex(v.n), 64, '0'), 'hex'), v.failures, now() - v.age, now()
             FROM tenant t, (VALUES (1, 0, interval '2 hours'), (2, 0, '10 minutes'), (3, 1, '29 days'), (4, 99, '31 days'),
                                    (5, 100, '400 days')) v (n, failures, age)",
        )
        .await;
    let beginning = (TenantId::from(Uuid::nil()), Vec::new());
    let first = world
        .store
        .purge_sign_in_attempts(&beginning, 3)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((first.looked_at, first.removed), (3, 1));
    let second = world
        .store
        .purge_sign_in_attempts(&first.next.unwrap(), 3)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((second.looked_at, second.removed, second.next), (2, 1, None));
    let left: Vec<i32> = sqlx::query_scalar("SELECT failures FROM sign_in_attempt ORDER BY account")
        .fetch_all(world.owner())
        .await
        .unwrap();
    assert_eq!(left, [0, 1, 100]);
}

#[tokio::test]
async fn the_feed_keeps_what_a_good_token_can_concern() {
    let world = World::new().await;
    world
        .sql(
            "INSERT INTO revocation (kind, tenant_id, id, expires_at)
             SELECT 1, id, gen_random_uuid(), now() + v.age FROM tenant,
             (VALUES (interval '-61 minutes'), ('-59 minutes'), ('16 minutes'), ('-2 days')) v (age)",
        )
        .await;
    assert_eq!(world.store.purge_revocations(100).await.unwrap(), 2);
    assert_eq!(world.store.purge_revocations(100).await.unwrap(), 0);
    assert_eq!(world.store.poll_revocations(None).await.unwrap().rows.len(), 1);
}
