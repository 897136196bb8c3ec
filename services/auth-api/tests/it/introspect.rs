//! Introspection (RFC 7662): cases IN of the case list.

use std::time::Duration;

use credo_testkit::eventually;
use serde_json::json;

use crate::support::{BASE_URL, Call, ClientSpec, Tokens, World};

const FEED_DEADLINE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn in_01_caller_must_be_a_client_with_a_secret() {
    let world = World::new().await;
    let replica = world.replica().await;
    let public = world.add_client(ClientSpec::public()).await;
    let tokens = replica.tokens(&public, &world.user).await;
    let call = || Call::form("/auth/introspect", [("token", &tokens.access)]);
    let id = world.client.id.to_string();
    for call in [
        call(),
        call().client(&public),
        call().basic(&id, "crs_wrong"),
        call().bearer(&tokens.access),
        call().param("client_id", &id),
    ] {
        replica.send(call).await.refuses(401, "invalid_client");
    }
    let missing = Call::form("/auth/introspect", [("x", "y")]).client(&world.client);
    replica.send(missing).await.refuses(400, "invalid_request");
}

#[tokio::test]
async fn in_02_for_everybody_else_every_token_is_inactive() {
    let world = World::new().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    for stranger in [
        world.add_client(ClientSpec::default()).await,
        world.add_client_of(&there, ClientSpec::default()).await,
    ] {
        for token in [&tokens.access, &tokens.refresh] {
            let answer = replica.introspect(&stranger, token).await;
            assert_eq!(answer.ok(), json!({ "active": false }));
        }
    }
    assert!(replica.is_active(&world.client, &tokens.access).await);
}

#[tokio::test]
async fn in_03_dead_tokens_of_every_kind_are_inactive_and_say_no_more() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = &world.client;
    let used_up = replica.tokens(client, &world.user).await;
    let live = Tokens::from(&replica.refresh(client, &used_up.refresh).await);
    let revoked = replica.tokens(client, &world.user).await;
    replica.revoke(client, &revoked.refresh).await;
    let code = replica.code(client, &world.user).await;
    let mut forged = live.access.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    for token in [
        &used_up.refresh,
        &revoked.refresh,
        &revoked.access,
        &code,
        live.id.as_ref().unwrap(),
        &forged,
        "x",
        "crt_",
        "..",
        "eyJhbGciOiJub25lIn0.e30.",
        &"x".repeat(10_240),
    ] {
        let answer = replica.introspect(client, token).await;
        assert_eq!(answer.ok(), json!({ "active": false }), "{token}");
    }
    assert!(replica.is_active(client, &live.access).await);
    let expired = replica.expired(&world.tenant, &live.access).await;
    assert!(!replica.is_active(client, &expired).await);
}

#[tokio::test]
async fn in_04_the_stricter_of_several_epochs_wins() {
    let world = World::new().await;
    let replica = world.replica().await;
    let bump = |table: &'static str, kind: u8, tenant: &'static str| {
        format!(
            "WITH changed AS (UPDATE {table} SET epoch = epoch + 1, version = version + 1 RETURNING id, {tenant} AS tenant, epoch)
             INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
             SELECT {kind}, tenant, id, epoch, now() + interval '16 minutes' FROM changed"
        )
    };
    for (table, kind, tenant) in [
        ("tenant", 4, "id"),
        ("client", 5, "tenant_id"),
        ("app_user", 6, "tenant_id"),
    ] {
        let before = replica.tokens(&world.client, &world.user).await;
        assert!(replica.is_active(&world.client, &before.access).await);
        world.sql(&bump(table, kind, tenant)).await;
        eventually(FEED_DEADLINE, || async {
            !replica.is_active(&world.client, &before.access).await
        })
        .await;
        assert!(!replica.is_active(&world.client, &before.refresh).await);
        // What is issued under the new epoch lives, although lower limits of the others are in the feed.
        let after = replica.tokens(&world.client, &world.user).await;
        assert!(replica.is_active(&world.client, &after.access).await, "{table}");
    }
}

#[tokio::test]
async fn in_05_active_tokens_have_members_of_the_right_types() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let access = replica.introspect(&world.client, &tokens.access).await.ok();
    assert_eq!(access["active"], true);
    for (member, value) in [
        ("scope", json!("email openid profile")),
        ("client_id", json!(world.client.id)),
        ("sub", json!(world.user.id)),
        ("aud", json!(format!("{BASE_URL}/t/demo"))),
        ("iss", json!(format!("{BASE_URL}/t/demo"))),
        ("token_type", json!("Bearer")),
        ("sid", json!(tokens.session)),
    ] {
        assert_eq!(access[member], value, "{member}");
    }
    assert!(access["exp"].is_i64() && access["iat"].is_i64() && access["jti"].is_string());
    let refresh = replica.introspect(&world.client, &tokens.refresh).await.ok();
    assert_eq!(
        (&refresh["active"], &refresh["token_type"]),
        (&json!(true), &json!("refresh_token"))
    );
    assert_eq!(
        (&refresh["sub"], &refresh["client_id"]),
        (&access["sub"], &access["client_id"])
    );
    assert!(refresh["exp"].as_i64() > access["exp"].as_i64());
    // Looking uses nothing up.
    replica.refresh(&world.client, &tokens.refresh).await.ok();
}
