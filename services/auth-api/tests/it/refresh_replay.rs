//! Rotation of refresh tokens, and what a token that was used before costs (RFC 9700 section 4.14.2): cases RT.

use std::time::Duration;

use credo_testkit::eventually;
use futures::future::join_all;
use time::OffsetDateTime;

use crate::support::{ClientSpec, ReplicaSpec, Tokens, World, claims};

/// What a replica may take to hear of a revocation.
const FEED_DEADLINE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn rt_01_every_use_gives_a_new_token() {
    let world = World::new().await;
    let replica = world.replica().await;
    let public = world.add_client(ClientSpec::public()).await;
    for client in [&public, &world.client] {
        let mut tokens = replica.tokens(client, &world.user).await;
        for _ in 0..3 {
            let next = replica.rotate(client, &tokens).await;
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
                family.push(one.rotate(client, family.last().unwrap()).await);
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
    let next = first.rotate(&world.client, &tokens).await;
    drop(first);
    let second = world.replica().await;
    second.clock.set(OffsetDateTime::UNIX_EPOCH);
    let newest = second.rotate(&world.client, &next).await;
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
    let next = replica.rotate(&world.client, &tokens).await;
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
    let newest = two.rotate(&client, &answers[0]).await;
    one.refresh(&client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    one.refresh(&client, &newest.refresh)
        .await
        .refuses(400, "invalid_grant");

    // And when the grace is over.
    let tokens = one.tokens(&client, &world.user).await;
    let next = one.rotate(&client, &tokens).await;
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
    let (rotated, retried) = (new.rotate(&client, &tokens).await, new.rotate(&client, &tokens).await);
    assert_eq!(rotated.refresh, retried.refresh);
    new.rotate(&client, &rotated).await;
}

#[tokio::test]
async fn demoted_key_accepts_the_current_token_alone_and_revokes_nothing() {
    let world = World::new().await;
    let old = world.replica().await;
    let tokens = old.tokens(&world.client, &world.user).await;
    let next = old.rotate(&world.client, &tokens).await;
    let demoted = ReplicaSpec {
        master_keys: ReplicaSpec::master_key(2, "") + &ReplicaSpec::master_key(1, "demoted"),
        ..ReplicaSpec::default()
    };
    let new = world.replica_with(demoted).await;
    new.refresh(&world.client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    let newest = new.rotate(&world.client, &next).await;
    // What was made under the active key is judged as ever.
    new.rotate(&world.client, &newest).await;
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
