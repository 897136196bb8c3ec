//! A token for the client itself (RFC 6749 section 4.4).

use serde_json::json;

use crate::support::{BASE_URL, ClientSpec, World, claims};

#[tokio::test]
async fn client_gets_a_token_of_its_own() {
    let world = World::new().await;
    let replica = world.replica().await;
    let answer = replica.client_credentials(&world.client, Some("read")).await;
    let body = answer.ok();
    assert_eq!((&body["scope"], &body["expires_in"]), (&json!("read"), &json!(900)));
    let claims = claims(body["access_token"].as_str().unwrap());
    assert_eq!(claims["sub"], json!(world.client.id));
    assert_eq!(claims["aud"], format!("{BASE_URL}/t/demo"));
    assert!(claims.get("sid").is_none());
    let events = world.events().await;
    assert_eq!(events.len(), 1);
    assert!(events[0].is("token_issued"));
    assert_eq!(events[0].aggregate, world.client.id.as_uuid());
    assert_eq!(world.number("SELECT count(*) FROM session").await, 0);
}

#[tokio::test]
async fn tk_19_personal_scopes_and_public_clients_are_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let public = ClientSpec {
        grant_types: &["client_credentials", "authorization_code"],
        ..ClientSpec::public()
    };
    let public = world.add_client(public).await;
    replica
        .client_credentials(&public, None)
        .await
        .refuses(400, "unauthorized_client");
    for scope in ["openid", "offline_access", "read openid", "read offline_access"] {
        replica
            .client_credentials(&world.client, Some(scope))
            .await
            .refuses(400, "invalid_scope");
    }
    for scope in ["unknown", "READ", "read unknown", "read\twrite", "\"read\""] {
        let answer = replica.client_credentials(&world.client, Some(scope)).await;
        assert_eq!(answer.status, 400, "{scope:?}");
    }
    assert!(world.event_types().await.is_empty());
    // Nothing asked for: all that is registered, but for what speaks of a person.
    let body = replica.client_credentials(&world.client, None).await.ok();
    assert_eq!(body["scope"], "email profile read write");
    for absent in ["refresh_token", "id_token"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
    let without = ClientSpec {
        grant_types: &["authorization_code"],
        ..ClientSpec::default()
    };
    let without = world.add_client(without).await;
    replica
        .client_credentials(&without, None)
        .await
        .refuses(400, "unauthorized_client");
}

#[tokio::test]
async fn admin_token_is_for_the_admin_apis_and_short() {
    let world = World::new().await;
    let replica = world.replica().await;
    let scope = "credo.tenant.read credo.audit.read";
    let admin = world
        .add_client(ClientSpec {
            scope,
            ..ClientSpec::default()
        })
        .await;
    let body = replica.client_credentials(&admin, Some("credo.tenant.read")).await.ok();
    let claims = claims(body["access_token"].as_str().unwrap());
    assert_eq!(
        (&claims["aud"], &body["expires_in"]),
        (&json!("credo-admin"), &json!(300))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    let token = body["access_token"].as_str().unwrap();
    replica.userinfo(token).await.challenges(401, "invalid_token");
    replica.sessions(token).await.challenges(401, "invalid_token");
}

#[tokio::test]
async fn disabled_client_gets_nothing_on_any_replica_whatever_was_kept() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    for replica in [&one, &two] {
        replica.client_credentials(&world.client, None).await.ok();
    }
    world.disable_client(world.client.id).await;
    for replica in [&one, &two] {
        replica
            .client_credentials(&world.client, None)
            .await
            .refuses(401, "invalid_client");
    }
    world.enable("client", world.client.id.as_uuid()).await;
    world.suspend_tenant(world.tenant.id).await;
    for replica in [&one, &two] {
        replica
            .client_credentials(&world.client, None)
            .await
            .refuses(401, "invalid_client");
    }
}
