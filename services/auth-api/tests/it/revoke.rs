//! Revocation (RFC 7009): cases RV of the case list.

use std::time::Duration;

use credo_testkit::eventually;

use crate::support::{Call, ClientSpec, Proxy, Replica, ReplicaSpec, Tokens, World};

const FEED_DEADLINE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn rv_01_revoked_refresh_token_ends_its_session() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let first = one.tokens(&world.client, &world.user).await;
    let tokens = Tokens::from(&one.refresh(&world.client, &first.refresh).await);
    let answer = one.revoke(&world.client, &tokens.refresh).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    one.assert_dead(&world.client, &tokens).await;
    one.userinfo(&first.access).await.challenges(401, "invalid_token");
    two.refresh(&world.client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    eventually(FEED_DEADLINE, || async {
        two.userinfo(&tokens.access).await.status == 401
    })
    .await;
    let events = world.events().await;
    let last = events.last().unwrap();
    assert!(last.is("token_revoked"), "{}", last.core.r#type);
    assert_eq!(last.core.subject.as_ref().unwrap().id, world.user.id.as_bytes());
    // A second time it is as revoked as before.
    assert_eq!(one.revoke(&world.client, &tokens.refresh).await.status, 200);
    assert_eq!(world.events().await.len(), events.len());
}

#[tokio::test]
async fn rv_01_an_older_token_of_the_family_ends_the_session_too() {
    let world = World::new().await;
    let replica = world.replica().await;
    let first = replica.tokens(&world.client, &world.user).await;
    let tokens = Tokens::from(&replica.refresh(&world.client, &first.refresh).await);
    assert_eq!(replica.revoke(&world.client, &first.refresh).await.status, 200);
    replica.assert_dead(&world.client, &tokens).await;
}

#[tokio::test]
async fn rv_02_revoked_access_token_is_refused_everywhere() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let tokens = one.tokens(&world.client, &world.user).await;
    two.userinfo(&tokens.access).await.ok();
    assert_eq!(one.revoke(&world.client, &tokens.access).await.status, 200);
    one.assert_dead(&world.client, &tokens).await;
    eventually(FEED_DEADLINE, || async {
        !two.is_active(&world.client, &tokens.access).await
    })
    .await;
    two.assert_dead(&world.client, &tokens).await;

    // One that the client got for itself has no session: it ends alone.
    let own = |answer: crate::support::Answer| answer.ok()["access_token"].as_str().unwrap().to_owned();
    let (mine, other) = (
        own(one.client_credentials(&world.client, None).await),
        own(one.client_credentials(&world.client, None).await),
    );
    assert_eq!(one.revoke(&world.client, &mine).await.status, 200);
    assert!(!one.is_active(&world.client, &mine).await);
    eventually(FEED_DEADLINE, || async { !two.is_active(&world.client, &mine).await }).await;
    assert!(one.is_active(&world.client, &other).await && two.is_active(&world.client, &other).await);
}

#[tokio::test]
async fn rv_03_rv_04_what_is_not_the_clients_own_is_answered_alike_and_untouched() {
    let world = World::new().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let strangers = [
        world.add_client(ClientSpec::default()).await,
        world.add_client(ClientSpec::public()).await,
        world.add_client_of(&there, ClientSpec::default()).await,
    ];
    let tokens = replica.tokens(&world.client, &world.user).await;
    let own = replica.client_credentials(&world.client, None).await.ok();
    let own = own["access_token"].as_str().unwrap();
    let code = replica.code(&world.client, &world.user).await;
    let before = world.footprint().await;
    for stranger in &strangers {
        for token in [&tokens.refresh, &tokens.access, &code, own] {
            let answer = replica.revoke(stranger, token).await;
            assert_eq!((answer.status, answer.body.len()), (200, 0));
        }
    }
    let mut forged = tokens.access.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    let other_issuer = tokens.access.split('.').next().unwrap();
    for nonsense in [
        "x",
        "crt_x",
        "crc_x",
        &code,
        "a.b.c",
        &forged,
        other_issuer,
        tokens.id.as_ref().unwrap(),
        &"x".repeat(10_240),
        "\u{fffd}",
    ] {
        let answer = replica.revoke(&world.client, nonsense).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{nonsense}");
    }
    assert_eq!(world.footprint().await, before);
    replica.userinfo(&tokens.access).await.ok();
    assert!(replica.is_active(&world.client, own).await);
    replica.refresh(&world.client, &tokens.refresh).await.ok();
}

#[tokio::test]
async fn rv_05_confidential_client_must_prove_itself() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let id = world.client.id.to_string();
    let call = || Call::form("/auth/revoke", [("token", &tokens.refresh)]);
    for call in [call(), call().param("client_id", &id), call().basic(&id, "crs_wrong")] {
        replica.send(call).await.refuses(401, "invalid_client");
    }
    let missing = Call::form("/auth/revoke", [("token", "")]).client(&world.client);
    replica.send(missing).await.refuses(400, "invalid_request");
    replica.refresh(&world.client, &tokens.refresh).await.ok();
}

#[tokio::test]
async fn rv_06_hint_is_only_a_hint() {
    let world = World::new().await;
    let replica = world.replica().await;
    for hint in ["access_token", "refresh_token", "nonsense", ""] {
        for kind in [
            |tokens: &Tokens| tokens.refresh.clone(),
            |tokens: &Tokens| tokens.access.clone(),
        ] {
            let tokens = replica.tokens(&world.client, &world.user).await;
            let call = Call::form("/auth/revoke", [("token", &kind(&tokens)), ("token_type_hint", hint)]);
            assert_eq!(replica.send(call.client(&world.client)).await.status, 200);
            replica.userinfo(&tokens.access).await.challenges(401, "invalid_token");
        }
    }
}

#[tokio::test]
async fn rv_07_without_a_database_nothing_is_called_revoked() {
    let world = World::new().await;
    let proxy = Proxy::start(&world.database.url_as("credo_auth_api")).await;
    let replica = Replica::start(proxy.url(), ReplicaSpec::default()).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    assert_eq!(replica.revoke(&world.client, "x").await.status, 200); // keys and client are kept from here on
    proxy.go_down();
    for token in [&tokens.refresh, &tokens.access] {
        replica
            .revoke(&world.client, token)
            .await
            .refuses(503, "temporarily_unavailable");
    }
    proxy.come_up();
    eventually(FEED_DEADLINE, || async {
        replica.revoke(&world.client, &tokens.access).await.status == 200
    })
    .await;
    replica.assert_dead(&world.client, &tokens).await;
}

#[tokio::test]
async fn rv_08_expired_token_still_ends_its_session_if_its_signature_is_good() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let expired = replica.expired(&world.tenant, &tokens.access).await;
    replica.userinfo(&expired).await.challenges(401, "invalid_token");
    let mut forged = expired.clone();
    forged.replace_range(forged.len() - 10..forged.len() - 6, "AAAA");
    let before = world.footprint().await;
    assert_eq!(replica.revoke(&world.client, &forged).await.status, 200);
    assert_eq!(world.footprint().await, before, "the signature comes before any change");
    assert_eq!(replica.revoke(&world.client, &expired).await.status, 200);
    replica.assert_dead(&world.client, &tokens).await;
}

#[tokio::test]
async fn rv_10_a_replica_that_starts_later_knows_what_was_revoked() {
    let world = World::new().await;
    let one = world.replica().await;
    let tokens = one.tokens(&world.client, &world.user).await;
    let own = one.client_credentials(&world.client, None).await.ok();
    let own = own["access_token"].as_str().unwrap();
    for token in [&tokens.access, own] {
        assert_eq!(one.revoke(&world.client, token).await.status, 200);
    }
    drop(one);
    let two = world.replica().await;
    two.assert_dead(&world.client, &tokens).await;
    assert!(!two.is_active(&world.client, own).await);
}
