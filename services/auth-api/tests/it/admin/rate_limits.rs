//! Rate limits: whose holds.

use credo_ids::ClientId;
use credo_proto::admin::v1::{GetRateLimitsRequest, GetRateLimitsResponse, RateClass};
use tonic::{Code, Status};

use super::{Console, Refused as _};

async fn get(console: &Console, client: &str) -> Result<Vec<(RateClass, i32, String)>, Status> {
    let request = GetRateLimitsRequest {
        tenant_id: console.world.tenant.id.to_string(),
        client_id: client.to_owned(),
    };
    let answer: GetRateLimitsResponse = console.call("RateLimitService/GetRateLimits", request).await?;
    let limits = answer.rate_limits.into_iter();
    Ok(limits
        .map(|limit| (limit.rate_class(), limit.requests_per_minute, limit.source))
        .collect())
}

fn told(limits: [(RateClass, i32, &str); 4]) -> Vec<(RateClass, i32, String)> {
    limits
        .map(|(class, limit, source)| (class, limit, source.to_owned()))
        .into()
}

#[tokio::test]
async fn a_clients_own_limit_stands_before_the_tenants_and_that_before_the_default() {
    let console = Console::new().await;
    let world = &console.world;
    let default = told([
        (RateClass::Auth, 10, "default"),
        (RateClass::Sensitive, 30, "default"),
        (RateClass::Read, 100, "default"),
        (RateClass::Address, 100_000, "default"), // what the replica was set to
    ]);
    let client = world.client.id.to_string();
    assert_eq!(get(&console, "").await.unwrap(), default);
    assert_eq!(get(&console, &client).await.unwrap(), default);
    let other = world.add_tenant("other").await;
    let insert = format!(
        "INSERT INTO rate_limit (tenant_id, client_id, class, per_minute)
         VALUES ('{0}', NULL, 1, 20), ('{0}', '{client}', 1, 5), ('{0}', '{client}', 2, 60), ('{0}', NULL, 4, 7),
                ('{1}', NULL, 3, 1)",
        world.tenant.id, other.id
    );
    world.sql(&insert).await;
    let tenants = told([
        (RateClass::Auth, 20, "tenant"),
        (RateClass::Sensitive, 30, "default"),
        (RateClass::Read, 100, "default"),
        (RateClass::Address, 7, "tenant"),
    ]);
    assert_eq!(get(&console, "").await.unwrap(), tenants);
    let clients = told([
        (RateClass::Auth, 5, "client"),
        (RateClass::Sensitive, 60, "client"),
        (RateClass::Read, 100, "default"),
        (RateClass::Address, 7, "tenant"),
    ]);
    assert_eq!(get(&console, &client).await.unwrap(), clients);
    get(&console, &ClientId::now_v7().to_string())
        .await
        .refused(Code::NotFound);
    get(&console, &console.admin.id.to_string())
        .await
        .refused(Code::NotFound);
    get(&console, "x\u{0}").await.refused(Code::InvalidArgument);
}
