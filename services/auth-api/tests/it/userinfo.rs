//! Userinfo (OpenID Connect Core section 5.3): cases UI of the case list.

use std::time::Duration;

use credo_testkit::eventually;
use serde_json::{Value, json};

use crate::support::{
    BASE_URL, Call, Client, ClientSpec, PASSWORD, Replica, Tokens, World, claims, full_profile, sign_in_body,
};

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

const PROFILE_CLAIMS: [&str; 14] = [
    "birthdate",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];
const ALL_SCOPES: ClientSpec = ClientSpec {
    scope: "openid profile email phone address offline_access read",
    ..ClientSpec::BASIC
};

fn names(claims: &Value) -> Vec<String> {
    claims.as_object().unwrap().keys().cloned().collect() // in order
}

fn sorted(names: &[&str]) -> Vec<String> {
    let mut sorted: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    sorted.sort();
    sorted
}

#[tokio::test]
async fn ui_05_claims_follow_the_scope() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = world.add_client(ALL_SCOPES).await;
    world.set_profile(&world.user, &full_profile()).await;
    let profile = [&["sub"][..], &PROFILE_CLAIMS].concat();
    for (scopes, members) in [
        (&["openid"][..], &["sub"][..]),
        (&["openid", "email"][..], &["email", "email_verified", "sub"]),
        (
            &["openid", "phone"][..],
            &["phone_number", "phone_number_verified", "sub"],
        ),
        (&["openid", "address"][..], &["address", "sub"]),
        (&["openid", "profile"][..], &profile),
        (
            &["openid", "phone", "email", "read"][..],
            &[
                "email",
                "email_verified",
                "phone_number",
                "phone_number_verified",
                "sub",
            ],
        ),
    ] {
        let tokens = replica.tokens_for(&client, &world.user, scopes).await;
        let form = Call::form("/auth/userinfo", [("access_token", &tokens.access)]);
        let calls = [
            Call::get("/auth/userinfo").bearer(&tokens.access),
            Call::new("POST", "/auth/userinfo").bearer(&tokens.access),
            form,
        ];
        for call in calls {
            let answer = replica.send(call).await;
            let claims = answer.ok();
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(names(&claims), sorted(members), "{scopes:?}");
            assert_eq!(claims["sub"], json!(world.user.id));
            for (name, value) in full_profile().as_object().unwrap() {
                assert!(claims.get(name).is_none_or(|claim| claim == value), "{name}");
            }
        }
        // The code flow has claims at userinfo, not in the ID token.
        let id_token = claims(tokens.id.as_ref().unwrap());
        assert!(
            id_token.get("email").is_none() && id_token.get("name").is_none(),
            "{id_token}"
        );
    }
}

#[tokio::test]
async fn ui_05_what_a_person_has_not_is_left_out() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = world.add_client(ALL_SCOPES).await;
    let all = ["openid", "profile", "email", "phone", "address"];
    let tokens = replica.tokens_for(&client, &world.user, &all).await;
    let claims = replica.userinfo(&tokens.access).await.ok();
    assert_eq!(names(&claims), ["email", "email_verified", "name", "sub", "updated_at"]);
}

/// A sign-in whose request had `claims`, as its session keeps it.
async fn tokens_with(world: &World, replica: &Replica, client: &Client, scopes: &[&str], request: &Value) -> Tokens {
    let mut body = sign_in_body(client, &world.user.email);
    body["scopes"] = json!(scopes);
    let code = replica.authorize(client, body).await.ok()["code"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .sql(&format!("UPDATE session SET claims = '{request}' WHERE state = 0"))
        .await;
    Tokens::from(&replica.exchange(client, &code).await)
}

#[tokio::test]
async fn az_29_claims_that_were_asked_for_by_name_are_given_within_what_the_client_may_have() {
    let world = World::new().await;
    let replica = world.replica().await;
    world.set_profile(&world.user, &full_profile()).await;
    let client = world
        .add_client(ClientSpec {
            scope: "openid email profile phone",
            ..ClientSpec::BASIC
        })
        .await;
    let request = json!({
        "userinfo": { "nickname": {}, "email": { "essential": true }, "address": {}, "sid": {}, "unknown": { "essential": true } },
        "id_token": { "phone_number": {}, "family_name": { "value": "Other" }, "address": {}, "iss": { "value": "x" }, "tid": {}, "acr": { "essential": true } },
    });
    let first = tokens_with(&world, &replica, &client, &["openid", "email"], &request).await;
    let second = replica.rotate(&client, &first).await;
    for tokens in [&first, &second] {
        let claims = replica.userinfo(&tokens.access).await.ok();
        assert_eq!(names(&claims), ["email", "email_verified", "nickname", "sub"]);
        let id_token = crate::support::claims(tokens.id.as_ref().unwrap());
        assert_eq!(id_token["phone_number"], "+41446681800");
        assert_eq!(id_token["family_name"], "Muster");
        assert_eq!(id_token["iss"], format!("{BASE_URL}/t/demo"));
        for absent in ["address", "tid", "unknown", "email", "nickname"] {
            assert!(id_token.get(absent).is_none(), "{absent}");
        }
    }
    // A refresh for less than was granted gives the scopes that it names, and no more.
    let parameters = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &second.refresh),
        ("scope", "openid"),
    ];
    let less = Tokens::from(
        &replica
            .send(Call::form("/auth/token", parameters).client(&client))
            .await,
    );
    assert_eq!(names(&replica.userinfo(&less.access).await.ok()), ["sub"]);
    assert!(claims(less.id.as_ref().unwrap()).get("phone_number").is_none());
    // Without openid there is neither.
    let without = tokens_with(&world, &replica, &client, &["email"], &request).await;
    assert!(without.id.is_none());
    assert!(claims(&without.access).get("userinfo_claims").is_none());
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
