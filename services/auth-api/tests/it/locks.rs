//! Rows that others hold: what waits sees the truth when its turn comes, and deadlocks reach no caller: cases CC.

use std::time::Duration;

use credo_testkit::{eventually, sqlx};
use futures::future::join_all;

use crate::support::{Tokens, World};

const DEADLINE: Duration = Duration::from_secs(5);
/// A connection that has nothing to do tells its counts after ten seconds.
const COUNTED: Duration = Duration::from_secs(20);

/// A refresh that waits for its row while its user is disabled: it sees the disabling when its turn comes.
#[tokio::test]
async fn cc_01_refresh_that_waited_sees_what_was_disabled_meanwhile() {
    let world = World::new().await;
    let replica = world.replica().await;
    for what in ["user", "client", "tenant"] {
        world
            .sql("UPDATE app_user SET status = 1; UPDATE client SET status = 1; UPDATE tenant SET status = 1")
            .await;
        let replica = if what == "user" {
            &replica
        } else {
            &world.replica().await
        };
        let tokens = replica.tokens(&world.client, &world.user).await;
        let mut transaction = world.owner().begin().await.unwrap();
        let lock = sqlx::query("SELECT id FROM session WHERE id = $1 FOR UPDATE").bind(tokens.session);
        lock.execute(&mut *transaction).await.unwrap();
        let disable = async {
            eventually(DEADLINE, || async { waiting(&world).await == 1 }).await;
            // Its row lock on user, client and tenant is shared: the disabling waits for it, or it for the disabling.
            let disabling = async {
                match what {
                    "user" => world.disable_user(world.user.id).await,
                    "client" => world.disable_client(world.client.id).await,
                    _ => world.suspend_tenant(world.tenant.id).await,
                }
            };
            let release = async {
                eventually(DEADLINE, || async { waiting(&world).await == 2 }).await;
                transaction.rollback().await.unwrap();
            };
            tokio::join!(disabling, release);
        };
        let (answer, ()) = tokio::join!(replica.refresh(&world.client, &tokens.refresh), disable);
        // Before the disabling: then its tokens are dead now. After it: refused.
        let refresh = if answer.status == 200 {
            Tokens::from(&answer).refresh
        } else {
            tokens.refresh
        };
        assert_ne!(replica.refresh(&world.client, &refresh).await.status, 200, "{what}");
    }
}

/// Backends of this database that wait for a lock.
async fn waiting(world: &World) -> i64 {
    let statement =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    world.number(statement).await
}

/// The service is chosen as the victim of a deadlock: it runs the statement again.
#[tokio::test]
async fn cc_04_deadlock_is_tried_again() {
    let world = World::new().await;
    // The service's connections look for deadlocks soon, the test's own late: the service is the victim.
    world
        .sql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 300', current_database()); END $$")
        .await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let begin = async || {
        let mut transaction = world.owner().begin().await.unwrap();
        sqlx::query("SET LOCAL deadlock_timeout = '1min'")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction
    };
    let (mut row, mut other) = (begin().await, begin().await);
    sqlx::query("SELECT id FROM session FOR UPDATE")
        .execute(&mut *row)
        .await
        .unwrap();
    sqlx::query("UPDATE app_user SET display_name = 'x'")
        .execute(&mut *other)
        .await
        .unwrap();
    let quarrel = async {
        // It holds tenant and client, and waits for the user.
        eventually(DEADLINE, || async { waiting(&world).await == 1 }).await;
        row.rollback().await.unwrap();
        sqlx::query("UPDATE client SET display_name = 'x'")
            .execute(&mut *other)
            .await
            .unwrap();
        other.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(replica.refresh(&world.client, &tokens.refresh), quarrel);
    let next = Tokens::from(&answer);
    replica.refresh(&world.client, &next.refresh).await.ok();
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    eventually(COUNTED, || async { world.number(deadlocks).await == 1 }).await;
}

/// Everything that ends sessions and everything that uses them at once: no deadlock reaches a caller.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cc_04_locks_are_taken_in_one_order() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    for _ in 0..3 {
        let mut sessions = Vec::new();
        for _ in 0..6 {
            sessions.push(one.tokens(&world.client, &world.user).await);
        }
        let work = (0..30).map(|number| {
            let (replica, tokens) = (if number % 2 == 0 { &one } else { &two }, &sessions[number % 6]);
            let (other, client) = (&sessions[(number + 1) % 6], &world.client);
            async move {
                match number % 5 {
                    0 | 1 => replica.refresh(client, &tokens.refresh).await,
                    2 => replica.end_session(&tokens.access, other.session).await,
                    3 => replica.logout_all(&tokens.access, number % 2 == 0).await,
                    _ => replica.revoke(client, &tokens.refresh).await,
                }
            }
        });
        for answer in join_all(work).await {
            assert!(
                [200, 204, 400, 401].contains(&answer.status),
                "{}: {}",
                answer.status,
                answer.text()
            );
        }
    }
    assert_eq!(
        world
            .number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            .await,
        0
    );
}
