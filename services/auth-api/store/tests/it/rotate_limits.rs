//! The window in the session's row: what counts in it, exactly, and what it must not keep from being decided.

use std::sync::Arc;

use credo_auth_domain::refresh_token::Rotation;
use credo_auth_store::{Rotate, Rotated};
use credo_ids::{ClientId, SessionId};
use futures::future::join_all;
use serde_json::Value;

use crate::fixture::{World, hash};

const MINUTE_LATER: &str = "UPDATE session SET window_begins_at = window_begins_at - interval '1 minute'";

/// A refresh under a limit. The exchange has counted already.
fn limited(world: &World, session: SessionId, generation: u32, per_minute: u32) -> Rotate {
    Rotate {
        per_minute,
        ..world.rotate(session, generation)
    }
}

async fn in_form(world: &World, waiting: bool, item: &Rotate) -> Rotated {
    let answer = if waiting {
        world.store.rotate_refresh_token_waiting(item).await
    } else {
        world.store.rotate_refresh_tokens(std::slice::from_ref(item)).await
    };
    answer.unwrap().pop().unwrap().1
}

/// The whole row.
async fn row(world: &World, session: SessionId) -> Value {
    let row = sqlx::query_scalar("SELECT to_jsonb(s) FROM session s WHERE id = $1").bind(session.as_uuid());
    row.fetch_one(world.owner()).await.unwrap()
}

#[tokio::test]
async fn one_too_many_changes_nothing_and_is_good_in_the_next_window() {
    for waiting in [false, true] {
        let world = World::new().await;
        let session = world.active().await;
        for generation in 1..=2 {
            let rotated = in_form(&world, waiting, &limited(&world, session, generation, 3)).await;
            assert_eq!(
                (rotated.outcome, rotated.window.count),
                (Rotation::Rotated, generation + 1)
            );
        }
        let before = row(&world, session).await;
        for _ in 0..3 {
            let refused = in_form(&world, waiting, &limited(&world, session, 3, 3)).await;
            assert_eq!((refused.outcome, refused.window.count), (Rotation::RateLimited, 3));
        }
        assert_eq!(row(&world, session).await, before);
        let events = ["created", "issued", "rotated", "rotated"];
        assert_eq!(world.events(session.as_uuid()).await, events);
        // A larger limit holds at once, and so does a smaller one.
        let rotated = in_form(&world, waiting, &limited(&world, session, 3, 4)).await;
        assert_eq!((rotated.outcome, rotated.window.count), (Rotation::Rotated, 4));
        let refused = in_form(&world, waiting, &limited(&world, session, 4, 1)).await;
        assert_eq!(refused.outcome, Rotation::RateLimited);
        world.sql(MINUTE_LATER).await;
        let rotated = in_form(&world, waiting, &limited(&world, session, 4, 1)).await;
        assert_eq!((rotated.outcome, rotated.window.count), (Rotation::Rotated, 1));
        assert_eq!(rotated.window.begins_at, rotated.at);
    }
}

#[tokio::test]
async fn a_window_that_is_full_hides_no_replay() {
    for waiting in [false, true] {
        let world = World::new().await;
        let session = world.active().await;
        world.rotate_as(&world.rotate(session, 1)).await;
        let refused = in_form(&world, waiting, &limited(&world, session, 2, 2)).await;
        assert_eq!(refused.outcome, Rotation::RateLimited);
        let replayed = in_form(&world, waiting, &limited(&world, session, 1, 2)).await;
        assert_eq!(replayed.outcome, Rotation::Replayed);
        assert_eq!(world.session(session).await, (2, 2, Some(1)));
        assert_eq!(world.feed_rows(session).await, 1);
        let events = ["created", "issued", "rotated", "replayed"];
        assert_eq!(world.events(session.as_uuid()).await, events);
    }
}

#[tokio::test]
async fn what_is_refused_for_another_reason_is_neither_counted_nor_limited() {
    for (per_minute, last) in [(2, Rotation::Rotated), (1, Rotation::RateLimited)] {
        let world = World::new().await;
        let (session, other) = (world.active().await, ClientId::now_v7());
        world.insert_client(world.tenant, other, 0).await;
        let item = limited(&world, session, 1, per_minute);
        let foreign = Rotate {
            client_id: other,
            ..item.clone()
        };
        let greedy = Rotate {
            scope: Some("profile".to_owned()),
            ..item.clone()
        };
        let early = limited(&world, session, 2, per_minute);
        let demoted = Rotate {
            demoted: true,
            secret_hash: hash(99),
            ..item.clone()
        };
        for (item, outcome) in [
            (foreign, Rotation::WrongClient),
            (greedy, Rotation::ScopeExceeded),
            (early, Rotation::Future),
            (demoted, Rotation::Demoted),
            (item, last),
        ] {
            assert_eq!(world.rotate_as(&item).await.outcome, outcome);
        }
    }
}

#[tokio::test]
async fn an_attempt_that_had_committed_is_found_in_a_window_that_is_full() {
    let world = World::new().await;
    world.sql("UPDATE client SET refresh_grace_seconds = 60").await;
    let session = world.active().await;
    let item = limited(&world, session, 1, 3);
    let retry = limited(&world, session, 1, 3);
    for (item, outcome, count) in [
        (&item, Rotation::Rotated, 2),
        (&item, Rotation::Retried, 2),
        (&retry, Rotation::RetriedInGrace, 3),
        (&retry, Rotation::Retried, 3),
    ] {
        let rotated = world.rotate_as(item).await;
        assert_eq!((rotated.outcome, rotated.window.count), (outcome, count));
    }
    let events = ["created", "issued", "rotated", "retried"];
    assert_eq!(world.events(session.as_uuid()).await, events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_retries_within_grace_just_as_many_get_through_as_are_left() {
    let world = Arc::new(World::new().await);
    world.sql("UPDATE client SET refresh_grace_seconds = 60").await;
    let session = world.active().await;
    world.rotate_as(&world.rotate(session, 1)).await;
    // As another replica would, half of them ask beside the queue that lets one of a session go at a time.
    let tasks = (0..50).map(|number| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let item = limited(&world, session, 1, 10);
            if number % 2 == 0 {
                world.rotate_as(&item).await.outcome
            } else {
                in_form(&world, true, &item).await.outcome
            }
        })
    });
    let outcomes: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
    assert_eq!(
        (count(Rotation::RetriedInGrace), count(Rotation::RateLimited)),
        (8, 42),
        "{outcomes:?}"
    );
    assert_eq!(world.session(session).await, (1, 2, None));
    let events = world.events(session.as_uuid()).await;
    assert_eq!(events.iter().filter(|label| *label == "retried").count(), 8);
    // The successor is the same as ever.
    world.sql(MINUTE_LATER).await;
    let retried = world.rotate_as(&limited(&world, session, 1, 10)).await;
    assert_eq!((retried.outcome, retried.generation), (Rotation::RetriedInGrace, 2));
    let rotated = world.rotate_as(&limited(&world, session, 2, 10)).await;
    assert_eq!((rotated.outcome, rotated.window.count), (Rotation::Rotated, 2));
}

#[tokio::test]
async fn a_window_of_a_clock_that_was_ahead_keeps_nobody_waiting() {
    let world = World::new().await;
    let session = world.active().await;
    world
        .sql("UPDATE session SET window_begins_at = now() + interval '1 hour', window_count = 10")
        .await;
    let rotated = world.rotate_as(&limited(&world, session, 1, 10)).await;
    assert_eq!((rotated.outcome, rotated.window.count), (Rotation::Rotated, 1));
    // A row from before there were windows.
    world
        .sql("UPDATE session SET window_begins_at = NULL, window_count = 0")
        .await;
    let rotated = world.rotate_as(&limited(&world, session, 2, 1)).await;
    assert_eq!((rotated.outcome, rotated.window.count), (Rotation::Rotated, 1));
}

#[tokio::test]
async fn sessions_of_one_batch_have_windows_of_their_own() {
    let world = World::new().await;
    let mut items = Vec::new();
    for per_minute in [1, 2, 1, 2] {
        items.push(limited(&world, world.active().await, 1, per_minute));
    }
    let answers = world.store.rotate_refresh_tokens(&items).await.unwrap();
    for item in &items {
        let answer = answers.iter().find(|(attempt, _)| *attempt == item.attempt_id).unwrap();
        let expected = [Rotation::RateLimited, Rotation::Rotated][item.per_minute as usize - 1];
        assert_eq!(answer.1.outcome, expected);
    }
}
