//! What errors say, and what they must not (RFC 6749 section 5.2, RFC 9457): case TK-18.

use serde_json::Value;

use crate::support::{Answer, Call, ClientSpec, PASSWORD, Proxy, Replica, ReplicaSpec, World, sign_in_body};

/// Texts that would tell of other tenants, other clients and people, and of what is behind the endpoint.
fn assert_tells_nothing(world: &World, answer: &Answer) {
    let (text, body) = (answer.text(), answer.json());
    let members: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let is_oauth = members
        .iter()
        .all(|member| ["error", "error_description"].contains(member));
    assert!(is_oauth || members == ["status", "title", "type"], "{text}");
    assert!(answer.body.is_ascii() && text.len() < 300, "{text}");
    let (client, user) = (world.client.id.to_string(), world.user.id.to_string());
    for inside in [
        "demo", "system", "there", "session", "tenant", "column", "relation", "sql", "Error", "at line", &client, &user,
    ] {
        assert!(!text.contains(inside), "{inside} in {text}");
    }
    assert_eq!(answer.header("server"), None);
}

#[tokio::test]
async fn tk_18_errors_say_no_more_than_they_must() {
    let world = World::new().await;
    let proxy = Proxy::start(&world.database.url_as("credo_auth_api")).await;
    let replica = Replica::start(proxy.url(), ReplicaSpec::default()).await;
    world.add_tenant("there").await;
    let third_party = ClientSpec {
        first_party: false,
        ..ClientSpec::default()
    };
    let third_party = world.add_client(third_party).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    replica.rotate(&world.client, &tokens).await;
    let mut no_json = sign_in_body(&world.client, &world.user.email);
    no_json["scopes"] = Value::Null;
    let client = &world.client;
    let mut answers = vec![
        replica
            .send(Call::form("/auth/token", [("grant_type", "x")]).client(client))
            .await,
        replica
            .send(Call::form("/auth/token", [("x", "y")]).client(client))
            .await,
        replica
            .send(Call::form("/auth/token", [("grant_type", "client_credentials")]))
            .await,
        replica
            .send(Call::raw("/auth/token", "text/plain", "x").client(client))
            .await,
        replica
            .send(Call::raw(
                "/auth/token",
                "application/x-www-form-urlencoded",
                "x".repeat(70_000),
            ))
            .await,
        replica.client_credentials(client, Some("unknown")).await,
        replica.exchange(client, "crc_x").await,
        replica.refresh(client, "crt_x").await,
        replica.refresh(client, &tokens.refresh).await,
        replica.sign_in(&third_party, &world.user.email, PASSWORD).await,
        replica.sign_in(client, &world.user.email, "wrong").await,
        replica.authorize(client, no_json).await,
        replica.userinfo("x").await,
        replica.userinfo(&tokens.access).await,
        replica.send(Call::new("PUT", "/auth/token")).await,
        replica.send(Call::get("/nothing")).await,
        replica.send(Call::get("/t/nobody/jwks.json")).await,
    ];
    for _ in 0..11 {
        answers.push(replica.sign_in(client, &world.user.email, "wrong").await);
    }
    assert_eq!(answers.last().unwrap().status, 429);
    proxy.go_down();
    answers.push(replica.exchange(client, "crc_x").await);
    let unavailable = replica.client_credentials(client, None).await;
    assert_eq!(unavailable.status, 503);
    answers.push(unavailable);
    for answer in &answers {
        assert!(answer.status >= 400);
        assert_tells_nothing(&world, answer);
    }
}
