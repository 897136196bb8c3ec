//! `POST /auth/authorize` with JSON: who may sign whom in, and what it answers.

use auth_api::passwords::Cost;
use serde_json::{Value, json};

use crate::support::{
    BASE_URL, Browser, CHALLENGE, Call, ClientSpec, PASSWORD, REDIRECT_URI, ReplicaSpec, World, sign_in_body,
};

#[tokio::test]
async fn sign_in_answers_code_state_issuer_and_device() {
    let world = World::new().await;
    let replica = world.replica().await;
    let mut body = sign_in_body(&world.client, "  ANN@Demo.Example ");
    let first = replica.authorize(&world.client, body.clone()).await.ok();
    assert!(first["code"].as_str().unwrap().starts_with("crc_"));
    assert_eq!(first["state"], "a state");
    assert_eq!(first["redirect_uri"], REDIRECT_URI);
    assert_eq!(first["iss"], format!("{BASE_URL}/t/demo"));
    assert_eq!(first.as_object().unwrap().len(), 5);

    body["device_id"] = first["device_id"].clone();
    body["state"] = Value::Null;
    let second = replica.authorize(&world.client, body).await.ok();
    assert_eq!(second["device_id"], first["device_id"]);
    assert_eq!(second["state"], Value::Null);
    assert_eq!(world.number("SELECT count(DISTINCT device_id) FROM session").await, 1);
    assert_eq!(world.event_types().await, ["session_created"; 2]);
}

#[tokio::test]
async fn pw_09_unknown_wrong_and_disabled_get_one_answer() {
    let world = World::new().await;
    let replica = world.replica().await;
    let disabled = world
        .add_user_of(&world.tenant, "off@demo.example", Some(PASSWORD))
        .await;
    world.disable_user(disabled.id).await;
    world.add_user_of(&world.tenant, "none@demo.example", None).await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("ann@demo.example", "not the password at all"),
        ("ann@demo.example", ""),
        ("nobody@demo.example", PASSWORD),
        ("off@demo.example", PASSWORD),
        ("none@demo.example", PASSWORD),
    ] {
        let mut answer = replica.sign_in(&world.client, email, password).await;
        answer.refuses(400, "invalid_grant");
        answer.headers.remove("x-request-id");
        answers.push((email, answer));
    }
    let (_, first) = &answers[0];
    for (email, answer) in &answers {
        assert_eq!(answer.body, first.body, "{email}");
        assert_eq!(answer.headers, first.headers, "{email}");
    }
    for event in world.events().await {
        assert!(event.is("auth_failed"), "{}", event.core.r#type);
        assert!(
            event.core.actor.is_none_or(|party| party.id.is_empty()),
            "the event names somebody"
        );
    }
    assert_eq!(world.number("SELECT count(*) FROM session").await, 0);
}

#[tokio::test]
async fn only_first_party_clients_with_the_grant_sign_users_in() {
    let world = World::new().await;
    let replica = world.replica().await;
    for spec in [
        ClientSpec {
            first_party: false,
            ..ClientSpec::default()
        },
        ClientSpec {
            grant_types: &["client_credentials", "refresh_token"],
            ..ClientSpec::default()
        },
    ] {
        let client = world.add_client(spec).await;
        let before = world.footprint().await;
        let answer = replica.sign_in(&client, &world.user.email, PASSWORD).await;
        answer.refuses(400, "unauthorized_client");
        assert_eq!(
            world.footprint().await,
            before,
            "an attempt was counted or a row written"
        );
    }
}

#[tokio::test]
async fn confidential_client_must_prove_itself_by_basic() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (client, other) = (&world.client, world.add_client(ClientSpec::default()).await);
    let body = sign_in_body(client, &world.user.email);
    let send = |call: Call| replica.send(call);
    let bare = send(Call::json("/auth/authorize", body.clone())).await;
    bare.refuses(401, "invalid_client");
    let id = client.id.to_string();
    for secret in ["", "crs_wrong", other.secret.as_deref().unwrap()] {
        let answer = send(Call::json("/auth/authorize", body.clone()).basic(&id, secret)).await;
        answer.refuses(401, "invalid_client");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic "));
    }
    let mixed = Call::json("/auth/authorize", body.clone()).client(&other);
    send(mixed).await.refuses(400, "invalid_request");
    let twice = Call::json("/auth/authorize", body).client(client).client(client);
    send(twice).await.refuses(400, "invalid_request");
    assert_eq!(world.number("SELECT count(*) FROM sign_in_attempt").await, 0);

    let public = world.add_client(ClientSpec::public()).await;
    replica.sign_in(&public, &world.user.email, PASSWORD).await.ok();
}

#[tokio::test]
async fn request_of_a_web_page_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let before = world.footprint().await;
    for origin in ["https://evil.example", "null", BASE_URL] {
        let body = sign_in_body(&world.client, &world.user.email);
        let call = Call::json("/auth/authorize", body)
            .client(&world.client)
            .header("origin", origin);
        replica.send(call).await.refuses(400, "invalid_request");
    }
    let body = sign_in_body(&world.client, &world.user.email).to_string();
    for content_type in ["text/plain", "multipart/form-data", ""] {
        let call = Call::raw("/auth/authorize", content_type, body.clone()).client(&world.client);
        replica.send(call).await.refuses(400, "invalid_request");
    }
    // A form is a browser's request, whatever it holds: this one names no client.
    let call = Call::raw("/auth/authorize", "application/x-www-form-urlencoded", body).client(&world.client);
    let page = replica.send(call).await;
    assert!(page.status == 400 && page.is_html(), "{}", page.text());
    for query in ["?client_secret=x", "?prompt=none", "?access_token=x"] {
        let body = sign_in_body(&world.client, &world.user.email);
        let call = Call::json(&format!("/auth/authorize{query}"), body).client(&world.client);
        replica.send(call).await.refuses(400, "invalid_request");
    }
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn az_02_redirect_uri_is_compared_as_it_is_written() {
    let world = World::new().await;
    let replica = world.replica().await;
    let before = world.footprint().await;
    for uri in [
        "https://app.example/callback/",
        "https://app.example/callback/more",
        "https://app.example/Callback",
        "https://APP.example/callback",
        "https://app.example/callback?a=b",
        "https://app.example:443/callback",
        "https://app.example:8443/callback",
        "http://app.example/callback",
        "https://app.example/call%62ack",
        "https://app.example/x/%2e%2e/callback",
        "https://app.example/callback#",
        "https://app.example.evil.example/callback",
        "https://app.example@evil.example/callback",
        " https://app.example/callback",
        "javascript:alert(1)",
        "",
    ] {
        let mut body = sign_in_body(&world.client, &world.user.email);
        body["redirect_uri"] = uri.into();
        replica
            .authorize(&world.client, body)
            .await
            .refuses(400, "invalid_request");
    }
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn malformed_sign_in_changes_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let before = world.footprint().await;
    let long = "x".repeat(4_097);
    for (field, value, error) in [
        ("code_challenge", Value::Null, "invalid_request"),
        ("code_challenge", json!(""), "invalid_request"),
        ("code_challenge", json!(&CHALLENGE[1..]), "invalid_request"),
        ("code_challenge", json!(format!("{CHALLENGE}=")), "invalid_request"),
        ("code_challenge_method", Value::Null, "invalid_request"),
        ("code_challenge_method", json!("plain"), "invalid_request"),
        ("code_challenge_method", json!("s256"), "invalid_request"),
        ("scopes", json!("openid"), "invalid_request"),
        ("scopes", json!(["openid email"]), "invalid_scope"),
        ("scopes", json!(["OpenID"]), "invalid_scope"),
        ("scopes", json!(["admin"]), "invalid_scope"),
        ("scopes", json!([""]), "invalid_scope"),
        ("scopes", json!(["credo.tenant.write"]), "invalid_scope"),
        ("email", json!("no address"), "invalid_request"),
        ("email", json!(["ann@demo.example"]), "invalid_request"),
        ("email", Value::Null, "invalid_request"),
        ("state", json!(long), "invalid_request"),
        ("nonce", json!(long), "invalid_request"),
        ("state", json!(5), "invalid_request"),
        ("device_id", json!("not an id"), "invalid_request"),
        ("proof", Value::Null, "invalid_request"),
        ("proof", json!({ "type": "trust_me" }), "invalid_request"),
        ("proof", json!({ "type": "password" }), "invalid_request"),
        (
            "proof",
            json!({ "type": "password", "password": null }),
            "invalid_request",
        ),
        (
            "proof",
            json!({ "type": "password", "password": "x".repeat(1_025) }),
            "invalid_grant",
        ),
    ] {
        let mut body = sign_in_body(&world.client, &world.user.email);
        body[field] = value.clone();
        let answer = replica.authorize(&world.client, body).await;
        assert_eq!(answer.status, 400, "{field}: {value}");
        answer.refuses(400, error);
    }
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn scopes_that_open_the_admin_apis_never_mix_with_others() {
    let world = World::new().await;
    let replica = world.replica().await;
    let scope = "openid read credo.tenant.read credo.sessions";
    let client = world
        .add_client(ClientSpec {
            scope,
            ..ClientSpec::default()
        })
        .await;
    let mut body = sign_in_body(&client, &world.user.email);
    body["scopes"] = json!(["openid", "credo.tenant.read"]);
    replica
        .authorize(&client, body.clone())
        .await
        .refuses(400, "invalid_scope");
    body["scopes"] = json!(["openid", "credo.sessions"]);
    replica.authorize(&client, body).await.ok();
    let answer = replica
        .client_credentials(&client, Some("read credo.tenant.read"))
        .await;
    answer.refuses(400, "invalid_scope");
}

#[tokio::test]
async fn one_address_in_two_tenants_is_two_accounts() {
    let world = World::new().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let client = world.add_client_of(&there, ClientSpec::default()).await;
    let other_password = "another password altogether";
    let twin = world.add_user_of(&there, &world.user.email, Some(other_password)).await;
    for _ in 0..12 {
        // Here the password of there is wrong, as often as it takes to be told to wait.
        replica.sign_in(&world.client, &twin.email, other_password).await;
    }
    replica
        .sign_in(&world.client, &twin.email, PASSWORD)
        .await
        .refuses(429, "temporarily_unavailable");
    replica.sign_in(&client, &twin.email, other_password).await.ok();
    let users = "SELECT count(*) FROM session WHERE user_id = ";
    assert_eq!(world.number(&format!("{users}'{}'", twin.id)).await, 1);
    assert_eq!(world.number(&format!("{users}'{}'", world.user.id)).await, 0);
}

#[tokio::test]
async fn address_alone_signs_nobody_in_where_the_server_can_be_reached() {
    let world = World::new().await;
    world
        .sql("UPDATE tenant SET dangerous_trust_email = true, create_unknown_users = true")
        .await;
    let replica = world.replica().await;
    for email in [&world.user.email, "new@demo.example"] {
        let mut body = sign_in_body(&world.client, email);
        body.as_object_mut().unwrap().remove("proof");
        replica
            .authorize(&world.client, body)
            .await
            .refuses(400, "invalid_request");
    }
    assert_eq!(world.number("SELECT count(*) FROM app_user").await, 1);
}

#[tokio::test]
async fn pw_04_weak_hash_is_replaced_when_its_password_is_known() {
    let world = World::new().await;
    let spec = ReplicaSpec {
        rehash_below: Cost::TODAY,
        ..ReplicaSpec::default()
    };
    let replica = world.replica_with(spec).await;
    let today = "SELECT count(*) FROM password WHERE hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%' AND version = 1";
    let (client, email) = (&world.client, world.user.email.as_str());
    let wrong = replica.sign_in(client, email, "a wrong password, surely").await;
    wrong.refuses(400, "invalid_grant");
    assert_eq!(world.number(today).await, 0);
    replica.sign_in(client, email, PASSWORD).await.ok();
    assert_eq!(world.number(today).await, 1);
    // Once: the hash of today is kept.
    world.sql("CREATE TABLE kept AS SELECT hash FROM password").await;
    replica.sign_in(client, email, PASSWORD).await.ok();
    Browser::new(&replica).sign_in_to("demo", &world.user).await;
    assert_eq!(world.number("SELECT count(*) FROM password NATURAL JOIN kept").await, 1);
}
