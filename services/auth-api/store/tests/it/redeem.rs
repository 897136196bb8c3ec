//! Each outcome of `authorization_insert` and `authorization_code_redeem`, alone, and what it changes.

use credo_auth_domain::authorization_code::Redemption;
use credo_auth_store::Authorization;
use credo_ids::{ClientId, TenantId};

use crate::fixture::{World, hash};

#[tokio::test]
async fn code_is_redeemed_once_and_its_nonce_comes_along() {
    let world = World::new().await;
    let session = world.pending().await;
    let redeemed = world.redeem_as(&world.redeem(session)).await;
    assert_eq!(
        (redeemed.outcome, redeemed.nonce.as_deref()),
        (Redemption::Redeemed, Some("n"))
    );
    assert_eq!(world.session(session).await, (1, 1, None));
    assert_eq!(
        world.redeem_as(&world.redeem(session)).await.outcome,
        Redemption::Replayed
    );
    assert_eq!(world.session(session).await, (2, 1, Some(1)));
    assert_eq!(world.feed_rows(session).await, 1);
    assert_eq!(world.events(session.as_uuid()).await, ["created", "issued", "replayed"]);
}

#[tokio::test]
async fn same_attempt_again_finds_its_own_work() {
    let world = World::new().await;
    let session = world.pending().await;
    let item = world.redeem(session);
    world.redeem_as(&item).await;
    let again = world.redeem_as(&item).await;
    assert_eq!(
        (again.outcome, again.nonce.as_deref()),
        (Redemption::Retried, Some("n"))
    );
    assert_eq!(world.events(session.as_uuid()).await, ["created", "issued"]);
}

#[tokio::test]
async fn client_without_refresh_grant_gets_a_session_without_refresh_token() {
    let world = World::new().await;
    let session = world.pending().await;
    let mut item = world.redeem(session);
    item.refresh_hash = None;
    assert_eq!(world.redeem_as(&item).await.outcome, Redemption::Redeemed);
    assert_eq!(world.session(session).await, (1, 0, None));
    assert_ne!(
        world.rotate_as(&world.rotate(session, 0)).await.outcome,
        credo_auth_domain::refresh_token::Rotation::Rotated
    );
}

#[tokio::test]
async fn cd_05_each_binding_broken_alone_is_enough_and_the_code_stays_good() {
    let world = World::new().await;
    let other = ClientId::now_v7();
    world.insert_client(world.tenant, other, 0).await;
    let session = world.pending().await;
    let broken = |change: fn(&mut credo_auth_store::Redeem, ClientId)| {
        let mut item = world.redeem(session);
        change(&mut item, other);
        item
    };
    let cases = [
        (broken(|item, other| item.client_id = other), Redemption::WrongClient),
        (
            broken(|item, _| item.redirect_uri = None),
            Redemption::RedirectUriMismatch,
        ),
        (
            broken(|item, _| item.redirect_uri = Some("https://app.example/cb/".into())),
            Redemption::RedirectUriMismatch,
        ),
        (
            broken(|item, _| item.challenge = Some(hash(9))),
            Redemption::VerifierMismatch,
        ),
        (broken(|item, _| item.challenge = None), Redemption::VerifierMismatch),
        (broken(|item, _| item.secret_hash = hash(9)), Redemption::Unknown),
        (broken(|item, _| item.client_version = 7), Redemption::Stale),
    ];
    for (item, outcome) in cases {
        assert_eq!(world.redeem_as(&item).await.outcome, outcome);
        assert_eq!(world.session(session).await, (0, 0, None), "{outcome:?}");
    }
    let mut foreign = world.redeem(session);
    foreign.tenant_id = TenantId::now_v7();
    assert!(
        world
            .store
            .redeem_authorization_code(foreign.clone())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        world.redeem_as(&world.redeem(session)).await.outcome,
        Redemption::Redeemed
    );
    assert_eq!(world.events(session.as_uuid()).await, ["created", "refused", "issued"]);
}

#[tokio::test]
async fn pk_05_verifier_for_a_code_without_challenge_is_refused() {
    let world = World::new().await;
    let mut item = world.authorize();
    item.code_challenge = None;
    world.store.insert_authorization(item.clone()).await.unwrap();
    let redeemed = world.redeem_as(&world.redeem(item.session_id)).await;
    assert_eq!(redeemed.outcome, Redemption::VerifierMismatch);
}

#[tokio::test]
async fn replay_by_somebody_unproven_revokes_nothing_but_leaves_an_event() {
    let world = World::new().await;
    let session = world.active().await;
    let mut item = world.redeem(session);
    (item.authenticated, item.challenge) = (false, Some(hash(9)));
    assert_eq!(world.redeem_as(&item).await.outcome, Redemption::ReplayedUnproven);
    assert_eq!(world.session(session).await, (1, 1, None));
    let mut proved = world.redeem(session);
    proved.authenticated = false; // a public client, but it knows the verifier
    assert_eq!(world.redeem_as(&proved).await.outcome, Redemption::Replayed);
    assert_eq!(
        world.events(session.as_uuid()).await,
        ["created", "issued", "refused", "replayed"]
    );
}

#[tokio::test]
async fn what_is_disabled_or_late_gets_nothing_and_nothing_changes() {
    for (statement, outcome) in [
        ("UPDATE tenant SET status = 2", Redemption::TenantSuspended),
        ("UPDATE client SET status = 2", Redemption::ClientDisabled),
        ("UPDATE app_user SET status = 2", Redemption::UserDisabled),
        ("UPDATE tenant SET epoch = 2", Redemption::Revoked),
        ("UPDATE client SET epoch = 2", Redemption::Revoked),
        ("UPDATE app_user SET epoch = 2", Redemption::Revoked),
        ("UPDATE session SET state = 2, ended_at = now()", Redemption::Revoked),
        ("UPDATE session SET code_expires_at = now()", Redemption::Expired),
    ] {
        let world = World::new().await;
        let session = world.pending().await;
        world.sql(statement).await;
        let before = world.session(session).await;
        assert_eq!(
            world.redeem_as(&world.redeem(session)).await.outcome,
            outcome,
            "{statement}"
        );
        assert_eq!(world.session(session).await, before, "{statement}");
        assert_eq!(world.events(session.as_uuid()).await, ["created"], "{statement}");
    }
}

#[tokio::test]
async fn authorization_that_is_refused_leaves_no_row() {
    for (statement, outcome) in [
        ("UPDATE tenant SET status = 2", Authorization::TenantSuspended),
        ("UPDATE client SET status = 2", Authorization::ClientDisabled),
        ("UPDATE client SET version = 2", Authorization::Stale),
        ("UPDATE app_user SET status = 2", Authorization::UserDisabled),
    ] {
        let world = World::new().await;
        world.sql(statement).await;
        let item = world.authorize();
        assert_eq!(
            world.store.insert_authorization(item.clone()).await.unwrap(),
            outcome,
            "{statement}"
        );
        assert!(world.events(item.session_id.as_uuid()).await.is_empty(), "{statement}");
    }
    let world = World::new().await;
    let mut item = world.authorize();
    item.password_version = Some(2);
    assert_eq!(
        world.store.insert_authorization(item.clone()).await.unwrap(),
        Authorization::PasswordChanged
    );
    let mut item = world.authorize();
    item.tenant_id = TenantId::now_v7();
    assert_eq!(
        world.store.insert_authorization(item.clone()).await.unwrap(),
        Authorization::Unknown
    );
}

#[tokio::test]
async fn same_authorization_again_is_one_row_and_one_event() {
    let world = World::new().await;
    let item = world.authorize();
    for _ in 0..2 {
        assert_eq!(
            world.store.insert_authorization(item.clone()).await.unwrap(),
            Authorization::Authorized
        );
    }
    assert_eq!(world.events(item.session_id.as_uuid()).await, ["created"]);
}
