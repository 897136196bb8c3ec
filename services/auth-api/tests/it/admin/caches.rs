//! What is kept, as administrators see it.

use credo_clock::SystemClock;
use credo_proto::admin::v1::{
    GetCacheStatsRequest, GetCacheStatsResponse, InvalidateCacheRequest, InvalidateCacheResponse,
};
use credo_testkit::eventually;
use tonic::{Code, Status};

use super::{Console, Refused as _};
use crate::support::ReplicaSpec;

const DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);

async fn invalidate(console: &Console, request: InvalidateCacheRequest) -> Result<InvalidateCacheResponse, Status> {
    console.call("CacheService/InvalidateCache", request).await
}

fn of_tenant(console: &Console) -> InvalidateCacheRequest {
    InvalidateCacheRequest {
        tenant_id: console.world.tenant.id.to_string(),
        reason: "a row was mended by hand".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn every_replica_reads_again_what_was_changed_by_hand() {
    let console = Console::new().await;
    let world = &console.world;
    let spec = ReplicaSpec {
        clock: Some(SystemClock::new()),
        ..ReplicaSpec::default()
    };
    let other = world.replica_with(spec).await;
    let (tenant, client) = (world.tenant.id, world.client.id);
    let name = async || {
        other
            .app
            .directory
            .resolve_client(client)
            .await
            .unwrap()
            .unwrap()
            .display_name
            .clone()
    };
    for (round, of) in ["client", "tenant", "everything"].into_iter().enumerate() {
        let before = name().await;
        let wanted = format!("mended {round}");
        world
            .sql(&format!(
                "UPDATE client SET display_name = '{wanted}' WHERE id = '{client}'"
            ))
            .await;
        assert_eq!(name().await, before, "no statement and no feed told of it");
        let mut request = of_tenant(&console);
        match of {
            "client" => request.client_id = client.to_string(),
            "tenant" => {}
            _ => (request.tenant_id, request.everything) = (String::new(), true),
        }
        invalidate(&console, request).await.unwrap();
        eventually(DEADLINE, || async { name().await == wanted }).await;
    }
    let told = world.event_types().await;
    assert_eq!(told.iter().filter(|name| *name == "cache_invalidated").count(), 3);

    // Nothing is told of what is only checked, or refused.
    let footprint = world.footprint().await;
    let question = InvalidateCacheRequest {
        validate_only: true,
        ..of_tenant(&console)
    };
    invalidate(&console, question).await.unwrap();
    let both = InvalidateCacheRequest {
        everything: true,
        ..of_tenant(&console)
    };
    invalidate(&console, both).await.refused(Code::InvalidArgument);
    let without_reason = InvalidateCacheRequest {
        reason: String::new(),
        ..of_tenant(&console)
    };
    invalidate(&console, without_reason)
        .await
        .refused(Code::InvalidArgument);
    assert_eq!(world.footprint().await, footprint);
    assert!(
        other
            .app
            .directory
            .resolve_tenant("demo")
            .await
            .unwrap()
            .is_some_and(|found| found.id == tenant)
    );
}

#[tokio::test]
async fn stats_are_those_of_the_replica_that_answers() {
    let console = Console::new().await;
    let answer: GetCacheStatsResponse = console
        .call("CacheService/GetCacheStats", GetCacheStatsRequest {})
        .await
        .unwrap();
    assert_eq!(answer.redis, "none");
    let shown: Vec<_> = answer
        .caches
        .iter()
        .map(|stats| (stats.cache.as_str(), stats.level.as_str()))
        .collect();
    let expected = [
        ("client", "memory"),
        ("client", "redis"),
        ("tenant", "memory"),
        ("user", "memory"),
        ("user", "redis"),
        ("account", "memory"),
        ("origin", "memory"),
        ("token", "memory"),
        ("revoked", "redis"),
    ];
    assert_eq!(shown, expected);
    let clients = &answer.caches[0];
    assert!(clients.hits + clients.misses > 0, "{clients:?}");
}
