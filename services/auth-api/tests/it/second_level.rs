//! What replicas share in Redis (DESIGN section 6), with a Redis that anybody can write into.

use std::time::Duration;

use credo_ids::{ClientId, TenantId, UserId};
use credo_testkit::{eventually, redis_url};

use crate::support::{Client, ClientSpec, Proxy, Redis, Replica, ReplicaSpec, World, claims};

const DEADLINE: Duration = Duration::from_secs(10);

fn spec() -> ReplicaSpec {
    ReplicaSpec {
        redis_url: Some(redis_url()),
        ..ReplicaSpec::default()
    }
}

fn client_key(client: ClientId) -> String {
    format!("client:{client}")
}

/// The value of a metric with those labels.
fn count(replica: &Replica, name: &str, labels: &[(&str, &str)]) -> f64 {
    let families = replica.app.metrics.registry.gather();
    let family = families.iter().find(|family| family.name() == name).unwrap();
    let has = |metric: &&prometheus::proto::Metric| {
        labels.iter().all(|(name, value)| {
            metric
                .get_label()
                .iter()
                .any(|label| label.name() == *name && label.value() == *value)
        })
    };
    family
        .get_metric()
        .iter()
        .filter(has)
        .map(|metric| metric.get_counter().get_value())
        .sum()
}

fn unfit(replica: &Replica, reason: &str) -> f64 {
    count(replica, "credo_cache_unfit_values_total", &[("reason", reason)])
}

/// Has a client read and waits until it is in Redis: its value.
async fn fill(replica: &Replica, redis: &mut Redis, client: ClientId) -> Vec<u8> {
    let read_at = replica.app.feed.database_now();
    let read = replica.app.directory.resolve_client(client).await.unwrap().unwrap();
    let mut found = None;
    let deadline = std::time::Instant::now() + DEADLINE;
    while found.is_none() {
        assert!(std::time::Instant::now() < deadline, "the client never came to Redis");
        replica.app.second_level.keep_client(&read, read_at);
        tokio::task::yield_now().await;
        found = redis.get(&client_key(client)).await;
    }
    found.unwrap()
}

/// Waits until a replica finds a client in Redis: it waits for Redis no longer than 5 ms, which a busy machine may take.
async fn finds(replica: &Replica, client: ClientId) {
    eventually(DEADLINE, || async {
        replica.app.second_level.client(client).await.is_some()
    })
    .await;
}

#[tokio::test]
async fn what_one_replica_read_another_need_not_ask_for() {
    let world = World::new().await;
    world.count_statements().await;
    let (one, two, mut redis) = (
        world.replica_with(spec()).await,
        world.replica_with(spec()).await,
        Redis::new().await,
    );
    let value = fill(&one, &mut redis, world.client.id).await;
    let text = String::from_utf8(value).unwrap();
    assert!(
        text.contains(r#"{"client":{"#) && text.contains(r#""tenant":{"#),
        "{text}"
    );
    assert!(
        !text.contains(world.client.secret.as_deref().unwrap()),
        "a secret is in Redis"
    );
    assert!((1..=300_000).contains(&redis.life(&client_key(world.client.id)).await));
    finds(&two, world.client.id).await;
    eventually(DEADLINE, || async {
        let other = world.replica_with(spec()).await;
        let (answer, cost) = world.statements_of(other.client_credentials(&world.client, None)).await;
        answer.ok();
        !cost.contains_key("client_find")
    })
    .await;

    // A person, without anything that they prove themselves with.
    let tokens = one.tokens(&world.client, &world.user).await;
    one.userinfo(&tokens.access).await.ok();
    let key = format!("user:{}:{}", world.tenant.id, world.user.id);
    let person = one.app.directory.resolve_user(world.tenant.id, world.user.id).await;
    let (person, read_at) = (person.unwrap().unwrap(), one.app.feed.database_now());
    eventually(DEADLINE, || async {
        one.app.second_level.keep_user(world.tenant.id, &person, read_at);
        two.app
            .second_level
            .user(world.tenant.id, world.user.id)
            .await
            .is_some()
    })
    .await;
    let text = String::from_utf8(redis.get(&key).await.unwrap()).unwrap();
    assert!(
        text.contains(&world.user.email) && !text.contains("argon2") && !text.contains("admin"),
        "{text}"
    );
    assert!((1..=60_000).contains(&redis.life(&key).await));
    two.userinfo(&tokens.access).await.ok();
}

#[tokio::test]
async fn ca_04_a_slow_fill_writes_nothing_back_that_was_disabled() {
    let world = World::new().await;
    let (slow, swift, mut redis) = (
        world.replica_with(spec()).await,
        world.replica_with(spec()).await,
        Redis::new().await,
    );
    let (id, key) = (world.client.id, client_key(world.client.id));
    let began_at = slow.app.feed.database_now();
    let read = slow.app.directory.resolve_client(id).await.unwrap().unwrap();
    fill(&slow, &mut redis, id).await;

    // The other replica disables; then the slow one writes what it read before.
    world.disable_client(id).await;
    eventually(DEADLINE, || async {
        swift.app.directory.forget_client(id).await;
        Redis::new()
            .await
            .get(&key)
            .await
            .is_some_and(|stone| stone.ends_with(b"."))
    })
    .await;
    let outdated = count(&slow, "credo_cache_writes_total", &[("result", "outdated")]);
    eventually(DEADLINE, || async {
        slow.app.second_level.keep_client(&read, began_at);
        count(&slow, "credo_cache_writes_total", &[("result", "outdated")]) > outdated
    })
    .await;
    assert!(
        redis.get(&key).await.unwrap().ends_with(b"."),
        "what was read before is back"
    );
    let fresh = world.replica_with(spec()).await;
    for replica in [&slow, &swift, &fresh] {
        eventually(DEADLINE, || async {
            replica.client_credentials(&world.client, None).await.status == 401
        })
        .await;
    }

    // Even where it could write: the feed does not vouch for it.
    redis.delete(&key).await;
    eventually(DEADLINE, || async {
        slow.app.second_level.keep_client(&read, began_at);
        Redis::new().await.get(&key).await.is_some()
    })
    .await;
    let cold = world.replica_with(spec()).await;
    let answer = cold.client_credentials(&world.client, None).await;
    answer.refuses(401, "invalid_client");
    assert!(cold.app.second_level.client(id).await.is_none());
}

#[tokio::test]
async fn ca_05_an_unknown_client_is_not_remembered() {
    let world = World::new().await;
    let (replica, mut redis) = (world.replica_with(spec()).await, Redis::new().await);
    let unknown = ClientId::now_v7();
    let mut later = world.add_client(ClientSpec::default()).await;
    let stranger = Client {
        id: unknown,
        secret: later.secret.clone(),
        method: later.method,
    };
    for _ in 0..3 {
        let answer = replica.client_credentials(&stranger, None).await;
        answer.refuses(401, "invalid_client");
    }
    assert_eq!(redis.get(&client_key(unknown)).await, None);
    world
        .sql(&format!(
            "ALTER TABLE client_secret DISABLE TRIGGER ALL;
             UPDATE client_secret SET client_id = '{unknown}' WHERE client_id = '{0}';
             UPDATE client SET id = '{unknown}' WHERE id = '{0}'",
            later.id
        ))
        .await;
    later.id = unknown;
    replica.client_credentials(&later, None).await.ok();
}

#[tokio::test]
async fn ca_07_what_others_wrote_into_redis_is_a_miss() {
    let world = World::new().await;
    let (one, mut redis) = (world.replica_with(spec()).await, Redis::new().await);
    let other = world.add_client(ClientSpec::default()).await;
    let foreign = ReplicaSpec {
        master_keys: format!("{}{}", ReplicaSpec::master_key(9, ""), ReplicaSpec::master_key(1, "")),
        ..spec()
    };
    let stranger = world.replica_with(foreign).await;
    let key = client_key(world.client.id);
    let good = fill(&one, &mut redis, world.client.id).await;
    let of_other = fill(&one, &mut redis, other.id).await;
    redis.delete(&key).await;
    let by_stranger = fill(&stranger, &mut redis, world.client.id).await;
    let text = String::from_utf8(good.clone()).unwrap();
    let planted: [(&str, Vec<u8>); 8] = [
        ("malformed", b"{\"client\":{}}".to_vec()),
        ("malformed", vec![0xFF; 200]),
        ("malformed", vec![b'1'; 1_000_000]),
        ("schema", text.replacen('1', "0", 1).into_bytes()),
        ("forged", of_other),
        ("forged", by_stranger),
        (
            "forged",
            text.replace(r#""first_party":true"#, r#""first_party":false"#)
                .into_bytes(),
        ),
        ("forged", text.replacen("1.000", "1.900", 1).into_bytes()),
    ];
    for (reason, value) in planted {
        assert_ne!(value, good);
        let replica = world.replica_with(spec()).await;
        eventually(DEADLINE, || async {
            Redis::new().await.set(&key, &value).await;
            assert!(replica.app.second_level.client(world.client.id).await.is_none());
            unfit(&replica, reason) > 0.0
        })
        .await;
        redis.set(&key, &value).await;
        replica.client_credentials(&world.client, None).await.ok();
        // It stands in nobody's way: what was read takes its place.
        eventually(DEADLINE, || async {
            let fresh = world.replica_with(spec()).await;
            fresh.client_credentials(&world.client, None).await.ok();
            fresh.app.second_level.client(world.client.id).await.is_some()
        })
        .await;
    }

    // Another type.
    redis.delete(&key).await;
    redis.ask(&[b"RPUSH", key.as_bytes(), b"a"]).await;
    let replica = world.replica_with(spec()).await;
    replica.client_credentials(&world.client, None).await.ok();
    eventually(DEADLINE, || async {
        replica.app.second_level.client(world.client.id).await;
        unfit(&replica, "malformed") > 0.0
    })
    .await;
    fill(&replica, &mut redis, world.client.id).await;
}

#[tokio::test]
async fn ca_07_a_good_value_that_is_put_back_later_is_a_miss() {
    let world = World::new().await;
    let (one, mut redis) = (world.replica_with(spec()).await, Redis::new().await);
    let (id, key) = (world.client.id, client_key(world.client.id));
    let read = one.app.directory.resolve_client(id).await.unwrap().unwrap();
    fill(&one, &mut redis, id).await;
    // What waits to be written is written in turn: behind another client's nothing of this one is left.
    let other = world.add_client(ClientSpec::default()).await;
    fill(&one, &mut redis, other.id).await;
    redis.delete(&key).await;
    let long_ago = one.app.feed.database_now() - Duration::from_secs(301);
    eventually(DEADLINE, || async {
        one.app.second_level.keep_client(&read, long_ago);
        Redis::new().await.get(&key).await.is_some()
    })
    .await;
    eventually(DEADLINE, || async {
        assert!(one.app.second_level.client(id).await.is_none());
        unfit(&one, "old") > 0.0
    })
    .await;
    assert!(redis.get(&key).await.is_some());
}

/// Keys are made of ids: a person's is of no use in another tenant.
#[tokio::test]
async fn ca_08_a_person_of_one_tenant_is_no_other_tenants() {
    let world = World::new().await;
    let (one, mut redis) = (world.replica_with(spec()).await, Redis::new().await);
    let (tenant, user): (TenantId, UserId) = (world.tenant.id, world.user.id);
    let elsewhere = world.add_tenant("elsewhere").await;
    let person = one.app.directory.resolve_user(tenant, user).await.unwrap().unwrap();
    let read_at = one.app.feed.database_now();
    eventually(DEADLINE, || async {
        one.app.second_level.keep_user(tenant, &person, read_at);
        one.app.second_level.user(tenant, user).await.is_some()
    })
    .await;
    let value = redis.get(&format!("user:{tenant}:{user}")).await.unwrap();
    redis.set(&format!("user:{}:{user}", elsewhere.id), &value).await;
    eventually(DEADLINE, || async {
        assert!(one.app.second_level.user(elsewhere.id, user).await.is_none());
        unfit(&one, "forged") > 0.0
    })
    .await;
    let none = one.app.directory.resolve_user(elsewhere.id, user).await.unwrap();
    assert!(none.is_none());
}

#[tokio::test]
async fn what_has_ended_is_told_for_as_long_as_it_would_live() {
    let world = World::new().await;
    let proxy = Proxy::start(&world.database.url_as("credo_auth_api")).await;
    let (one, mut redis) = (world.replica_with(spec()).await, Redis::new().await);
    let two = Replica::start(proxy.url(), spec()).await;
    let (ended, good) = (
        one.tokens(&world.client, &world.user).await,
        one.tokens(&world.client, &world.user).await,
    );
    let own = one.client_credentials(&world.client, None).await.ok();
    let own = own["access_token"].as_str().unwrap().to_owned();
    for token in [&ended.access, &good.access] {
        two.userinfo(token).await.ok();
    }
    assert!(two.is_active(&world.client, &own).await);
    let (sid, jti) = (
        format!("trl:sid:{}", ended.session),
        format!("trl:jti:{}", claims(&own)["jti"].as_str().unwrap()),
    );
    // A token may be revoked twice: what a busy machine did not write is written then.
    eventually(DEADLINE, || async {
        assert_eq!(one.revoke(&world.client, &ended.refresh).await.status, 200);
        assert_eq!(one.revoke(&world.client, &own).await.status, 200);
        let mut redis = Redis::new().await;
        redis.get(&sid).await.is_some() && redis.get(&jti).await.is_some()
    })
    .await;
    for key in [&sid, &jti] {
        let life = redis.life(key).await;
        assert!((1..=900_000).contains(&life), "{key} lives {life} ms");
    }
    // Of another session, and of nobody: neither says anything of the good one.
    let planted = format!("trl:sid:{}", good.session);
    let value = redis.get(&sid).await.unwrap();
    redis.set(&planted, &value).await;

    // With a database it decides nothing; without one it is enough to refuse, and its absence is not enough to serve.
    two.userinfo(&good.access).await.ok();
    proxy.go_down();
    two.clock.advance(Duration::from_secs(2));
    eventually(DEADLINE, || async { two.userinfo(&ended.access).await.status == 401 }).await;
    assert_eq!(two.userinfo(&good.access).await.status, 503);
    redis.delete(&sid).await;
    assert_eq!(two.userinfo(&ended.access).await.status, 503);
}

/// A Redis that is gone costs a few waits of 5 ms, then nothing: it is not asked.
#[tokio::test]
async fn fi_01_a_redis_that_is_gone_is_not_waited_for() {
    let world = World::new().await;
    let gone = ReplicaSpec {
        redis_url: Some("redis://127.0.0.1:1".to_owned()),
        ..ReplicaSpec::default()
    };
    let replica = world.replica_with(gone).await;
    for _ in 0..20 {
        replica.app.directory.forget_client(world.client.id).await;
        replica.client_credentials(&world.client, None).await.ok();
    }
    let labels = [("cache", "client"), ("level", "redis"), ("result", "fallback")];
    assert!(count(&replica, "credo_cache_reads_total", &labels) >= 20.0);
    let redis = replica.app.second_level.redis().unwrap();
    assert_ne!(redis.breaker(), credo_auth_store::BreakerState::Closed);
}
