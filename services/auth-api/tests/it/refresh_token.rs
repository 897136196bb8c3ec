//! Refresh (RFC 6749 section 6, RFC 9700 section 4.14.2): cases RT of the case list.

use std::time::Duration;

use credo_testkit::eventually;
use futures::future::join_all;
use serde_json::json;
use time::OffsetDateTime;

use crate::support::{Call, Client, ClientSpec, PASSWORD, Replica, ReplicaSpec, Tokens, World, claims};

/// What a replica may take to hear of a revocation.
const FEED_DEADLINE: Duration = Duration::from_secs(5);

async fn rotate(replica: &Replica, client: &Client, tokens: &Tokens) -> Tokens {
    Tokens::from(&replica.refresh(client, &tokens.refresh).await)
}

#[tokio::test]
async fn rt_01_every_use_gives_a_new_token() {
    let world = World::new().await;
    let replica = world.replica().await;
    let public = world.add_client(ClientSpec::public()).await;
    for client in [&public, &world.client] {
        let mut tokens = replica.tokens(client, &world.user).await;
        for _ in 0..3 {
            let next = rotate(&replica, client, &tokens).await;
            assert_ne!((&next.refresh, &next.access), (&tokens.refresh, &tokens.access));
            assert_eq!(next.session, tokens.session);
            assert!(!replica.is_active(&world.client, &tokens.refresh).await);
            replica.userinfo(&next.access).await.ok();
            tokens = next;
        }
    }
}

#[tokio::test]
async fn rt_02_replayed_token_revokes_its_family() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let public = world.add_client(ClientSpec::public()).await;
    for client in [&public, &world.client] {
        // Any older token of the family, not only the last one.
        for replayed in 0..3 {
            let mut family = vec![one.tokens(client, &world.user).await];
            for _ in 0..3 {
                family.push(rotate(&one, client, family.last().unwrap()).await);
            }
            two.refresh(client, &family[replayed].refresh)
                .await
                .refuses(400, "invalid_grant");
            for tokens in &family {
                two.userinfo(&tokens.access).await.challenges(401, "invalid_token");
                two.refresh(client, &tokens.refresh).await.refuses(400, "invalid_grant");
            }
            eventually(FEED_DEADLINE, || async {
                one.userinfo(&family[3].access).await.status == 401
            })
            .await;
        }
    }
    let events = world.events().await;
    let alarms: Vec<_> = events.iter().filter(|event| event.is("token_reuse_detected")).collect();
    assert_eq!(alarms.len(), 6, "one alarm each; what is dead raises no further one");
    assert!(
        alarms
            .iter()
            .all(|alarm| alarm.core.severity == 3 && alarm.core.reason == "replayed")
    );
    assert_eq!(alarms[0].core.subject.as_ref().unwrap().id, world.user.id.as_bytes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rt_03_parallel_refreshes_have_one_winner_whose_tokens_die() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    for _ in 0..4 {
        let tokens = one.tokens(&world.client, &world.user).await;
        let refreshes = (0..20).map(|number| {
            let replica = if number % 2 == 0 { &one } else { &two };
            replica.refresh(&world.client, &tokens.refresh)
        });
        let answers = join_all(refreshes).await;
        let (winners, losers): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(winners.len(), 1);
        for loser in losers {
            loser.refuses(400, "invalid_grant");
        }
        let winner = Tokens::from(winners[0]);
        one.refresh(&world.client, &winner.refresh)
            .await
            .refuses(400, "invalid_grant");
        eventually(FEED_DEADLINE, || async {
            one.userinfo(&winner.access).await.status == 401 && two.userinfo(&winner.access).await.status == 401
        })
        .await;
    }
    let kinds = world.event_types().await;
    for kind in ["token_refreshed", "token_reuse_detected"] {
        assert_eq!(kinds.iter().filter(|other| *other == kind).count(), 4, "{kind}");
    }
}

#[tokio::test]
async fn rt_04_replay_is_refused_after_restart_and_whatever_the_clock_says() {
    let world = World::new().await;
    let first = world.replica().await;
    let tokens = first.tokens(&world.client, &world.user).await;
    let next = rotate(&first, &world.client, &tokens).await;
    drop(first);
    let second = world.replica().await;
    second.clock.set(OffsetDateTime::UNIX_EPOCH);
    let newest = rotate(&second, &world.client, &next).await;
    second.clock.set(OffsetDateTime::now_utc() + time::Duration::days(400));
    second
        .refresh(&world.client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    second
        .refresh(&world.client, &newest.refresh)
        .await
        .refuses(400, "invalid_grant");
    let issued_at = claims(&newest.access)["iat"].as_i64().unwrap();
    let drift = (issued_at - OffsetDateTime::now_utc().unix_timestamp()).abs();
    assert!(drift < 60, "iat is the database's time, {drift} s from ours");
}

#[tokio::test]
async fn rt_06_without_grace_a_retry_is_a_replay() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let next = rotate(&replica, &world.client, &tokens).await;
    replica
        .refresh(&world.client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    replica.assert_dead(&world.client, &next).await;
}

#[tokio::test]
async fn rt_06_within_grace_a_retry_gets_the_same_successor() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let spec = ClientSpec {
        refresh_grace_seconds: 30,
        ..ClientSpec::default()
    };
    let client = world.add_client(spec).await;
    let tokens = one.tokens(&client, &world.user).await;
    let retries = (0..6).map(|number| {
        let replica = if number % 2 == 0 { &one } else { &two };
        replica.refresh(&client, &tokens.refresh)
    });
    let answers: Vec<_> = join_all(retries).await.iter().map(Tokens::from).collect();
    for answer in &answers {
        assert_eq!(answer.refresh, answers[0].refresh, "a second branch");
    }
    // Once the successor was used, the old token is a replay, grace or not.
    let newest = rotate(&two, &client, &answers[0]).await;
    one.refresh(&client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    one.refresh(&client, &newest.refresh)
        .await
        .refuses(400, "invalid_grant");

    // And when the grace is over.
    let tokens = one.tokens(&client, &world.user).await;
    let next = rotate(&one, &client, &tokens).await;
    world
        .sql("UPDATE session SET rotated_at = rotated_at - interval '31 seconds'")
        .await;
    two.refresh(&client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    one.refresh(&client, &next.refresh).await.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn rt_06_grace_holds_across_a_change_of_master_keys() {
    let world = World::new().await;
    let spec = ClientSpec {
        refresh_grace_seconds: 30,
        ..ClientSpec::default()
    };
    let client = world.add_client(spec).await;
    let old = world.replica().await;
    let (first, second) = (ReplicaSpec::master_key(1, ""), ReplicaSpec::master_key(2, ""));
    let new = ReplicaSpec {
        master_keys: format!("{second}{first}"),
        ..ReplicaSpec::default()
    };
    let new = world.replica_with(new).await;
    let tokens = old.tokens(&client, &world.user).await;
    let (rotated, retried) = (
        rotate(&new, &client, &tokens).await,
        rotate(&new, &client, &tokens).await,
    );
    assert_eq!(rotated.refresh, retried.refresh);
    rotate(&new, &client, &rotated).await;
}

#[tokio::test]
async fn demoted_key_accepts_the_current_token_alone_and_revokes_nothing() {
    let world = World::new().await;
    let old = world.replica().await;
    let tokens = old.tokens(&world.client, &world.user).await;
    let next = rotate(&old, &world.client, &tokens).await;
    let demoted = ReplicaSpec {
        master_keys: ReplicaSpec::master_key(2, "") + &ReplicaSpec::master_key(1, "demoted"),
        ..ReplicaSpec::default()
    };
    let new = world.replica_with(demoted).await;
    new.refresh(&world.client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    let newest = rotate(&new, &world.client, &next).await;
    // What was made under the active key is judged as ever.
    rotate(&new, &world.client, &newest).await;
    new.refresh(&world.client, &newest.refresh)
        .await
        .refuses(400, "invalid_grant");
    let kinds = world.event_types().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "token_reuse_detected").count(), 1);

    let without = ReplicaSpec {
        master_keys: ReplicaSpec::master_key(3, ""),
        ..ReplicaSpec::default()
    };
    let stranger = world.replica_with(without).await;
    let before = world.footprint().await;
    stranger
        .refresh(&world.client, &newest.refresh)
        .await
        .refuses(400, "invalid_grant");
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn rt_08_token_of_another_client_is_refused_and_stays_good() {
    let world = World::new().await;
    let replica = world.replica().await;
    let thieves = [
        world.add_client(ClientSpec::default()).await,
        world.add_client(ClientSpec::public()).await,
    ];
    let tokens = replica.tokens(&world.client, &world.user).await;
    for thief in &thieves {
        replica
            .refresh(thief, &tokens.refresh)
            .await
            .refuses(400, "invalid_grant");
    }
    let call = Call::form(
        "/auth/token",
        [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)],
    );
    let unproved = call.param("client_id", &world.client.id.to_string());
    replica.send(unproved).await.refuses(401, "invalid_client");
    rotate(&replica, &world.client, &tokens).await;
    let events = world.events().await;
    let thefts: Vec<_> = events.iter().filter(|event| event.is("token_wrong_client")).collect();
    assert_eq!(thefts.len(), 2);
    assert!(thefts.iter().all(|event| event.core.severity == 3));
    assert_eq!(thefts[0].core.actor.as_ref().unwrap().id, thieves[0].id.as_bytes());
}

#[tokio::test]
async fn token_is_nothing_in_another_tenant() {
    let world = World::new().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let foreign = world.add_client_of(&there, ClientSpec::default()).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let before = world.footprint().await;
    replica
        .refresh(&foreign, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    assert!(!replica.is_active(&foreign, &tokens.refresh).await);
    assert_eq!(world.footprint().await, before, "it cost a statement that writes");
    rotate(&replica, &world.client, &tokens).await;
}

#[tokio::test]
async fn rt_10_what_was_taken_from_the_client_is_not_issued_again() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let tokens = one.tokens(&world.client, &world.user).await;
    let tokens = rotate(&two, &world.client, &tokens).await; // both have read the client
    let change = |what: &str| format!("UPDATE client SET {what}, version = version + 1");
    world.sql(&change("scope = 'email read'")).await;
    let next = one.refresh(&world.client, &tokens.refresh).await;
    assert_eq!(next.ok()["scope"], "email");
    assert!(next.ok().get("id_token").is_none(), "openid was taken away");
    let next = Tokens::from(&next);
    world.sql(&change("grant_types = '{authorization_code}'")).await;
    two.refresh(&world.client, &next.refresh)
        .await
        .refuses(400, "unauthorized_client");
    assert!(
        one.is_active(&world.client, &next.refresh).await,
        "the session itself goes on"
    );
}

#[tokio::test]
async fn rt_10_a_secret_that_is_gone_is_refused_on_every_replica() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let tokens = one.tokens(&world.client, &world.user).await;
    let tokens = rotate(&two, &world.client, &tokens).await;
    world
        .sql("DELETE FROM client_secret; UPDATE client SET version = version + 1")
        .await;
    for replica in [&one, &two] {
        replica
            .refresh(&world.client, &tokens.refresh)
            .await
            .refuses(401, "invalid_client");
    }
}

#[tokio::test]
async fn rt_10_narrower_scope_is_given_and_wider_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let refresh = |scope: &'static str, token: &Tokens| {
        let parameters = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &token.refresh),
            ("scope", scope),
        ];
        let call = Call::form("/auth/token", parameters);
        replica.send(call.client(&world.client))
    };
    for wider in ["openid read", "admin", "credo.tenant.write"] {
        refresh(wider, &tokens).await.refuses(400, "invalid_scope");
    }
    let narrow = refresh("email", &tokens).await;
    assert_eq!(narrow.ok()["scope"], "email");
    // Narrower once is not narrower for ever.
    let all = replica.refresh(&world.client, &Tokens::from(&narrow).refresh).await;
    assert_eq!(all.ok()["scope"], "email openid profile");
}

#[tokio::test]
async fn rt_11_rt_12_disabled_means_disabled_at_once_on_every_replica() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let there = world.add_tenant("there").await;
    let foreign = world.add_client_of(&there, ClientSpec::default()).await;
    let stranger = world.add_user_of(&there, "bob@there.example", Some(PASSWORD)).await;
    let off = world.add_client(ClientSpec::default()).await;
    let mut of_user = one.tokens(&world.client, &world.user).await;
    let mut of_client = one.tokens(&off, &world.user).await;
    let mut of_tenant = one.tokens(&foreign, &stranger).await;
    of_user = rotate(&two, &world.client, &of_user).await;
    of_client = rotate(&two, &off, &of_client).await;
    of_tenant = rotate(&two, &foreign, &of_tenant).await;

    world.disable_client(off.id).await;
    for replica in [&one, &two] {
        replica
            .refresh(&off, &of_client.refresh)
            .await
            .refuses(401, "invalid_client");
    }
    world.disable_user(world.user.id).await;
    for replica in [&one, &two] {
        replica
            .refresh(&world.client, &of_user.refresh)
            .await
            .refuses(400, "invalid_grant");
    }
    world.suspend_tenant(there.id).await;
    for replica in [&one, &two] {
        replica
            .refresh(&foreign, &of_tenant.refresh)
            .await
            .refuses(401, "invalid_client");
    }
    for table_and_id in [
        ("app_user", world.user.id.as_uuid()),
        ("client", off.id.as_uuid()),
        ("tenant", there.id.as_uuid()),
    ] {
        world.enable(table_and_id.0, table_and_id.1).await;
    }
    for (client, tokens) in [(&world.client, &of_user), (&off, &of_client), (&foreign, &of_tenant)] {
        one.refresh(client, &tokens.refresh).await.refuses(400, "invalid_grant");
    }
    one.tokens(&foreign, &stranger).await;
}

#[tokio::test]
async fn rt_14_kinds_of_tokens_are_not_mixed_up() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let code = replica.code(&world.client, &world.user).await;
    let before = world.footprint().await;
    for bearer in [&tokens.refresh, &code, tokens.id.as_ref().unwrap()] {
        replica.userinfo(bearer).await.challenges(401, "invalid_token");
    }
    let relabelled = [
        code.replacen("crc_", "crt_", 1),
        tokens.refresh.replacen("crt_", "crc_", 1),
    ];
    for refresh in [&tokens.access, &code, tokens.id.as_ref().unwrap(), &relabelled[0]] {
        replica
            .refresh(&world.client, refresh)
            .await
            .refuses(400, "invalid_grant");
    }
    for code in [&tokens.access, &tokens.refresh, &relabelled[1]] {
        replica
            .exchange(&world.client, code)
            .await
            .refuses(400, "invalid_grant");
    }
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn rt_16_id_token_of_a_refresh_tells_of_the_same_sign_in() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    world
        .sql("UPDATE session SET auth_time = auth_time - interval '1 hour'")
        .await;
    let next = rotate(&replica, &world.client, &tokens).await;
    let (first, second) = (claims(tokens.id.as_ref().unwrap()), claims(next.id.as_ref().unwrap()));
    for claim in ["iss", "sub", "aud", "sid", "amr"] {
        assert_eq!(first[claim], second[claim], "{claim}");
    }
    let hour = first["auth_time"].as_i64().unwrap() - second["auth_time"].as_i64().unwrap();
    assert_eq!(hour, 3_600);
    assert!(second.get("nonce").is_none());
    assert!(second["iat"].as_i64() >= first["iat"].as_i64());
    assert_eq!(first["nonce"], "a nonce");
    assert_eq!(first["amr"], json!(["pwd"]));
}

#[tokio::test]
async fn rt_17_any_other_spelling_is_another_token() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let token = &tokens.refresh;
    let before = world.footprint().await;
    let swapped = |at: usize| {
        let mut text = token.clone();
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        text.replace_range(at..=at, other);
        text
    };
    let mut others = vec![
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        format!("{token}="),
        format!(" {token}"),
        token.to_lowercase(),
        token.to_uppercase(),
        token.replacen("crt_", "CRT_", 1),
        token[4..].to_owned(),
        "crt_".to_owned(),
        "x".repeat(10_240),
    ];
    // A changed bit in each part: version, key, session, generation, secret, MAC.
    others.extend([4, 6, 10, 29, 40, 70, token.len() - 3].map(swapped));
    for other in &others {
        let answer = replica.refresh(&world.client, other).await;
        answer.refuses(400, "invalid_grant");
    }
    assert_eq!(world.footprint().await, before);
    rotate(&replica, &world.client, &tokens).await;
}

#[tokio::test]
async fn session_that_is_too_old_or_idle_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let lives = "SELECT extract(epoch FROM expires_at - created_at)::bigint + extract(epoch FROM idle_ttl)::bigint FROM session";
    assert_eq!(world.number(lives).await, (30 + 7) * 24 * 3_600);
    world
        .sql("UPDATE session SET rotated_at = now() - interval '7 days 1 second'")
        .await;
    replica
        .refresh(&world.client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    assert!(!replica.is_active(&world.client, &tokens.refresh).await);
    world
        .sql("UPDATE session SET rotated_at = now(), expires_at = now() - interval '1 second'")
        .await;
    replica
        .refresh(&world.client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    assert!(!replica.is_active(&world.client, &tokens.refresh).await);
    world
        .sql("UPDATE session SET expires_at = now() + interval '1 hour'")
        .await;
    rotate(&replica, &world.client, &tokens).await;
}

#[tokio::test]
async fn token_of_the_future_is_refused_and_revokes_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    world.sql("CREATE TABLE before AS SELECT * FROM session").await;
    let next = rotate(&replica, &world.client, &tokens).await;
    // The database went back: a genuine token is newer than its row.
    world
        .sql("DELETE FROM session; INSERT INTO session SELECT * FROM before")
        .await;
    let before = world.footprint().await;
    replica
        .refresh(&world.client, &next.refresh)
        .await
        .refuses(400, "invalid_grant");
    assert_eq!(world.footprint().await, before);
    rotate(&replica, &world.client, &tokens).await;
}
