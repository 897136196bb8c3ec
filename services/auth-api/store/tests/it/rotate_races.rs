//! Many at once: one winner, no fault, every loser recorded.

use std::{collections::HashMap, sync::Arc, time::Duration};

use credo_auth_domain::{authorization_code::Redemption, refresh_token::Rotation};
use credo_ids::SessionId;
use credo_testkit::eventually;
use futures::future::join_all;

use crate::fixture::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rt_03_of_fifty_refreshes_of_one_token_one_wins_and_the_family_dies() {
    let world = Arc::new(World::new().await);
    for _ in 0..4 {
        let session = world.active().await;
        let tasks = (0..50).map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.rotate_as(&world.rotate(session, 1)).await.outcome })
        });
        let outcomes: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
        assert_eq!(
            (count(Rotation::Rotated), count(Rotation::Replayed)),
            (1, 1),
            "{outcomes:?}"
        );
        assert_eq!(count(Rotation::Revoked), 48, "{outcomes:?}");
        assert_eq!(world.session(session).await, (2, 2, Some(1)));
        assert_eq!(
            world.events(session.as_uuid()).await,
            ["created", "issued", "rotated", "replayed"]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cd_03_of_fifty_exchanges_of_one_code_one_wins_and_its_tokens_die() {
    let world = Arc::new(World::new().await);
    for _ in 0..4 {
        let session = world.pending().await;
        let tasks = (0..50).map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.redeem_as(&world.redeem(session)).await.outcome })
        });
        let outcomes: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
        assert_eq!(
            (count(Redemption::Redeemed), count(Redemption::Replayed)),
            (1, 1),
            "{outcomes:?}"
        );
        assert_eq!(world.session(session).await, (2, 1, Some(1)));
        assert_eq!(world.events(session.as_uuid()).await, ["created", "issued", "replayed"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_over_the_same_sessions_in_opposite_order_never_deadlock() {
    let world = Arc::new(World::new().await);
    let mut sessions = Vec::new();
    for _ in 0..64 {
        sessions.push(world.active().await);
    }
    let tasks = (0..4).map(|worker| {
        let (world, mut sessions) = (Arc::clone(&world), sessions.clone());
        if worker % 2 == 1 {
            sessions.reverse();
        }
        tokio::spawn(async move {
            let items: Vec<_> = sessions.iter().map(|session| world.rotate(*session, 1)).collect();
            let answers = world.store.rotate_refresh_tokens(&items).await.unwrap();
            let mut outcomes: Vec<_> = answers
                .iter()
                .map(|(attempt, row)| {
                    let item = items.iter().find(|item| item.attempt_id == *attempt).unwrap();
                    (item.session_id, row.outcome)
                })
                .collect();
            for item in &items {
                if !answers.iter().any(|(attempt, _)| *attempt == item.attempt_id) {
                    let waited = world.store.rotate_refresh_token_waiting(item).await.unwrap();
                    outcomes.push((item.session_id, waited[0].1.outcome));
                }
            }
            outcomes
        })
    });
    let mut winners: HashMap<SessionId, u32> = HashMap::new();
    let answers: Vec<_> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(answers.len(), 4 * 64);
    for (session, outcome) in answers {
        assert!(
            matches!(outcome, Rotation::Rotated | Rotation::Replayed | Rotation::Revoked),
            "{outcome:?}"
        );
        *winners.entry(session).or_default() += u32::from(outcome == Rotation::Rotated);
    }
    assert!(
        winners.len() == 64 && winners.values().all(|count| *count == 1),
        "{winners:?}"
    );
}

#[tokio::test]
async fn same_session_twice_in_a_batch_is_decided_once() {
    let world = World::new().await;
    let session = world.active().await;
    let items = [world.rotate(session, 1), world.rotate(session, 1)];
    let answers = world.store.rotate_refresh_tokens(&items).await.unwrap();
    assert_eq!(
        answers.len(),
        1,
        "the other one is absent and goes to the waiting form: {answers:?}"
    );
    assert_eq!(answers[0].1.outcome, Rotation::Rotated);
    assert_eq!(world.session(session).await, (1, 2, None));
    let events = world.events(session.as_uuid()).await;
    assert_eq!(
        events.iter().filter(|label| *label == "rotated").count(),
        1,
        "{events:?}"
    );
}

/// DESIGN promise 4: a refresh that waited for its row must not succeed after the user's disabling has committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_that_waits_while_the_user_is_disabled_is_refused() {
    let world = Arc::new(World::new().await);
    for (table, outcome) in [
        (
            "UPDATE app_user SET status = 2, epoch = epoch + 1",
            Rotation::UserDisabled,
        ),
        (
            "UPDATE client SET status = 2, epoch = epoch + 1",
            Rotation::ClientDisabled,
        ),
        (
            "UPDATE tenant SET status = 2, epoch = epoch + 1",
            Rotation::TenantSuspended,
        ),
    ] {
        let session = world.active().await;
        let mut holder = world.owner().begin().await.unwrap();
        let lock = sqlx::query("SELECT id FROM session WHERE id = $1 FOR UPDATE").bind(session.as_uuid());
        lock.execute(&mut *holder).await.unwrap();
        // It finds its row locked and goes to the waiting form, which takes its share locks and waits.
        let waiting = {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.rotate_as(&world.rotate(session, 1)).await.outcome })
        };
        wait_for_lock_waiters(&world, 1).await;
        let disabling = {
            let owner = world.owner().clone();
            tokio::spawn(async move { sqlx::query(table).execute(&owner).await.unwrap() })
        };
        wait_for_lock_waiters(&world, 2).await;
        holder.rollback().await.unwrap();
        // The refresh was inside first: the disabling waited behind it. Nobody is let in after the disabling.
        assert_eq!(waiting.await.unwrap(), Rotation::Rotated, "{table}");
        disabling.await.unwrap();
        assert_eq!(
            world.rotate_as(&world.rotate(session, 2)).await.outcome,
            outcome,
            "{table}"
        );
        for undo in [
            "UPDATE tenant SET status = 1",
            "UPDATE client SET status = 1",
            "UPDATE app_user SET status = 1",
        ] {
            sqlx::query(undo).execute(world.owner()).await.unwrap();
        }
    }
}

/// The other order: the disabling holds its row when the refresh comes to wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_that_comes_behind_a_disabling_sees_it() {
    let world = Arc::new(World::new().await);
    let session = world.active().await;
    let mut holder = world.owner().begin().await.unwrap();
    let lock = sqlx::query("SELECT id FROM session WHERE id = $1 FOR UPDATE").bind(session.as_uuid());
    lock.execute(&mut *holder).await.unwrap();
    sqlx::query("UPDATE app_user SET status = 2, epoch = epoch + 1")
        .execute(&mut *holder)
        .await
        .unwrap();
    let waiting = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.rotate_as(&world.rotate(session, 1)).await.outcome })
    };
    wait_for_lock_waiters(&world, 1).await;
    holder.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap(), Rotation::UserDisabled);
}

/// What the waiting form is for: a joined status is as old as the statement's start, so it is locked before the wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_that_stays_locked_is_unavailable_and_nothing_changes() {
    let world = Arc::new(World::new().await);
    let session = world.active().await;
    let mut holder = world.owner().begin().await.unwrap();
    let lock = sqlx::query("SELECT id FROM session WHERE id = $1 FOR UPDATE").bind(session.as_uuid());
    lock.execute(&mut *holder).await.unwrap();
    let refused = world.store.rotate_refresh_token(world.rotate(session, 1)).await;
    assert!(
        matches!(refused, Err(credo_auth_store::Fault::Unavailable(_))),
        "{refused:?}"
    );
    holder.rollback().await.unwrap();
    assert_eq!(world.session(session).await, (1, 1, None));
}

async fn wait_for_lock_waiters(world: &World, count: i64) {
    eventually(Duration::from_secs(5), || async {
        let waiters: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(world.owner())
        .await
        .unwrap();
        waiters >= count
    })
    .await;
}
