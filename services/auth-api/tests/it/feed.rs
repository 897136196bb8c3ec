//! The revocation feed (DESIGN section 6): what may be answered from memory, and for how long.

use std::time::{Duration, Instant};

use credo_clock::SystemClock;
use credo_testkit::{eventually, sqlx};
use uuid::Uuid;

use crate::support::{Call, Proxy, Replica, ReplicaSpec, World, statements};

const DEADLINE: Duration = Duration::from_secs(5);
/// The oldest look at the feed that an answer may rest on.
const MAX_AGE: Duration = Duration::from_secs(1);

/// Looks at the feed fail from here on; all else works.
async fn blind(world: &World) {
    world.sql("REVOKE SELECT ON outbox_slot FROM credo_auth_api").await;
}

#[tokio::test]
async fn ca_09_warm_answers_rest_on_a_look_that_is_less_than_a_second_old() {
    let world = World::new().await;
    world.count_statements().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    replica.userinfo(&tokens.access).await.ok();
    assert!(replica.is_active(&world.client, &tokens.access).await);
    blind(&world).await;
    replica.clock.advance(Duration::from_millis(999));
    let (answer, cost) = world.statements_of(replica.userinfo(&tokens.access)).await;
    assert_eq!((answer.status, cost), (200, statements([])));
    replica.clock.advance(Duration::from_millis(1));
    let (answer, cost) = world.statements_of(replica.userinfo(&tokens.access)).await;
    assert_eq!((answer.status, cost), (200, statements([("access_token_check", 1)])));
    let (answer, cost) = world
        .statements_of(replica.introspect(&world.client, &tokens.access))
        .await;
    assert_eq!(answer.ok()["active"], true);
    assert_eq!(cost, statements([("client_find", 1), ("access_token_check", 1)]));

    // The rows know what the feed cannot tell any more.
    let other = replica.tokens(&world.client, &world.user).await;
    let own = replica.client_credentials(&world.client, None).await.ok();
    let own = own["access_token"].as_str().unwrap();
    world
        .sql(&format!(
            "UPDATE session SET state = 2, ended_at = now() WHERE id = '{}'",
            other.session
        ))
        .await;
    replica.userinfo(&other.access).await.challenges(401, "invalid_token");
    replica.userinfo(&tokens.access).await.ok();
    assert!(replica.is_active(&world.client, own).await);
    world.disable_user(world.user.id).await;
    replica.userinfo(&tokens.access).await.challenges(401, "invalid_token");
    world.disable_client(world.client.id).await;
    let call = Call::form("/auth/introspect", [("token", own)]);
    replica
        .send(call.client(&world.client))
        .await
        .refuses(401, "invalid_client");
}

/// The same token, judged by the feed and by the rows, for each way to end it: they agree.
#[tokio::test]
async fn feed_and_rows_judge_alike() {
    for end in ["jti", "session", "user", "client", "tenant", "nothing"] {
        let world = World::new().await;
        let (by_feed, by_rows) = (world.replica().await, world.replica().await);
        let spare = by_feed.tokens(&world.client, &world.user).await;
        let tokens = by_feed.tokens(&world.client, &world.user).await;
        let own = by_feed.client_credentials(&world.client, None).await.ok();
        let own = own["access_token"].as_str().unwrap().to_owned();
        let token = if end == "jti" { &own } else { &tokens.access };
        for replica in [&by_feed, &by_rows] {
            assert!(replica.is_active(&world.client, token).await);
        }
        match end {
            "jti" => assert_eq!(by_feed.revoke(&world.client, &own).await.status, 200),
            "session" => assert_eq!(by_feed.end_session(&spare.access, tokens.session).await.status, 204),
            "user" => world.disable_user(world.user.id).await,
            "client" => world.disable_client(world.client.id).await,
            "tenant" => world.suspend_tenant(world.tenant.id).await,
            _ => {
                by_feed.logout_all(&tokens.access, true).await.ok();
            }
        }
        let good = end == "nothing";
        let shown = async |replica: &Replica| {
            if end == "jti" {
                replica.is_active(&world.client, token).await
            } else {
                replica.userinfo(token).await.status == 200
            }
        };
        eventually(DEADLINE, || async { shown(&by_feed).await == good }).await;
        blind(&world).await;
        by_rows.clock.advance(MAX_AGE * 2);
        assert_eq!(shown(&by_rows).await, good, "{end}: the rows");
    }
}

#[tokio::test]
async fn without_a_database_warm_answers_end_after_a_second() {
    let world = World::new().await;
    let proxy = Proxy::start(&world.database.url_as("credo_auth_api")).await;
    let replica = Replica::start(proxy.url(), ReplicaSpec::default()).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    replica.userinfo(&tokens.access).await.ok();
    assert!(replica.is_active(&world.client, &tokens.access).await);
    replica.send(Call::get("/t/demo/jwks.json")).await.ok();
    proxy.go_down();
    replica.userinfo(&tokens.access).await.ok(); // still warm
    replica.clock.advance(MAX_AGE);
    let (sign_in, exchange, refresh, userinfo, introspect, revoke, list, end, logout, jwks) = tokio::join!(
        replica.sign_in(&world.client, &world.user.email, crate::support::PASSWORD),
        replica.exchange(&world.client, "crc_x"),
        replica.refresh(&world.client, &tokens.refresh),
        replica.userinfo(&tokens.access),
        replica.introspect(&world.client, &tokens.access),
        replica.revoke(&world.client, &tokens.refresh),
        replica.sessions(&tokens.access),
        replica.end_session(&tokens.access, tokens.session),
        replica.logout_all(&tokens.access, false),
        replica.send(Call::get("/t/demo/jwks.json")),
    );
    for answer in [
        sign_in, exchange, refresh, userinfo, introspect, revoke, list, end, logout, jwks,
    ] {
        answer.refuses(503, "temporarily_unavailable");
    }
    proxy.come_up();
    eventually(DEADLINE, || async {
        replica.userinfo(&tokens.access).await.status == 200
    })
    .await;
    eventually(DEADLINE, || async {
        replica.refresh(&world.client, &tokens.refresh).await.status == 200
    })
    .await;
}

/// A database that hangs breaks no connection: the deadline answers, and the replica says that it is not ready.
#[tokio::test]
async fn fi_04_database_that_hangs_is_unavailable_and_shows() {
    let world = World::new().await;
    let proxy = Proxy::start(&world.database.url_as("credo_auth_api")).await;
    let replica = Replica::start(proxy.url(), ReplicaSpec::default()).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    assert!(replica.health.is_ready());
    proxy.freeze();
    replica.clock.advance(MAX_AGE);
    let (userinfo, refresh) = tokio::join!(
        replica.userinfo(&tokens.access),
        replica.refresh(&world.client, &tokens.refresh)
    );
    for answer in [userinfo, refresh] {
        answer.refuses(503, "temporarily_unavailable");
    }
    eventually(DEADLINE, || async { !replica.health.is_ready() }).await;
    proxy.thaw();
    eventually(DEADLINE, || async { replica.health.is_ready() }).await;
    replica.userinfo(&tokens.access).await.ok();
    // What the refresh that was given up had begun was finished or not; its answer is lost either way.
    let status = replica.refresh(&world.client, &tokens.refresh).await.status;
    assert!([200, 400].contains(&status), "{status}");
}

/// Redis is an accelerator: that it is not there changes nothing.
#[tokio::test]
async fn redis_that_is_not_there_changes_no_answer() {
    let world = World::new().await;
    let spec = ReplicaSpec {
        redis_url: Some("redis://127.0.0.1:1".to_owned()),
        ..ReplicaSpec::default()
    };
    let replica = world.replica_with(spec).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let next = replica.rotate(&world.client, &tokens).await;
    replica.userinfo(&next.access).await.ok();
    assert_eq!(replica.revoke(&world.client, &next.refresh).await.status, 200);
    replica.assert_dead(&world.client, &next).await;
    eventually(DEADLINE, || async { replica.health.is_ready() }).await;
}

#[tokio::test]
async fn what_another_replica_revoked_is_refused_within_a_second() {
    let world = World::new().await;
    let spec = ReplicaSpec {
        clock: Some(SystemClock::new()),
        ..ReplicaSpec::default()
    };
    let (one, two) = (world.replica_with(spec.clone()).await, world.replica_with(spec).await);
    let (ended, revoked) = (
        one.tokens(&world.client, &world.user).await,
        one.tokens(&world.client, &world.user).await,
    );
    let mine = one.tokens(&world.client, &world.user).await;
    for tokens in [&ended, &revoked, &mine] {
        two.userinfo(&tokens.access).await.ok();
    }
    assert_eq!(one.end_session(&mine.access, ended.session).await.status, 204);
    assert_eq!(one.revoke(&world.client, &revoked.access).await.status, 200);
    let since = Instant::now();
    eventually(DEADLINE, || async { since.elapsed() >= MAX_AGE }).await;
    for tokens in [&ended, &revoked] {
        two.userinfo(&tokens.access).await.challenges(401, "invalid_token");
        assert!(!two.is_active(&world.client, &tokens.access).await);
        one.userinfo(&tokens.access).await.challenges(401, "invalid_token");
    }
    two.userinfo(&mine.access).await.ok();
}

/// A transaction that commits late is in a later look: no revocation is passed over.
#[tokio::test]
async fn revocation_that_commits_late_is_not_passed_over() {
    let world = World::new().await;
    let replica = world.replica().await;
    let late = replica.tokens(&world.client, &world.user).await;
    let insert =
        "INSERT INTO revocation (kind, tenant_id, id, expires_at) VALUES (1, $1, $2, now() + interval '16 minutes')";
    let mut transaction = world.owner().begin().await.unwrap();
    let revoke = |session: Uuid| sqlx::query(insert).bind(world.tenant.id.as_uuid()).bind(session);
    revoke(late.session).execute(&mut *transaction).await.unwrap();
    // Two looks pass over the open transaction: they see what was committed after it had begun.
    for _ in 0..2 {
        let early = replica.tokens(&world.client, &world.user).await;
        revoke(early.session).execute(world.owner()).await.unwrap();
        eventually(DEADLINE, || async {
            replica.userinfo(&early.access).await.status == 401
        })
        .await;
    }
    replica.userinfo(&late.access).await.ok();
    transaction.commit().await.unwrap();
    eventually(DEADLINE, || async {
        replica.userinfo(&late.access).await.status == 401
    })
    .await;
}
