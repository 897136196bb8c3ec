//! Userinfo (OpenID Connect Core section 5.3): cases UI of the case list.

use std::time::Duration;

use credo_testkit::eventually;
use serde_json::json;

use crate::support::{Call, PASSWORD, World};

const FEED_DEADLINE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn ui_03_challenges_tell_what_is_missing() {
    let world = World::new().await;
    let replica = world.replica().await;
    for method in ["GET", "POST"] {
        let none = replica.send(Call::new(method, "/auth/userinfo")).await;
        none.challenges(401, "");
        for header in ["Bearer", "Basic YTpi", ""] {
            let answer = replica
                .send(Call::new(method, "/auth/userinfo").header("authorization", header))
                .await;
            answer.challenges(401, "");
        }
        for token in ["x", "a.b.c", "", "crt_x"] {
            let answer = replica.send(Call::new(method, "/auth/userinfo").bearer(token)).await;
            answer.challenges(401, "invalid_token");
        }
    }
    let tokens = replica.tokens_for(&world.client, &world.user, &["read", "email"]).await;
    let answer = replica.userinfo(&tokens.access).await;
    answer.challenges(403, "insufficient_scope");
    assert!(answer.header("www-authenticate").unwrap().contains("scope=\"openid\""));
    let own = replica.client_credentials(&world.client, None).await.ok();
    let answer = replica.userinfo(own["access_token"].as_str().unwrap()).await;
    answer.challenges(403, "insufficient_scope");
}

#[tokio::test]
async fn ui_04_one_token_in_one_place() {
    let world = World::new().await;
    let replica = world.replica().await;
    let token = replica.tokens(&world.client, &world.user).await.access;
    for scheme in ["bearer", "BEARER", "BeArEr"] {
        let header = format!("{scheme} {token}");
        let answer = replica
            .send(Call::get("/auth/userinfo").header("authorization", header))
            .await;
        answer.ok();
    }
    let twice = Call::get("/auth/userinfo").bearer(&token).bearer(&token);
    replica.send(twice).await.challenges(400, "invalid_request");
    let form = || Call::form("/auth/userinfo", [("access_token", &token)]);
    replica.send(form()).await.ok();
    replica
        .send(form().bearer(&token))
        .await
        .challenges(400, "invalid_request");
    replica
        .send(form().bearer("x"))
        .await
        .challenges(400, "invalid_request");
    let repeated = form().param("access_token", &token);
    assert_ne!(replica.send(repeated).await.status, 200);
    let repeated = form().param("access_token", &token).bearer(&token);
    replica.send(repeated).await.challenges(400, "invalid_request");
    replica
        .send(Call::new("POST", "/auth/userinfo").bearer(&token))
        .await
        .ok();
    // Never in the query, with or without another.
    let query = format!("/auth/userinfo?access_token={token}");
    replica.send(Call::get(&query)).await.challenges(400, "invalid_request");
    replica
        .send(Call::get(&query).bearer(&token))
        .await
        .challenges(400, "invalid_request");
    replica
        .send(Call::new("POST", &query).bearer(&token))
        .await
        .challenges(400, "invalid_request");
    replica
        .send(Call::form(&query, [("access_token", &token)]))
        .await
        .challenges(400, "invalid_request");
}

#[tokio::test]
async fn ui_05_claims_follow_the_scope() {
    let world = World::new().await;
    let replica = world.replica().await;
    for (scopes, members) in [
        (&["openid"][..], &["sub"][..]),
        (&["openid", "email"][..], &["email", "email_verified", "sub"]),
        (&["openid", "profile"][..], &["name", "sub", "updated_at"]),
        (
            &["openid", "profile", "email", "read"][..],
            &["email", "email_verified", "name", "sub", "updated_at"],
        ),
    ] {
        let tokens = replica.tokens_for(&world.client, &world.user, scopes).await;
        let claims = replica.userinfo(&tokens.access).await.ok();
        let mut names: Vec<_> = claims.as_object().unwrap().keys().cloned().collect();
        names.sort();
        assert_eq!(names, members);
        assert_eq!(claims["sub"], json!(world.user.id));
    }
}

#[tokio::test]
async fn ui_06_what_ended_after_issuance_is_refused_on_every_replica() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let bob = world
        .add_user_of(&world.tenant, "bob@demo.example", Some(PASSWORD))
        .await;
    let of_bob = one.tokens(&world.client, &bob).await;
    let ended = one.tokens(&world.client, &world.user).await;
    let other = one.tokens(&world.client, &world.user).await;
    for replica in [&one, &two] {
        for tokens in [&of_bob, &ended, &other] {
            replica.userinfo(&tokens.access).await.ok(); // both have everything warm
        }
    }
    world.disable_user(bob.id).await;
    assert_eq!(one.end_session(&other.access, ended.session).await.status, 204);
    one.userinfo(&ended.access).await.challenges(401, "invalid_token");
    for replica in [&one, &two] {
        for tokens in [&of_bob, &ended] {
            eventually(FEED_DEADLINE, || async {
                replica.userinfo(&tokens.access).await.status == 401
            })
            .await;
            replica.userinfo(&tokens.access).await.challenges(401, "invalid_token");
        }
        replica.userinfo(&other.access).await.ok();
    }
    world.enable("app_user", bob.id.as_uuid()).await;
    for replica in [&one, &two, &world.replica().await] {
        replica.userinfo(&of_bob.access).await.challenges(401, "invalid_token");
    }
    world.disable_client(world.client.id).await;
    eventually(FEED_DEADLINE, || async {
        two.userinfo(&other.access).await.status == 401
    })
    .await;
}
