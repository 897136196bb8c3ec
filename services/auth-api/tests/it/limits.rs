//! How often what may be asked for: classes, fields, overrides, replicas, and what is recorded.

use std::time::Duration;

use credo_auth_domain::rate_limit::RateClass;
use credo_testkit::eventually;
use futures::future::join_all;

use crate::support::{Answer, Call, Client, ClientSpec, Event, Replica, World};

const DEADLINE: Duration = Duration::from_secs(10);
/// What a test has at least before the next window begins, in seconds.
const TIME: u32 = 20;

/// The number behind `r=` or `t=` of the field.
fn left(answer: &Answer, parameter: &str) -> u32 {
    let field = answer
        .header("ratelimit")
        .unwrap_or_else(|| panic!("{}", answer.text()));
    let value = field
        .split(';')
        .find_map(|part| part.strip_prefix(parameter)?.strip_prefix('='));
    value.unwrap().parse().unwrap()
}

/// A client whose window, which one request opened, does not end at once.
async fn client_with_time(world: &World, replica: &Replica, spec: ClientSpec) -> Client {
    loop {
        let client = world.add_client(spec).await;
        let answer = replica.client_credentials(&client, None).await;
        if left(&answer, "t") >= TIME {
            return client;
        }
    }
}

async fn with_wrong_secret(replica: &Replica, address: [u8; 4], id: &str) -> Answer {
    let call = Call::form("/auth/token", [("grant_type", "client_credentials")]);
    replica.send_from(address, call.basic(id, "crs_wrong")).await
}

fn metric(replica: &Replica, name: &str) -> f64 {
    let families = replica.app.metrics.registry.gather();
    let family = families.iter().find(|family| family.name() == name).unwrap();
    family.get_metric()[0].get_gauge().get_value()
}

#[tokio::test]
async fn a_client_has_its_own_limit_and_is_told_what_is_left() {
    let world = World::new().await;
    world.set_limit(RateClass::Client, 4).await;
    let replica = world.replica().await;
    let client = client_with_time(&world, &replica, ClientSpec::default()).await;
    for remaining in [2, 1, 0] {
        let answer = replica.client_credentials(&client, None).await;
        answer.ok();
        assert_eq!(answer.header("ratelimit-policy"), Some("\"client\";q=4;w=60"));
        assert_eq!(left(&answer, "r"), remaining);
    }
    let before = world.number("SELECT count(*) FROM outbox WHERE class = 2").await;
    let answers = join_all((0..20).map(|_| replica.client_credentials(&client, None))).await;
    for answer in &answers {
        answer.refuses(429, "temporarily_unavailable");
        assert_eq!(left(answer, "r"), 0);
        assert_eq!(
            answer.header("retry-after"),
            Some(left(answer, "t").to_string().as_str())
        );
    }
    // Every one is told of, and the first was before it was answered.
    assert!(world.number("SELECT count(*) FROM outbox WHERE class = 2").await > before);
    let told = || async {
        let events = world.events().await;
        let refused = events.iter().filter(|event| event.is("rate_limit_exceeded"));
        refused.map(Event::count).sum::<u64>() == 20
    };
    eventually(DEADLINE, told).await;
    let events = world.events().await;
    let event = events.iter().find(|event| event.is("rate_limit_exceeded")).unwrap();
    assert_eq!(
        (event.core.reason.as_str(), event.personal.address.as_str()),
        ("client", "192.0.2.1")
    );
    assert_eq!(
        (event.tenant, event.aggregate),
        (world.tenant.id.as_uuid(), client.id.as_uuid())
    );
    // Its own limit goes before the tenant's, and what others did does not count for it.
    let other = world.add_client(ClientSpec::default()).await;
    world
        .sql(&format!(
            "INSERT INTO rate_limit VALUES ('{}', '{}', 5, 70)",
            world.tenant.id, other.id
        ))
        .await;
    let answer = replica.client_credentials(&other, None).await;
    assert_eq!(answer.header("ratelimit-policy"), Some("\"client\";q=70;w=60"));
    assert_eq!((answer.status, left(&answer, "r")), (200, 69));
}

#[tokio::test]
async fn failures_of_a_client_are_limited_by_address_and_keep_nobody_out() {
    let world = World::new().await;
    world.set_limit(RateClass::ClientFailure, 3).await;
    let replica = world.replica().await;
    let (here, there) = ([192, 0, 2, 1], [192, 0, 2, 9]);
    let client = world.add_client(ClientSpec::default()).await;
    let id = client.id.to_string();
    // Three, and three more if a window ends meanwhile. What is left is not told: it would tell which clients exist.
    let answers = join_all((0..9).map(|_| with_wrong_secret(&replica, here, &id))).await;
    for answer in &answers {
        if answer.status == 429 {
            answer.refuses(429, "temporarily_unavailable");
        } else {
            answer.refuses(401, "invalid_client");
            assert!(answer.header("ratelimit").is_none());
        }
    }
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert!((3..=6).contains(&refused), "{refused}");
    replica.client_credentials(&client, None).await.ok();
    let answer = with_wrong_secret(&replica, there, &id).await;
    answer.refuses(401, "invalid_client");
}

#[tokio::test]
async fn failures_are_refused_alike_whether_the_client_exists_or_not() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = world.add_client(ClientSpec::default()).await;
    for id in [client.id.to_string(), uuid::Uuid::now_v7().to_string()] {
        let answers = join_all((0..61).map(|_| with_wrong_secret(&replica, [192, 0, 2, 1], &id))).await;
        let refused = answers.iter().filter(|answer| answer.status == 429).count();
        // The window may have ended once meanwhile.
        assert!((1..=31).contains(&refused), "{refused}");
    }
    // What is made up once is never refused for its number, and is one target of events however often it is.
    let strangers = (0..40).map(|_| uuid::Uuid::now_v7().to_string());
    for id in strangers {
        with_wrong_secret(&replica, [192, 0, 2, 1], &id)
            .await
            .refuses(401, "invalid_client");
    }
}

#[tokio::test]
async fn bearers_are_limited_by_session_and_class() {
    let world = World::new().await;
    world.set_limit(RateClass::Read, 2).await;
    world.set_limit(RateClass::Sensitive, 1).await;
    let replica = world.replica().await;
    let tokens = loop {
        let tokens = replica.tokens(&world.client, &world.user).await;
        let answer = replica.userinfo(&tokens.access).await;
        if left(&answer, "t") >= TIME {
            break tokens;
        }
    };
    let other = replica.tokens(&world.client, &world.user).await;
    // Somebody else's words about the session are not counted for it.
    let (head, signature) = tokens.access.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for _ in 0..5 {
        let answer = replica.userinfo(&forged).await;
        answer.challenges(401, "invalid_token");
        assert!(answer.header("ratelimit").is_none());
    }
    let answer = replica.send(Call::get("/auth/sessions").bearer(&tokens.access)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("ratelimit-policy"), Some("\"read\";q=2;w=60"));
    let answer = replica.userinfo(&tokens.access).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem = answer.json();
    assert_eq!(problem["violated-policies"], serde_json::json!(["read"]));
    assert_eq!(problem["status"], 429);
    assert_eq!(replica.userinfo(&other.access).await.status, 200);
    let end = |id: &str| Call::new("DELETE", format!("/auth/sessions/{id}")).bearer(&tokens.access);
    let first = replica.send(end(&uuid::Uuid::now_v7().to_string())).await;
    assert_eq!((first.status, left(&first, "r")), (404, 0));
    // Refused before anything is ended, unless a window ended in between.
    let second = replica.send(end(&other.session.to_string())).await;
    if left(&second, "t") <= left(&first, "t") {
        assert_eq!(second.status, 429);
        assert_eq!(replica.userinfo(&other.access).await.status, 200);
    }
}

#[tokio::test]
async fn replicas_agree_and_let_through_no_more_than_one_of_them_did_untold() {
    let world = World::new().await;
    world.set_limit(RateClass::Client, 10).await;
    let (here, there) = (world.replica().await, world.replica().await);
    let client = client_with_time(&world, &here, ClientSpec::default()).await;
    let stored = || world.number("SELECT coalesce(max(count), 0)::bigint FROM rate_window");
    let answers = join_all((0..15).map(|_| here.client_credentials(&client, None))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 9);
    eventually(DEADLINE, || async { stored().await == 10 }).await;
    // The other one knows nothing of the bucket until it has told something itself: one request, and it is told.
    there.client_credentials(&client, None).await.ok();
    eventually(DEADLINE, || async { stored().await == 11 }).await;
    let refused = || async { there.client_credentials(&client, None).await.status == 429 };
    eventually(DEADLINE, refused).await;
    assert_eq!(here.client_credentials(&client, None).await.status, 429);
    let total = stored().await;
    // Between the commit and its answer a poll may have come through.
    assert!((11..=13).contains(&total), "{total}");
}

#[tokio::test]
async fn fi_02_without_the_store_of_limits_each_replica_holds_the_limit_for_itself() {
    let world = World::new().await;
    world.set_limit(RateClass::Client, 5).await;
    world.sql("REVOKE ALL ON rate_window FROM credo_auth_api").await;
    let replica = world.replica().await;
    let client = client_with_time(&world, &replica, ClientSpec::default()).await;
    let alone = || async { (metric(&replica, "credo_rate_limit_is_local") - 1.0).abs() < f64::EPSILON };
    eventually(DEADLINE, alone).await;
    let answers = join_all((0..12).map(|_| replica.client_credentials(&client, None))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 4);
    // What was let through meanwhile is told once it can be.
    world
        .sql("GRANT SELECT, INSERT, UPDATE, DELETE ON rate_window TO credo_auth_api")
        .await;
    let told = || async {
        world
            .number("SELECT coalesce(max(count), 0)::bigint FROM rate_window")
            .await
            == 5
    };
    eventually(DEADLINE, told).await;
    eventually(DEADLINE, || async {
        metric(&replica, "credo_rate_limit_is_local") == 0.0
    })
    .await;
}
