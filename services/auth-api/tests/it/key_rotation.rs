//! Keys change by themselves: nobody who keeps the JWKS for as long as we allow sees a token that they cannot verify.

use std::{
    collections::{BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use auth_api::keys::KeySettings;
use credo_auth_domain::rate_limit::RateClass;
use credo_clock::SystemClock;
use credo_testkit::eventually;

use crate::support::{Call, Replica, ReplicaSpec, World, header_of, insert_signing_key};

/// Within which the background takes its steps.
const DEADLINE: Duration = Duration::from_secs(15);
/// Five minutes are a second.
const PACE: u32 = 300;
/// Five minutes are three seconds: a machine that stalls for one must not look like a key that came too early.
const LOAD_PACE: u32 = 100;

fn paced(pending_min: Duration) -> ReplicaSpec {
    at_pace(PACE, pending_min)
}

fn at_pace(pace: u32, pending_min: Duration) -> ReplicaSpec {
    ReplicaSpec {
        clock: Some(SystemClock::new()),
        keys: KeySettings {
            rotate_every: Duration::from_hours(1),
            pending_min,
            pace,
        },
        ..ReplicaSpec::default()
    }
}

fn kid(token: &str) -> String {
    header_of(token)["kid"].as_str().unwrap().to_owned()
}

async fn kids(replica: &Replica) -> BTreeSet<String> {
    let jwks = replica.send(Call::get("/t/demo/jwks.json")).await.ok();
    let keys = jwks["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn age(world: &World, state: i16) {
    world
        .sql(&format!(
            "UPDATE signing_key SET state_at = state_at - interval '91 days' WHERE state = {state}"
        ))
        .await;
}

/// Two replicas sign and publish while keys change `rotations` times. A client keeps what either of them published for its
/// `max-age` and asks no sooner, whatever it meets. Gives how many tokens it verified, and how many not.
async fn under_load(pending_min: Duration, rotations: usize) -> (usize, usize) {
    let world = World::new().await;
    world.set_limit(RateClass::Client, 1_000_000).await;
    let replicas = [
        world.replica_with(at_pace(LOAD_PACE, pending_min)).await,
        world.replica_with(at_pace(LOAD_PACE, pending_min)).await,
    ];
    let max_age = Duration::from_mins(5) / LOAD_PACE;
    let (mut cached, mut read_at) = (kids(&replicas[0]).await, Instant::now());
    let (mut verified, mut failed, mut seen) = (0, 0, BTreeSet::new());
    let mut held: VecDeque<(Instant, String)> = VecDeque::new();
    let deadline = Instant::now() + Duration::from_mins(1);
    for round in 0.. {
        assert!(Instant::now() < deadline, "the keys do not change: {seen:?}");
        if read_at.elapsed() >= max_age {
            (cached, read_at) = (kids(&replicas[round % 2]).await, Instant::now());
        }
        let token = replicas[round % 2].client_credentials(&world.client, None).await.ok();
        let token = token["access_token"].as_str().unwrap().to_owned();
        if seen.insert(kid(&token)) {
            if seen.len() > rotations {
                break;
            }
            age(&world, 2).await;
        }
        held.push_back((Instant::now(), token.clone()));
        // Once as soon as it is issued, once when it is about to expire.
        let lived = Duration::from_mins(14) / LOAD_PACE;
        let old = held
            .front()
            .filter(|(at, _)| at.elapsed() > lived)
            .map(|(_, token)| token.clone());
        if old.is_some() {
            held.pop_front();
        }
        for token in [Some(token), old].into_iter().flatten() {
            if cached.contains(&kid(&token)) {
                verified += 1;
            } else {
                failed += 1;
            }
        }
    }
    (verified, failed)
}

#[tokio::test]
async fn kr_01_under_load_no_verification_fails_while_keys_change() {
    let (verified, failed) = under_load(Duration::from_mins(10), 3).await;
    assert_eq!(failed, 0);
    assert!(verified > 50, "{verified}");
}

/// The test above can fail: this is what it sees of a server that signs with a key before clients have it.
#[tokio::test]
async fn kr_01_a_key_that_signs_too_early_is_noticed_by_the_load() {
    let (_, failed) = under_load(Duration::ZERO, 3).await;
    assert!(failed > 0);
}

#[tokio::test]
async fn kr_01_replicas_that_rotate_at_one_time_make_one_successor_with_one_event_a_step() {
    let world = World::new().await;
    age(&world, 2).await;
    let replicas = [world.replica().await, world.replica().await, world.replica().await];
    let load = || async {
        for replica in &replicas {
            replica.app.keyring.forget(world.tenant.id).await;
            replica.client_credentials(&world.client, None).await.ok();
        }
    };
    load().await;
    eventually(DEADLINE, || async { kids(&replicas[0]).await.len() == 2 }).await;
    load().await;
    age(&world, 1).await;
    load().await;
    eventually(DEADLINE, || async {
        let query = "SELECT count(*) FROM signing_key k JOIN tenant t ON t.id = k.tenant_id
                     WHERE t.slug = 'demo' AND k.state IN (2, 3)";
        world.number(query).await == 2
    })
    .await;
    let events = world.event_types().await;
    let count = |kind: &str| events.iter().filter(|event| *event == kind).count();
    assert_eq!([count("signing_key_created"), count("signing_key_activated")], [1, 1]);
}

#[tokio::test]
async fn kr_02_a_replica_with_an_old_view_reads_the_keys_again_before_it_signs() {
    let world = World::new().await;
    let replica = world.replica().await;
    let before = kid(&replica.tokens(&world.client, &world.user).await.access);
    world
        .sql("UPDATE signing_key SET state = 4, sealed_key = '' WHERE state = 2")
        .await;
    insert_signing_key(world.owner(), world.tenant.id, 2).await;
    replica.clock.advance(Duration::from_secs(61));
    let after = kid(&replica.tokens(&world.client, &world.user).await.access);
    assert_ne!(before, after);
    assert!(kids(&replica).await.contains(&after));
}

#[tokio::test]
async fn a_key_that_nobody_uses_is_retired_and_its_private_part_is_gone() {
    let world = World::new().await;
    insert_signing_key(world.owner(), world.tenant.id, 3).await;
    let _replica = world.replica_with(paced(Duration::from_mins(10))).await;
    let gone = "SELECT count(*) FROM signing_key WHERE state = 4 AND sealed_key = ''";
    eventually(DEADLINE, || async { world.number(gone).await == 1 }).await;
    assert_eq!(world.event_types().await, ["signing_key_retired"]);
}

#[tokio::test]
async fn keys_are_sealed_again_under_the_active_master_key_and_the_old_one_can_go() {
    let world = World::new().await;
    let keys = world.number("SELECT count(*) FROM signing_key").await;
    let spec = |master_keys| ReplicaSpec {
        master_keys,
        ..paced(Duration::from_mins(10))
    };
    let (old, new) = (ReplicaSpec::master_key(1, "demoted"), ReplicaSpec::master_key(2, ""));
    let lacking = world.replica_with(spec(new.clone())).await;
    let refusal = lacking.app.keyring.check_master_keys().await.unwrap().unwrap_err();
    assert!(refusal.to_string().contains("lacks master key 1"), "{refusal}");
    let replicas = [
        world.replica_with(spec(new.clone() + &old)).await,
        world.replica_with(spec(new.clone() + &old)).await,
    ];
    let resealed = "SELECT count(*) FROM signing_key WHERE master_key_id = 2";
    eventually(DEADLINE, || async { world.number(resealed).await == keys }).await;
    drop(replicas);
    let events = world.event_types().await;
    let resealed = events.iter().filter(|event| *event == "signing_key_resealed");
    assert_eq!(resealed.count(), usize::try_from(keys).unwrap(), "one winner a key");
    lacking.app.keyring.check_master_keys().await.unwrap().unwrap();
    lacking.tokens(&world.client, &world.user).await;
}
