//! Tokens that were verified a moment ago: what that saves, for how long, and that nothing is believed for it. That what ended
//! is refused although it was kept is told with the feed (`feed.rs`) and the keys (`admin/signing_keys.rs`).

use std::time::Duration;

use auth_api::keys::TokenType;
use credo_testkit::eventually;

use crate::support::{Replica, World, claims};

const DEADLINE: Duration = Duration::from_secs(5);

/// Looks into the cache that came to `result`.
fn looks(replica: &Replica, result: &str) -> u64 {
    let families = replica.app.metrics.registry.gather();
    let family = families
        .iter()
        .find(|family| family.name() == "credo_cache_reads_total")
        .unwrap();
    let is = |metric: &&prometheus::proto::Metric| {
        let labels = metric.get_label();
        labels.iter().any(|label| label.value() == "token") && labels.iter().any(|label| label.value() == result)
    };
    let metric = family.get_metric().iter().find(is).unwrap();
    format!("{:.0}", metric.get_counter().get_value()).parse().unwrap()
}

#[tokio::test]
async fn a_token_is_verified_once_in_thirty_seconds() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    for _ in 0..3 {
        replica.userinfo(&tokens.access).await.ok();
    }
    assert!(replica.is_active(&world.client, &tokens.access).await);
    assert_eq!((looks(&replica, "miss"), looks(&replica, "hit")), (1, 3));
    replica.clock.advance(Duration::from_secs(29));
    replica.userinfo(&tokens.access).await.ok();
    let hits = looks(&replica, "hit");
    replica.clock.advance(Duration::from_secs(1));
    replica.userinfo(&tokens.access).await.ok();
    assert_eq!((looks(&replica, "miss"), looks(&replica, "hit")), (2, hits));
}

#[tokio::test]
async fn a_kept_token_expires_and_vouches_for_no_other_text() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let mut short = claims(&tokens.access);
    short["exp"] = (short["exp"].as_i64().unwrap() - 840).into();
    let short = replica.sign(&world.tenant, TokenType::AccessToken, &short).await;
    replica.userinfo(&short).await.ok();
    let at = short.len() - 10;
    let other = if short.as_bytes()[at] == b'A' { "B" } else { "A" };
    let tampered = [&short[..at], other, &short[at + 1..]].concat();
    for _ in 0..2 {
        replica.userinfo(&tampered).await.challenges(401, "invalid_token");
    }
    assert_eq!(looks(&replica, "hit"), 0);
    replica.userinfo(&short).await.ok();
    assert_eq!(looks(&replica, "hit"), 1);
    // Looks fail from here on, so that the time is that of the replica's clock; one may have begun before.
    world.sql("REVOKE SELECT ON outbox_slot FROM credo_auth_api").await;
    eventually(DEADLINE, || async {
        replica.clock.advance(Duration::from_mins(1));
        replica.userinfo(&short).await.status == 401
    })
    .await;
    replica.userinfo(&tokens.access).await.ok();
}
