//! Refusals leave a mark before they are answered (DESIGN section 7).

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use credo_auth_domain::rate_limit::RateClass;
use credo_testkit::eventually;
use futures::future::join_all;

use crate::support::{Answer, Call, Client, ClientSpec, PASSWORD, Replica, World};

const DEADLINE: Duration = Duration::from_secs(5);
const WINDOW: Duration = Duration::from_mins(1);
const WRONG: &str = "a wrong password, surely";

async fn wrong_secret(replica: &Replica, client: &Client) -> Answer {
    let call = Call::form("/auth/token", [("grant_type", "client_credentials")]);
    replica.send(call.basic(&client.id.to_string(), "crs_wrong")).await
}

async fn unknown_client(replica: &Replica) -> Answer {
    let call = Call::form("/auth/token", [("grant_type", "client_credentials")]);
    replica
        .send(call.basic(&uuid::Uuid::now_v7().to_string(), "crs_wrong"))
        .await
}

/// How many refusals the events of a type stand for.
async fn told(world: &World, kind: &str) -> u64 {
    let events = world.events().await;
    events
        .iter()
        .filter(|event| event.is(kind))
        .map(crate::support::Event::count)
        .sum()
}

/// Attempts of an account never run out.
async fn endless_attempts(world: &World) {
    world
        .sql(
            "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.failures := 0; RETURN NEW; END';
             CREATE TRIGGER forget BEFORE INSERT OR UPDATE ON sign_in_attempt FOR EACH ROW EXECUTE FUNCTION forget()",
        )
        .await;
}

#[tokio::test]
async fn au_02_refusal_is_committed_before_it_is_answered() {
    let world = World::new().await;
    let replica = world.replica().await;
    wrong_secret(&replica, &world.client)
        .await
        .refuses(401, "invalid_client");
    let events = world.events().await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert!(event.is("client_auth_failed"));
    assert_eq!(
        (event.tenant, event.aggregate),
        (world.tenant.id.as_uuid(), world.client.id.as_uuid())
    );
    assert_eq!(
        (event.class, event.core.reason.as_str()),
        (2, "client_authentication_failed")
    );
    assert_eq!(event.personal.address, "192.0.2.1");
    assert!(!event.core.request_id.is_empty());

    unknown_client(&replica).await.refuses(401, "invalid_client");
    let event = &world.events().await[1];
    let system =
        world.number("SELECT count(*) FROM outbox o JOIN tenant t ON t.id = o.tenant_id WHERE t.slug = 'system'");
    assert_eq!((event.is("client_auth_failed"), system.await), (true, 1));

    replica
        .sign_in(&world.client, &world.user.email, WRONG)
        .await
        .refuses(400, "invalid_grant");
    let event = &world.events().await[2];
    assert!(event.is("auth_failed"));
    assert_eq!(
        (event.personal.email.as_str(), event.core.client_id.as_slice()),
        (world.user.email.as_str(), &world.client.id.as_bytes()[..])
    );
}

#[tokio::test]
async fn public_client_that_introspects_leaves_a_mark() {
    let world = World::new().await;
    let replica = world.replica().await;
    let public = world.add_client(ClientSpec::public()).await;
    replica.introspect(&public, "x").await.refuses(401, "invalid_client");
    let events = world.events().await;
    assert_eq!(events.len(), 1);
    assert!(events[0].is("client_auth_failed") && events[0].aggregate == public.id.as_uuid());
}

#[tokio::test]
async fn repeated_refusals_are_counted_and_none_is_lost() {
    let world = World::new().await;
    world.set_limit(RateClass::ClientFailure, 1_000).await;
    let replica = world.replica().await;
    wrong_secret(&replica, &world.client)
        .await
        .refuses(401, "invalid_client");
    unknown_client(&replica).await.refuses(401, "invalid_client");
    for _ in 0..3 {
        let refused = (0..20).map(|_| wrong_secret(&replica, &world.client));
        for answer in join_all(refused).await {
            answer.refuses(401, "invalid_client");
        }
        let unknown = (0..9).map(|_| unknown_client(&replica));
        for answer in join_all(unknown).await {
            answer.refuses(401, "invalid_client");
        }
    }
    eventually(DEADLINE, || async { told(&world, "client_auth_failed").await == 89 }).await;
    let rows = world.events().await;
    assert!(rows.len() < 15, "{} rows", rows.len());
    let mut ids: Vec<_> = rows.iter().map(|event| event.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rows.len(), "two events of one id");
    // In the next window the first is a row again, at once.
    replica.clock.advance(WINDOW);
    wrong_secret(&replica, &world.client)
        .await
        .refuses(401, "invalid_client");
    assert_eq!(told(&world, "client_auth_failed").await, 90);
}

#[tokio::test]
async fn counted_sign_ins_are_told_within_a_second_or_so() {
    let world = World::new().await;
    endless_attempts(&world).await;
    let replica = world.replica().await;
    for email in [world.user.email.as_str(), "nobody@demo.example"] {
        replica
            .sign_in(&world.client, email, WRONG)
            .await
            .refuses(400, "invalid_grant");
        let guesses = (0..12).map(|_| replica.sign_in(&world.client, email, WRONG));
        for answer in join_all(guesses).await {
            answer.refuses(400, "invalid_grant");
        }
    }
    eventually(Duration::from_secs(3), || async {
        told(&world, "auth_failed").await == 26
    })
    .await;
    assert!(world.events().await.len() <= 8);
}

/// What cannot be recorded is not refused but unavailable; and what was refused is told when it can be.
#[tokio::test]
async fn without_its_mark_nothing_is_refused() {
    let world = World::new().await;
    world.set_limit(RateClass::ClientFailure, 1_000_000).await;
    let replica = world.replica().await;
    world.sql("REVOKE INSERT ON outbox FROM credo_auth_api").await;
    for _ in 0..3 {
        wrong_secret(&replica, &world.client)
            .await
            .refuses(503, "temporarily_unavailable");
        unknown_client(&replica).await.refuses(503, "temporarily_unavailable");
        replica
            .sign_in(&world.client, &world.user.email, WRONG)
            .await
            .refuses(503, "temporarily_unavailable");
    }
    assert!(world.events().await.is_empty());
    world.sql("GRANT INSERT ON outbox TO credo_auth_api").await;
    wrong_secret(&replica, &world.client)
        .await
        .refuses(401, "invalid_client");
    assert_eq!(told(&world, "client_auth_failed").await, 1);

    // Windows are open now: later refusals are counted. The counts outlast a database that takes nothing for a while, and
    // no more are taken on once that shows.
    let refused = AtomicU64::new(1);
    let refuse = async || {
        let status = wrong_secret(&replica, &world.client).await.status;
        assert!([401, 503].contains(&status));
        refused.fetch_add(u64::from(status == 401), Ordering::Relaxed);
        status
    };
    for _ in 0..5 {
        assert_eq!(refuse().await, 401);
    }
    world.sql("REVOKE INSERT ON outbox FROM credo_auth_api").await;
    eventually(DEADLINE, || async { refuse().await == 503 }).await;
    for _ in 0..3 {
        assert_eq!(refuse().await, 503);
    }
    world.sql("GRANT INSERT ON outbox TO credo_auth_api").await;
    assert_eq!(refuse().await, 401);
    let refused = refused.into_inner();
    eventually(DEADLINE, || async {
        told(&world, "client_auth_failed").await == refused
    })
    .await;
}

#[tokio::test]
async fn refusal_that_cannot_be_recorded_resets_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    world.sql("REVOKE INSERT ON outbox FROM credo_auth_api").await;
    replica
        .sign_in(&world.client, &world.user.email, WRONG)
        .await
        .refuses(503, "temporarily_unavailable");
    assert_eq!(world.number("SELECT failures::bigint FROM sign_in_attempt").await, 1);
    world.sql("GRANT INSERT ON outbox TO credo_auth_api").await;
    replica.sign_in(&world.client, &world.user.email, PASSWORD).await.ok();
    assert_eq!(world.number("SELECT failures::bigint FROM sign_in_attempt").await, 0);
}
