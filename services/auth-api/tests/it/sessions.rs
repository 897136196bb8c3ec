//! A person's own sessions: list, end one, end all.

use std::time::Duration;

use credo_testkit::eventually;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Call, ClientSpec, PASSWORD, Tokens, World};

const FEED_DEADLINE: Duration = Duration::from_secs(5);

fn ids(list: &Value) -> Vec<Uuid> {
    let sessions = list["sessions"].as_array().unwrap();
    sessions
        .iter()
        .map(|session| session["session_id"].as_str().unwrap().parse().unwrap())
        .collect()
}

#[tokio::test]
async fn lists_name_a_device_and_do_not_hand_out_its_id() {
    let world = World::new().await;
    let replica = world.replica().await;
    let mine = replica.tokens(&world.client, &world.user).await;
    let second = replica.tokens(&world.client, &world.user).await;
    let bob = world
        .add_user_of(&world.tenant, "bob@demo.example", Some(PASSWORD))
        .await;
    let of_bob = replica.tokens(&world.client, &bob).await;
    // One device, whoever uses it.
    let device = Uuid::new_v4();
    let taken = format!(
        "UPDATE session SET device_id = '{device}' WHERE id <> '{}'",
        second.session
    );
    world.sql(&taken).await;
    let list = replica.sessions(&mine.access).await.ok();
    let name = |position: usize| list["sessions"][position]["device"].as_str().unwrap().to_owned();
    assert_ne!(name(0), name(1), "two devices");
    let theirs = replica.sessions(&of_bob.access).await.ok();
    assert_ne!(
        theirs["sessions"][0]["device"], list["sessions"][1]["device"],
        "two people"
    );
    for told in [list, theirs] {
        assert!(!told.to_string().contains(&device.to_string()), "{told}");
    }
}

#[tokio::test]
async fn se_08_person_sees_and_ends_their_own_sessions_alone() {
    let world = World::new().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let foreign = world.add_client_of(&there, ClientSpec::default()).await;
    let twin = world.add_user_of(&there, &world.user.email, Some(PASSWORD)).await;
    let bob = world
        .add_user_of(&world.tenant, "bob@demo.example", Some(PASSWORD))
        .await;
    let public = world.add_client(ClientSpec::public()).await;
    let mine = replica.tokens(&world.client, &world.user).await;
    let my_other = replica.tokens(&public, &world.user).await;
    let of_bob = replica.tokens(&world.client, &bob).await;
    let of_twin = replica.tokens(&foreign, &twin).await;

    let list = replica.sessions(&mine.access).await.ok();
    assert_eq!(
        ids(&list),
        [my_other.session, mine.session],
        "the newest first, nobody else's"
    );
    let current = &list["sessions"][1];
    assert_eq!(
        (&current["current"], &list["sessions"][0]["current"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        (&current["client_id"], &current["client_name"]),
        (&json!(world.client.id), &json!("A client"))
    );
    assert_eq!(current.as_object().unwrap().len(), 8);

    let before = world.footprint().await;
    for session in [of_bob.session, of_twin.session, Uuid::now_v7()] {
        let answer = replica.end_session(&mine.access, session).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json()["title"], "Not found");
    }
    for id in [
        "x",
        "..",
        "%2e%2e",
        "%ff",
        "current",
        &mine.session.to_string().to_uppercase(),
    ] {
        let call = Call::new("DELETE", format!("/auth/sessions/{id}")).bearer(&mine.access);
        assert_eq!(replica.send(call).await.status, 404, "{id}");
    }
    assert_eq!(world.footprint().await, before);
    replica.userinfo(&of_bob.access).await.ok();

    assert_eq!(replica.end_session(&mine.access, my_other.session).await.status, 204);
    replica
        .userinfo(&my_other.access)
        .await
        .challenges(401, "invalid_token");
    replica
        .refresh(&public, &my_other.refresh)
        .await
        .refuses(400, "invalid_grant");
    assert_eq!(
        replica.end_session(&mine.access, my_other.session).await.status,
        204,
        "as ended as before"
    );
    assert_eq!(ids(&replica.sessions(&mine.access).await.ok()), [mine.session]);
    // The last one is one's own.
    assert_eq!(replica.end_session(&mine.access, mine.session).await.status, 204);
    replica.assert_dead(&world.client, &mine).await;
    let kinds = world.event_types().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "session_revoked").count(), 2);
}

#[tokio::test]
async fn sessions_are_for_first_party_clients_or_their_scope() {
    let world = World::new().await;
    let replica = world.replica().await;
    let scope = "openid credo.sessions";
    let client = world
        .add_client(ClientSpec {
            scope,
            ..ClientSpec::default()
        })
        .await;
    let (with, without) = (
        replica
            .tokens_for(&client, &world.user, &["openid", "credo.sessions"])
            .await,
        replica.tokens_for(&client, &world.user, &["openid"]).await,
    );
    world
        .sql("UPDATE client SET first_party = false, version = version + 1")
        .await;
    let replica = world.replica().await;
    let own = replica.client_credentials(&world.client, None).await.ok();
    for token in [&without.access, own["access_token"].as_str().unwrap()] {
        for call in [
            Call::get("/auth/sessions"),
            Call::new("DELETE", format!("/auth/sessions/{}", with.session)),
            Call::new("POST", "/auth/logout-all"),
        ] {
            let answer = replica.send(call.bearer(token)).await;
            answer.challenges(403, "insufficient_scope");
            assert!(
                answer
                    .header("www-authenticate")
                    .unwrap()
                    .contains("scope=\"credo.sessions\"")
            );
        }
    }
    assert_eq!(ids(&replica.sessions(&with.access).await.ok()).len(), 2);
    replica.logout_all(&with.access, false).await.ok();
    replica.userinfo(&without.access).await.challenges(401, "invalid_token");
}

#[tokio::test]
async fn dead_and_pending_sessions_are_not_listed() {
    let world = World::new().await;
    let replica = world.replica().await;
    let mine = replica.tokens(&world.client, &world.user).await;
    replica.code(&world.client, &world.user).await;
    let (idle, old) = (
        replica.tokens(&world.client, &world.user).await,
        replica.tokens(&world.client, &world.user).await,
    );
    let off = world.add_client(ClientSpec::default()).await;
    replica.tokens(&off, &world.user).await;
    world.disable_client(off.id).await;
    world
        .sql(&format!(
            "UPDATE session SET rotated_at = now() - interval '8 days' WHERE id = '{}';
             UPDATE session SET expires_at = now() WHERE id = '{}'",
            idle.session, old.session
        ))
        .await;
    assert_eq!(ids(&replica.sessions(&mine.access).await.ok()), [mine.session]);
}

#[tokio::test]
async fn logout_all_but_the_current_session_keeps_it_and_its_access_token() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let public = world.add_client(ClientSpec::public()).await;
    let bob = world
        .add_user_of(&world.tenant, "bob@demo.example", Some(PASSWORD))
        .await;
    let others = [
        one.tokens(&world.client, &world.user).await,
        two.tokens(&public, &world.user).await,
    ];
    let mine = one.tokens(&world.client, &world.user).await;
    let of_bob = one.tokens(&world.client, &bob).await;
    assert_eq!(
        one.logout_all(&mine.access, true).await.ok(),
        json!({ "revoked": true })
    );
    for replica in [&one, &two] {
        for (tokens, client) in others.iter().zip([&world.client, &public]) {
            eventually(FEED_DEADLINE, || async {
                replica.userinfo(&tokens.access).await.status == 401
            })
            .await;
            replica
                .refresh(client, &tokens.refresh)
                .await
                .refuses(400, "invalid_grant");
        }
        replica.userinfo(&mine.access).await.ok();
        replica.userinfo(&of_bob.access).await.ok();
        assert_eq!(ids(&replica.sessions(&mine.access).await.ok()), [mine.session]);
    }
    // Twice more, from another replica, with the token from before and with a later one.
    two.logout_all(&mine.access, true).await.ok();
    let next = Tokens::from(&one.refresh(&world.client, &mine.refresh).await);
    let newer = two.tokens(&world.client, &world.user).await;
    one.logout_all(&next.access, true).await.ok();
    for replica in [&one, &two] {
        eventually(FEED_DEADLINE, || async {
            replica.userinfo(&newer.access).await.status == 401
        })
        .await;
        for tokens in [&mine, &next] {
            replica.userinfo(&tokens.access).await.ok();
        }
    }
    // A session that was spared once is not spared for ever.
    let last = two.tokens(&world.client, &world.user).await;
    two.logout_all(&last.access, true).await.ok();
    for replica in [&one, &two] {
        for tokens in [&mine, &next] {
            eventually(FEED_DEADLINE, || async {
                replica.userinfo(&tokens.access).await.status == 401
            })
            .await;
        }
        replica.userinfo(&last.access).await.ok();
    }
    let events = world.events().await;
    let ended: Vec<_> = events.iter().filter(|event| event.is("sessions_revoked")).collect();
    assert_eq!(ended.len(), 4);
    assert!(ended.iter().all(|event| event.aggregate == world.user.id.as_uuid()));
}

#[tokio::test]
async fn logout_all_ends_everything() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let (mine, other) = (
        one.tokens(&world.client, &world.user).await,
        two.tokens(&world.client, &world.user).await,
    );
    one.send(Call::new("POST", "/auth/logout-all").bearer(&mine.access))
        .await
        .ok();
    for tokens in [&mine, &other] {
        one.assert_dead(&world.client, tokens).await;
        eventually(FEED_DEADLINE, || async {
            two.userinfo(&tokens.access).await.status == 401
        })
        .await;
        two.assert_dead(&world.client, tokens).await;
    }
    // The person can sign in again.
    let again = two.tokens(&world.client, &world.user).await;
    for replica in [&one, &two] {
        replica.userinfo(&again.access).await.ok();
    }
}

#[tokio::test]
async fn malformed_logout_all_ends_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let mine = replica.tokens(&world.client, &world.user).await;
    let before = world.footprint().await;
    for query in [
        "?except_current=maybe",
        "?except_current=",
        "?except_current",
        "?except_current=TRUE",
        "?except_current=true&except_current=false",
        "?except_curent=true",
        "?access_token=x",
    ] {
        let call = Call::new("POST", format!("/auth/logout-all{query}")).bearer(&mine.access);
        assert_eq!(replica.send(call).await.status, 400, "{query}");
    }
    assert_eq!(world.footprint().await, before);
}
