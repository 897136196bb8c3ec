//! Each outcome of `refresh_token_rotate`, alone, and what it changes.

use credo_auth_domain::refresh_token::Rotation;
use credo_ids::{ClientId, TenantId};

use crate::fixture::{World, hash};

#[tokio::test]
async fn current_token_rotates_and_its_event_is_in_the_same_commit() {
    let world = World::new().await;
    let session = world.active().await;
    let rotated = world.rotate_as(&world.rotate(session, 1)).await;
    assert_eq!(
        (rotated.outcome, rotated.generation, rotated.user_id),
        (Rotation::Rotated, 2, world.user)
    );
    assert_eq!(world.session(session).await, (1, 2, None));
    assert_eq!(world.events(session.as_uuid()).await, ["created", "issued", "rotated"]);
}

#[tokio::test]
async fn replayed_token_revokes_the_family_and_says_so_once() {
    let world = World::new().await;
    let session = world.active().await;
    world.rotate_as(&world.rotate(session, 1)).await;
    assert_eq!(
        world.rotate_as(&world.rotate(session, 1)).await.outcome,
        Rotation::Replayed
    );
    assert_eq!(world.session(session).await, (2, 2, Some(1)));
    assert_eq!(world.feed_rows(session).await, 1);
    assert_eq!(
        world.rotate_as(&world.rotate(session, 2)).await.outcome,
        Rotation::Revoked
    );
    assert_eq!(
        world.events(session.as_uuid()).await,
        ["created", "issued", "rotated", "replayed"]
    );
}

#[tokio::test]
async fn any_older_token_is_recognised_as_replay() {
    let world = World::new().await;
    let session = world.active().await;
    for generation in 1..=20 {
        assert_eq!(
            world.rotate_as(&world.rotate(session, generation)).await.outcome,
            Rotation::Rotated
        );
    }
    assert_eq!(
        world.rotate_as(&world.rotate(session, 3)).await.outcome,
        Rotation::Replayed
    );
}

#[tokio::test]
async fn wrong_client_changes_nothing_but_leaves_an_event() {
    let world = World::new().await;
    let (session, other) = (world.active().await, ClientId::now_v7());
    world.insert_client(world.tenant, other, 0).await;
    let mut item = world.rotate(session, 1);
    item.client_id = other;
    assert_eq!(world.rotate_as(&item).await.outcome, Rotation::WrongClient);
    assert_eq!(world.session(session).await, (1, 1, None));
    assert_eq!(world.events(session.as_uuid()).await.last().unwrap(), "refused");
    assert_eq!(
        world.rotate_as(&world.rotate(session, 1)).await.outcome,
        Rotation::Rotated
    );
}

#[tokio::test]
async fn another_tenant_finds_no_row() {
    let world = World::new().await;
    let session = world.active().await;
    let mut item = world.rotate(session, 1);
    item.tenant_id = TenantId::now_v7();
    assert!(world.store.rotate_refresh_token(item.clone()).await.unwrap().is_none());
    assert_eq!(world.session(session).await, (1, 1, None));
}

#[tokio::test]
async fn what_is_disabled_gets_nothing_and_nothing_changes() {
    for (statement, outcome) in [
        ("UPDATE tenant SET status = 2", Rotation::TenantSuspended),
        ("UPDATE client SET status = 2", Rotation::ClientDisabled),
        ("UPDATE client SET version = 2", Rotation::Stale),
        ("UPDATE app_user SET status = 2", Rotation::UserDisabled),
        ("UPDATE tenant SET epoch = 2", Rotation::Revoked),
        ("UPDATE client SET epoch = 2", Rotation::Revoked),
        ("UPDATE app_user SET epoch = 2", Rotation::Revoked),
        ("UPDATE session SET user_epoch = 2", Rotation::Stale),
        ("UPDATE session SET state = 2, ended_at = now()", Rotation::Revoked),
        ("UPDATE session SET expires_at = now()", Rotation::Expired),
        ("UPDATE session SET rotated_at = now() - idle_ttl", Rotation::Expired),
        ("UPDATE session SET generation = 0", Rotation::Future),
        ("UPDATE session SET state = 0, refresh_hash = NULL", Rotation::Future),
    ] {
        let world = World::new().await;
        let session = world.active().await;
        world.sql(statement).await;
        let before = world.session(session).await;
        for form in 0..2 {
            let item = world.rotate(session, 1);
            let answer = if form == 0 {
                world.store.rotate_refresh_tokens(&[item]).await
            } else {
                world.store.rotate_refresh_token_waiting(&item).await
            };
            // The waiting form holds the rows that it decides by: it cannot be older than the session's epoch.
            let expected = if form == 1 && statement.contains("user_epoch") {
                Rotation::Stale
            } else {
                outcome
            };
            assert_eq!(answer.unwrap()[0].1.outcome, expected, "{statement}, form {form}");
        }
        assert_eq!(world.session(session).await, before, "{statement}");
        assert_eq!(
            world.events(session.as_uuid()).await,
            ["created", "issued"],
            "{statement}"
        );
    }
}

#[tokio::test]
async fn same_attempt_again_finds_its_own_work() {
    let world = World::new().await;
    let session = world.active().await;
    let item = world.rotate(session, 1);
    assert_eq!(world.rotate_as(&item).await.outcome, Rotation::Rotated);
    let again = world.rotate_as(&item).await;
    assert_eq!((again.outcome, again.generation), (Rotation::Retried, 2));
    assert_eq!(world.events(session.as_uuid()).await, ["created", "issued", "rotated"]);
}

#[tokio::test]
async fn retry_within_grace_gets_the_same_successor_and_no_second_branch() {
    let world = World::new().await;
    world.sql("UPDATE client SET refresh_grace_seconds = 60").await;
    let session = world.active().await;
    assert_eq!(
        world.rotate_as(&world.rotate(session, 1)).await.outcome,
        Rotation::Rotated
    );
    let retried = world.rotate_as(&world.rotate(session, 1)).await;
    assert_eq!((retried.outcome, retried.generation), (Rotation::RetriedInGrace, 2));
    assert_eq!(world.session(session).await, (1, 2, None));
    assert_eq!(
        world.events(session.as_uuid()).await,
        ["created", "issued", "rotated", "retried"]
    );
    // Another successor than the one there is: not a retry.
    let mut branch = world.rotate(session, 1);
    branch.successor_hash = hash(99);
    assert_eq!(world.rotate_as(&branch).await.outcome, Rotation::Replayed);
}

#[tokio::test]
async fn retry_after_grace_or_of_an_older_token_is_replay() {
    for (statement, generation) in [
        ("UPDATE session SET rotated_at = now() - interval '61 s'", 2),
        ("SELECT 1", 1),
    ] {
        let world = World::new().await;
        world.sql("UPDATE client SET refresh_grace_seconds = 60").await;
        let session = world.active().await;
        for generation in 1..=2 {
            world.rotate_as(&world.rotate(session, generation)).await;
        }
        world.sql(statement).await;
        assert_eq!(
            world.rotate_as(&world.rotate(session, generation)).await.outcome,
            Rotation::Replayed
        );
    }
}

#[tokio::test]
async fn more_scope_is_refused_and_the_token_stays_good() {
    let world = World::new().await;
    let session = world.active().await;
    let mut item = world.rotate(session, 1);
    item.scope = Some("openid profile".to_owned());
    assert_eq!(world.rotate_as(&item).await.outcome, Rotation::ScopeExceeded);
    let mut item = world.rotate(session, 1);
    item.scope = Some("openid".to_owned());
    assert_eq!(world.rotate_as(&item).await.outcome, Rotation::Rotated);
    // A replay is a replay, whatever it asks for.
    let mut item = world.rotate(session, 1);
    item.scope = Some("openid profile".to_owned());
    assert_eq!(world.rotate_as(&item).await.outcome, Rotation::Replayed);
}

#[tokio::test]
async fn demoted_key_takes_the_current_token_and_revokes_nothing() {
    let world = World::new().await;
    let session = world.active().await;
    let mut current = world.rotate(session, 1);
    (current.demoted, current.key_id) = (true, 2);
    let rotated = world.rotate_as(&current).await;
    assert_eq!((rotated.outcome, rotated.key_id), (Rotation::Rotated, 2));
    let mut old = world.rotate(session, 1);
    old.demoted = true;
    assert_eq!(world.rotate_as(&old).await.outcome, Rotation::Demoted);
    assert_eq!(world.session(session).await, (1, 2, None));
}
