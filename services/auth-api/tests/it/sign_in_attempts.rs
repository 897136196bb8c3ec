//! Attempts are counted before anything is hashed, and an account that fails too often waits.

use std::time::Duration;

use futures::future::join_all;

use crate::support::{Answer, Browser, Call, ClientSpec, PASSWORD, Replica, ReplicaSpec, World, sign_in_body};

/// Failures that cost no wait; the next one starts it.
const FREE_FAILURES: usize = 10;
const WRONG: &str = "a wrong password, surely";

async fn wait_is_over(world: &World) {
    world
        .sql("UPDATE sign_in_attempt SET next_at = now() - interval '1 second'")
        .await;
}

#[tokio::test]
async fn pw_05_too_many_failures_wait_and_success_resets() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (client, email) = (&world.client, world.user.email.as_str());
    for _ in 0..2 {
        for _ in 0..FREE_FAILURES - 1 {
            replica
                .sign_in(client, email, WRONG)
                .await
                .refuses(400, "invalid_grant");
        }
        replica.sign_in(client, email, PASSWORD).await.ok();
    }
    assert_eq!(world.number("SELECT failures::bigint FROM sign_in_attempt").await, 0);
    for _ in 0..=FREE_FAILURES {
        replica
            .sign_in(client, email, WRONG)
            .await
            .refuses(400, "invalid_grant");
    }
    for password in [WRONG, PASSWORD] {
        let answer = replica.sign_in(client, email, password).await;
        answer.refuses(429, "temporarily_unavailable");
        assert!(["1", "2"].contains(&answer.header("retry-after").unwrap()));
    }
    wait_is_over(&world).await;
    replica.sign_in(client, email, PASSWORD).await.ok();
    replica.sign_in(client, email, PASSWORD).await.ok();
}

#[tokio::test]
async fn account_that_does_not_exist_waits_as_well() {
    let world = World::new().await;
    let replica = world.replica().await;
    let mut statuses = Vec::new();
    for _ in 0..FREE_FAILURES + 2 {
        statuses.push(
            replica
                .sign_in(&world.client, "nobody@demo.example", WRONG)
                .await
                .status,
        );
    }
    assert_eq!(statuses.split_off(FREE_FAILURES + 1), [429]);
    assert_eq!(statuses, [400; FREE_FAILURES + 1]);
    replica.sign_in(&world.client, &world.user.email, PASSWORD).await.ok();
}

#[tokio::test]
async fn pw_05_parallel_guesses_get_no_more_through() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let guesses = (0..30).map(|number| {
        let replica = if number % 2 == 0 { &one } else { &two };
        replica.sign_in(&world.client, &world.user.email, WRONG)
    });
    let answers = join_all(guesses).await;
    // Each one that got through later than the wait of the first ones started a longer wait, which is over no sooner
    // than 2, 6, 14, 30 seconds after: while a guess takes less than six, one more at most.
    let let_through = answers.iter().filter(|answer| answer.status == 400).count();
    assert!(
        (FREE_FAILURES + 1..=FREE_FAILURES + 2).contains(&let_through),
        "{let_through}"
    );
    assert!(answers.iter().all(|answer| [400, 429].contains(&answer.status)));
}

#[tokio::test]
async fn person_signs_in_in_many_places_at_once() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    for _ in 0..3 {
        let sign_ins = (0..8).map(|number| {
            let replica = if number % 2 == 0 { &one } else { &two };
            replica.sign_in(&world.client, &world.user.email, PASSWORD)
        });
        for answer in join_all(sign_ins).await {
            answer.ok();
        }
    }
}

#[tokio::test]
async fn attempt_is_counted_before_anything_is_hashed() {
    let world = World::new().await;
    // Takes a while to check, and is nobody's.
    let slow = "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    world.sql(&format!("UPDATE password SET hash = '{slow}'")).await;
    let replica = world.replica().await;
    let counted = "SELECT count(*) FROM sign_in_attempt WHERE failures = 1";
    let mut seen = false;
    // Looking may take longer than hashing once, but not each time.
    for _ in 0..20 {
        let mut signing_in = Box::pin(replica.sign_in(&world.client, &world.user.email, WRONG));
        let mut answer = None;
        while answer.is_none() && !seen {
            tokio::select! {
                done = &mut signing_in => answer = Some(done),
                count = world.number(counted) => seen = count == 1,
            }
        }
        let answer = match answer {
            Some(answer) => answer,
            None => signing_in.await,
        };
        answer.refuses(400, "invalid_grant");
        if seen {
            return;
        }
        world.sql("DELETE FROM sign_in_attempt").await;
    }
    panic!("no attempt was counted before its answer");
}

/// A sign-in that says which device it comes from.
async fn sign_in_from(replica: &Replica, world: &World, device: Option<&str>, password: &str) -> Answer {
    let mut body = sign_in_body(&world.client, &world.user.email);
    body["proof"]["password"] = password.into();
    if let Some(device) = device {
        body["device_id"] = device.into();
    }
    replica.authorize(&world.client, body).await
}

#[tokio::test]
async fn pw_05_after_a_hundred_failures_only_a_known_device_gets_through() {
    let world = World::new().await;
    let replica = world.replica().await;
    let first = sign_in_from(&replica, &world, None, PASSWORD).await.ok();
    let owner = first["device_id"].as_str().unwrap();
    let mut let_through = 0;
    for _ in 0..105 {
        let answer = sign_in_from(&replica, &world, None, WRONG).await;
        assert!([400, 429].contains(&answer.status));
        let_through += usize::from(answer.status == 400);
        wait_is_over(&world).await;
    }
    assert_eq!(let_through, 100);
    // Right or wrong, over JSON and over the page: the same answer, and no wait that ends it.
    let browser = Browser::new(&replica);
    let page = browser.get("/t/demo/sign-in").await;
    for password in [PASSWORD, WRONG] {
        let answer = sign_in_from(&replica, &world, None, password).await;
        answer.refuses(429, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), Some("900"));
        let answer = browser.fill_sign_in(&page, &world.user.email, password).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("900")));
    }
    let stranger = uuid::Uuid::new_v4().to_string();
    let answer = sign_in_from(&replica, &world, Some(&stranger), PASSWORD).await;
    answer.refuses(429, "temporarily_unavailable");
    // The owner's device never waited, and its success ends the lock for everybody.
    sign_in_from(&replica, &world, Some(owner), PASSWORD).await.ok();
    sign_in_from(&replica, &world, None, PASSWORD).await.ok();
}

#[tokio::test]
async fn pw_08_attacker_delays_only_themself() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    for _ in 0..20 {
        sign_in_from(&replica, &world, None, WRONG).await;
    }
    sign_in_from(&replica, &world, None, PASSWORD)
        .await
        .refuses(429, "temporarily_unavailable");
    browser.sign_in_to("demo", &world.user).await;
}

#[tokio::test]
async fn pw_08_an_address_waits_by_itself_and_with_one_tenant() {
    let world = World::new().await;
    let other = world.add_tenant("other").await;
    let elsewhere = world.add_client_of(&other, ClientSpec::default()).await;
    let spec = ReplicaSpec {
        attempts_per_address: 3,
        ..ReplicaSpec::default()
    };
    let replica = world.replica_with(spec).await;
    for number in 0..3 {
        let email = format!("nobody{number}@demo.example");
        replica
            .sign_in(&world.client, &email, WRONG)
            .await
            .refuses(400, "invalid_grant");
    }
    // Whoever it is and whatever they know, over JSON and over the page. Nothing is counted for the account, or written.
    let before = world.footprint().await;
    let answer = replica.sign_in(&world.client, &world.user.email, PASSWORD).await;
    answer.refuses(429, "temporarily_unavailable");
    let waits: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&waits), "{waits}");
    let browser = Browser::new(&replica);
    let page = browser.get("/t/demo/sign-in").await;
    let answer = browser.fill_sign_in(&page, &world.user.email, PASSWORD).await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(world.footprint().await, before);
    // Another tenant, another address.
    replica
        .sign_in(&elsewhere, "nobody@other.example", WRONG)
        .await
        .refuses(400, "invalid_grant");
    let call = || {
        let (id, secret) = (world.client.id.to_string(), world.client.secret.as_deref().unwrap());
        Call::json("/auth/authorize", sign_in_body(&world.client, &world.user.email)).basic(&id, secret)
    };
    replica.send_from([192, 0, 2, 2], call()).await.ok();
    replica.clock.advance(Duration::from_mins(1));
    browser.sign_in_to("demo", &world.user).await;
}
