//! The exchange of a code (RFC 6749 section 4.1.3, RFC 7636): cases CD of the case list.

use credo_testkit::sqlx;
use serde_json::json;

use crate::support::{Call, Client, ClientSpec, REDIRECT_URI, Tokens, VERIFIER, World, hex, sign_in_body};

const OTHER_VERIFIER: &str = "another-verifier-of-forty-three-characters-";

#[tokio::test]
async fn cd_04_code_shown_by_another_client_stays_good_for_its_own() {
    let world = World::new().await;
    let replica = world.replica().await;
    let thieves = [
        world.add_client(ClientSpec::default()).await,
        world.add_client(ClientSpec::public()).await,
    ];
    let code = replica.code(&world.client, &world.user).await;
    for thief in &thieves {
        replica.exchange(thief, &code).await.refuses(400, "invalid_grant");
    }
    let tokens = Tokens::from(&replica.exchange(&world.client, &code).await);
    for thief in &thieves {
        replica.exchange(thief, &code).await.refuses(400, "invalid_grant");
    }
    replica.userinfo(&tokens.access).await.ok();
    let events = world.events().await;
    let thefts: Vec<_> = events.iter().filter(|event| event.is("token_wrong_client")).collect();
    assert_eq!(thefts.len(), 4);
    for theft in thefts {
        assert_eq!(theft.core.severity, 3, "critical");
        assert_eq!(theft.aggregate, tokens.session);
    }
}

#[tokio::test]
async fn cd_04_code_is_nothing_in_another_tenant() {
    let world = World::new().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let foreign = world.add_client_of(&there, ClientSpec::default()).await;
    let code = replica.code(&world.client, &world.user).await;
    let before = world.footprint().await;
    let random = format!("crc_{}", "A".repeat(code.len() - 4));
    let foreign_answer = replica.exchange(&foreign, &code).await;
    let random_answer = replica.exchange(&foreign, &random).await;
    foreign_answer.refuses(400, "invalid_grant");
    assert_eq!(
        foreign_answer.body, random_answer.body,
        "a foreign code is as unknown as a random value"
    );
    assert_eq!(world.footprint().await, before);
    replica.exchange(&world.client, &code).await.ok();
}

/// One binding is broken at a time: each alone is enough, and none costs the code.
#[tokio::test]
async fn cd_05_cd_06_every_binding_alone_is_enough_to_refuse() {
    let world = World::new().await;
    let replica = world.replica().await;
    let public = world.add_client(ClientSpec::public()).await;
    for client in [&world.client, &public] {
        let code = replica.code(client, &world.user).await;
        for (redirect_uri, verifier) in [
            (Some("https://app.example/other"), Some(VERIFIER)),
            (Some("https://app.example/callback/"), Some(VERIFIER)),
            (None, Some(VERIFIER)),
            (Some(REDIRECT_URI), Some(OTHER_VERIFIER)),
            (Some(REDIRECT_URI), None),
        ] {
            let answer = replica.exchange_with(client, &code, redirect_uri, verifier).await;
            answer.refuses(400, "invalid_grant");
        }
        for verifier in ["short", "", &"x".repeat(129), &format!("{}\u{e4}", &VERIFIER[1..])] {
            let answer = replica
                .exchange_with(client, &code, Some(REDIRECT_URI), Some(verifier))
                .await;
            assert_eq!(answer.status, 400, "{verifier}");
        }
        replica.exchange(client, &code).await.ok();
    }
}

#[tokio::test]
async fn client_without_pkce_is_named_and_cannot_be_downgraded() {
    let world = World::new().await;
    let replica = world.replica().await;
    let exempt = ClientSpec {
        require_pkce: false,
        ..ClientSpec::default()
    };
    let client = world.add_client(exempt).await;
    let mut body = sign_in_body(&client, &world.user.email);
    body["code_challenge"] = serde_json::Value::Null;
    body["code_challenge_method"] = serde_json::Value::Null;
    let code = replica.authorize(&client, body).await.ok()["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let with_verifier = replica.exchange(&client, &code).await;
    with_verifier.refuses(400, "invalid_grant");
    let answer = replica.exchange_with(&client, &code, Some(REDIRECT_URI), None).await;
    answer.ok();
    // With a challenge in the request the verifier is needed, exempt or not.
    let code = replica.code(&client, &world.user).await;
    let answer = replica.exchange_with(&client, &code, Some(REDIRECT_URI), None).await;
    answer.refuses(400, "invalid_grant");
    replica.exchange(&client, &code).await.ok();
}

#[tokio::test]
async fn cd_07_code_lives_sixty_seconds() {
    let world = World::new().await;
    let replica = world.replica().await;
    let code = replica.code(&world.client, &world.user).await;
    let life = "SELECT extract(epoch FROM code_expires_at - created_at)::bigint FROM session";
    assert_eq!(world.number(life).await, 60);
    world
        .sql("UPDATE session SET code_expires_at = now() - interval '1 millisecond'")
        .await;
    replica
        .exchange(&world.client, &code)
        .await
        .refuses(400, "invalid_grant");
    world
        .sql("UPDATE session SET code_expires_at = now() + interval '2 seconds'")
        .await;
    replica.exchange(&world.client, &code).await.ok();
}

#[tokio::test]
async fn cd_10_code_of_a_session_that_was_ended_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let current = replica.tokens(&world.client, &world.user).await;
    let code = replica.code(&world.client, &world.user).await;
    let pending: uuid::Uuid = sqlx::query_scalar("SELECT id FROM session WHERE state = 0")
        .fetch_one(world.owner())
        .await
        .unwrap();
    let ended = replica.end_session(&current.access, pending).await;
    assert_eq!(ended.status, 204);
    replica
        .exchange(&world.client, &code)
        .await
        .refuses(400, "invalid_grant");

    let code = replica.code(&world.client, &world.user).await;
    replica.logout_all(&current.access, true).await.ok();
    replica
        .exchange(&world.client, &code)
        .await
        .refuses(400, "invalid_grant");
    replica.userinfo(&current.access).await.ok();
}

#[tokio::test]
async fn code_of_a_disabled_user_client_or_tenant_is_refused() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let there = world.add_tenant("there").await;
    let foreign = world.add_client_of(&there, ClientSpec::default()).await;
    let stranger = world
        .add_user_of(&there, "bob@there.example", Some(crate::support::PASSWORD))
        .await;
    let codes = [
        one.code(&world.client, &world.user).await,
        one.code(&foreign, &stranger).await,
    ];
    let other = world.add_client(ClientSpec::default()).await;
    let code_of_other = one.code(&other, &world.user).await;
    two.client_credentials(&other, None).await.ok(); // both replicas have read the client
    world.disable_client(other.id).await;
    for replica in [&one, &two] {
        replica
            .exchange(&other, &code_of_other)
            .await
            .refuses(401, "invalid_client");
    }
    world.disable_user(world.user.id).await;
    for replica in [&one, &two] {
        replica
            .exchange(&world.client, &codes[0])
            .await
            .refuses(400, "invalid_grant");
    }
    world.suspend_tenant(there.id).await;
    for replica in [&one, &two] {
        replica
            .exchange(&foreign, &codes[1])
            .await
            .refuses(401, "invalid_client");
    }
    world.enable("app_user", world.user.id.as_uuid()).await;
    world.enable("client", other.id.as_uuid()).await;
    let revived: [(&Client, &String); 2] = [(&world.client, &codes[0]), (&other, &code_of_other)];
    for (client, code) in revived {
        one.exchange(client, code).await.refuses(400, "invalid_grant");
    }
    assert!(
        !world.event_types().await.contains(&"token_issued".to_owned()) || {
            // The one of client_credentials above.
            world
                .event_types()
                .await
                .iter()
                .filter(|kind| *kind == "token_issued")
                .count()
                == 1
        }
    );
}

#[tokio::test]
async fn cd_12_code_is_stored_as_a_digest_alone() {
    let world = World::new().await;
    let replica = world.replica().await;
    let code = replica.code(&world.client, &world.user).await;
    let tokens = Tokens::from(&replica.exchange(&world.client, &code).await);
    let (columns,): (String,) = sqlx::query_as("SELECT to_jsonb(session)::text FROM session")
        .fetch_one(world.owner())
        .await
        .unwrap();
    for token in [&code, &tokens.refresh] {
        let (_, encoded) = token.split_once('_').unwrap();
        assert!(!columns.contains(encoded));
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, encoded).unwrap();
        // The secret is in front of the MAC, which is the last 16 bytes.
        let secret = &bytes[bytes.len() - 48..bytes.len() - 16];
        let secret = hex(secret);
        assert!(!columns.contains(&secret));
        let mac = hex(&bytes[bytes.len() - 16..]);
        assert!(!columns.contains(&mac));
    }
}

#[tokio::test]
async fn client_that_may_not_refresh_gets_no_refresh_token() {
    let world = World::new().await;
    let replica = world.replica().await;
    let spec = ClientSpec {
        grant_types: &["authorization_code"],
        ..ClientSpec::default()
    };
    let client = world.add_client(spec).await;
    let code = replica.code(&client, &world.user).await;
    let body = replica.exchange(&client, &code).await.ok();
    assert!(body.get("refresh_token").is_none(), "{body}");
    let mut without_openid = sign_in_body(&client, &world.user.email);
    without_openid["scopes"] = json!(["read"]);
    let code = replica.authorize(&client, without_openid).await.ok()["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = replica.exchange(&client, &code).await.ok();
    assert!(body.get("id_token").is_none(), "{body}");
    assert_eq!(body["scope"], "read");
}

#[tokio::test]
async fn malformed_exchange_costs_no_code() {
    let world = World::new().await;
    let replica = world.replica().await;
    let code = replica.code(&world.client, &world.user).await;
    let before = world.footprint().await;
    for (parameters, error) in [
        (
            [("grant_type", "authorization_code"), ("code", ""), ("x", "y")],
            "invalid_request",
        ),
        ([("grant_type", ""), ("code", &code), ("x", "y")], "invalid_request"),
        (
            [("grant_type", "Authorization_Code"), ("code", &code), ("x", "y")],
            "unsupported_grant_type",
        ),
        (
            [("grant_type", "password"), ("username", "ann"), ("password", "x")],
            "unsupported_grant_type",
        ),
        (
            [("grant_type", "authorization_code"), ("code", &code), ("code", &code)],
            "invalid_request",
        ),
        (
            [("grant_type", "authorization_code"), ("code", &code), ("scope", "a\"b")],
            "invalid_scope",
        ),
        (
            [("grant_type", "authorization_code"), ("code", &code[..40]), ("x", "y")],
            "invalid_grant",
        ),
        (
            [
                ("grant_type", "authorization_code"),
                ("code", &code.to_uppercase()),
                ("x", "y"),
            ],
            "invalid_grant",
        ),
    ] {
        let answer = replica
            .send(Call::form("/auth/token", parameters).client(&world.client))
            .await;
        answer.refuses(400, error);
    }
    assert_eq!(world.footprint().await, before);
    replica.exchange(&world.client, &code).await.ok();
}
