//! The limit of a session: exchange and refreshes, counted in its row.

use std::time::Duration;

use credo_auth_domain::rate_limit::RateClass;
use credo_testkit::eventually;
use futures::future::join_all;

use crate::support::{Answer, ClientSpec, Event, Replica, Tokens, World};

const DEADLINE: Duration = Duration::from_secs(10);

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

async fn a_minute_later(world: &World) {
    world
        .sql("UPDATE session SET window_begins_at = window_begins_at - interval '1 minute'")
        .await;
}

fn decisions(replica: &Replica, result: &str) -> f64 {
    let families = replica.app.metrics.registry.gather();
    let name = "credo_rate_limit_decisions_total";
    let family = families.iter().find(|family| family.name() == name).unwrap();
    let is = |metric: &&prometheus::proto::Metric| {
        let has = |value: &str| metric.get_label().iter().any(|label| label.value() == value);
        has("auth") && has(result)
    };
    family.get_metric().iter().find(is).unwrap().get_counter().get_value()
}

#[tokio::test]
async fn a_session_has_its_own_limit_and_is_told_what_is_left() {
    let world = World::new().await;
    world.set_limit(RateClass::Auth, 4).await;
    let replica = world.replica().await;
    let code = replica.code(&world.client, &world.user).await;
    let mut answer = replica.exchange(&world.client, &code).await;
    assert_eq!((left(&answer, "r"), left(&answer, "t")), (3, 60));
    let mut tokens = Tokens::from(&answer);
    for remaining in [2, 1, 0] {
        answer = replica.refresh(&world.client, &tokens.refresh).await;
        tokens = Tokens::from(&answer);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"auth\";q=4;w=60"));
        assert_eq!(left(&answer, "r"), remaining);
    }
    let before = world.footprint().await;
    let answers = join_all((0..20).map(|_| replica.refresh(&world.client, &tokens.refresh))).await;
    for answer in &answers {
        answer.refuses(429, "temporarily_unavailable");
        assert_eq!(answer.header("ratelimit-policy"), Some("\"auth\";q=4;w=60"));
        assert_eq!(left(answer, "r"), 0);
        let wait = left(answer, "t").to_string();
        assert_eq!(answer.header("retry-after"), Some(wait.as_str()));
    }
    let told = || async {
        let events = world.events().await;
        let refused = events.iter().filter(|event| event.is("rate_limit_exceeded"));
        refused.map(Event::count).sum::<u64>() == 20
    };
    eventually(DEADLINE, told).await;
    let events = world.events().await;
    let refused: Vec<_> = events.iter().filter(|event| event.is("rate_limit_exceeded")).collect();
    assert_eq!(refused[0].core.reason, "auth");
    assert_eq!(
        (refused[0].tenant, refused[0].aggregate),
        (world.tenant.id.as_uuid(), tokens.session)
    );
    // Nothing else was written.
    assert_eq!(world.footprint().await - before, i64::try_from(refused.len()).unwrap());
    assert_eq!(
        (decisions(&replica, "allowed"), decisions(&replica, "limited")),
        (4.0, 20.0)
    );
    // Another session of the same person and client is not kept out.
    let other = replica.tokens(&world.client, &world.user).await;
    replica.rotate(&world.client, &other).await;
    a_minute_later(&world).await;
    answer = replica.refresh(&world.client, &tokens.refresh).await;
    assert_eq!((answer.status, left(&answer, "r"), left(&answer, "t")), (200, 3, 60));
}

#[tokio::test]
async fn rt_02_a_replay_ends_the_family_although_the_window_is_full() {
    let world = World::new().await;
    world.set_limit(RateClass::Auth, 2).await;
    let replica = world.replica().await;
    let first = replica.tokens(&world.client, &world.user).await;
    let second = replica.rotate(&world.client, &first).await;
    let answer = replica.refresh(&world.client, &second.refresh).await;
    answer.refuses(429, "temporarily_unavailable");
    // Told as ever: not what is left, and not to wait.
    let answer = replica.refresh(&world.client, &first.refresh).await;
    answer.refuses(400, "invalid_grant");
    assert!(answer.header("ratelimit").is_none() && answer.header("retry-after").is_none());
    replica.assert_dead(&world.client, &second).await;
    let types = world.event_types().await;
    assert!(types.iter().any(|event| event == "token_reuse_detected"), "{types:?}");
}

#[tokio::test]
async fn a_clients_limit_goes_before_its_tenants_and_that_before_the_usual() {
    let world = World::new().await;
    let other_tenant = world.add_tenant("other").await;
    let stranger = world.add_client_of(&other_tenant, ClientSpec::default()).await;
    let somebody = world
        .add_user_of(&other_tenant, "bob@other.example", Some(crate::support::PASSWORD))
        .await;
    let own = world.add_client(ClientSpec::default()).await;
    world.set_limit(RateClass::Auth, 5).await;
    world
        .sql(&format!(
            "INSERT INTO rate_limit VALUES ('{}', '{}', 1, 1)",
            world.tenant.id, own.id
        ))
        .await;
    let replica = world.replica().await;
    for (client, user, limit) in [
        (&stranger, &somebody, 10),
        (&world.client, &world.user, 5),
        (&own, &world.user, 1),
    ] {
        let mut tokens = replica.tokens(client, user).await;
        for _ in 1..limit {
            tokens = replica.rotate(client, &tokens).await;
        }
        let answer = replica.refresh(client, &tokens.refresh).await;
        answer.refuses(429, "temporarily_unavailable");
        let policy = format!("\"auth\";q={limit};w=60");
        assert_eq!(answer.header("ratelimit-policy"), Some(policy.as_str()));
    }
}

#[tokio::test]
async fn rt_06_of_fifty_retries_at_two_replicas_just_as_many_succeed_as_are_left() {
    let world = World::new().await;
    world.set_limit(RateClass::Auth, 10).await;
    let client = world
        .add_client(ClientSpec {
            refresh_grace_seconds: 60,
            ..ClientSpec::default()
        })
        .await;
    let replicas = [world.replica().await, world.replica().await];
    let tokens = replicas[0].tokens(&client, &world.user).await;
    let current = replicas[0].rotate(&client, &tokens).await;
    let retries = (0..50).map(|number| replicas[number % 2].refresh(&client, &tokens.refresh));
    let answers = join_all(retries).await;
    for answer in &answers {
        if answer.status == 429 {
            answer.refuses(429, "temporarily_unavailable");
        } else {
            assert_eq!(Tokens::from(answer).refresh, current.refresh);
        }
    }
    let mut remaining: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| left(answer, "r"))
        .collect();
    remaining.sort_unstable();
    assert_eq!(remaining, (0..8).collect::<Vec<_>>());
    a_minute_later(&world).await;
    replicas[1].rotate(&client, &current).await;
}
