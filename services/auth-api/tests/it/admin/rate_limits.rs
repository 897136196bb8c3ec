//! Rate limits: whose holds.

use credo_ids::ClientId;
use credo_proto::{
    admin::v1::{
        GetRateLimitsRequest, GetRateLimitsResponse, RateClass, RateLimit, SetRateLimitRequest, SetRateLimitResponse,
    },
    events::v1::core::Details,
};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{Console, Refused as _};
use crate::support::PASSWORD;

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

fn told(limits: [(RateClass, i32, &str); 6]) -> Vec<(RateClass, i32, String)> {
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
        (RateClass::Client, 600, "default"),
        (RateClass::ClientFailure, 30, "default"),
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
        (RateClass::Client, 600, "default"),
        (RateClass::ClientFailure, 30, "default"),
    ]);
    assert_eq!(get(&console, "").await.unwrap(), tenants);
    let clients = told([
        (RateClass::Auth, 5, "client"),
        (RateClass::Sensitive, 60, "client"),
        (RateClass::Read, 100, "default"),
        (RateClass::Address, 7, "tenant"),
        (RateClass::Client, 600, "default"),
        (RateClass::ClientFailure, 30, "default"),
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

fn request(console: &Console, class: RateClass, requests_per_minute: i32) -> SetRateLimitRequest {
    SetRateLimitRequest {
        tenant_id: console.world.tenant.id.to_string(),
        rate_class: class.into(),
        requests_per_minute,
        ..Default::default()
    }
}

async fn set(console: &Console, request: SetRateLimitRequest) -> Result<RateLimit, Status> {
    let answer: SetRateLimitResponse = console.call("RateLimitService/SetRateLimit", request).await?;
    Ok(answer.rate_limit.unwrap())
}

#[tokio::test]
async fn a_limit_is_set_and_removed_and_the_trail_tells_both() {
    let console = Console::new().await;
    let world = &console.world;
    let shown = |limit: RateLimit| (limit.requests_per_minute, limit.source);
    let question = SetRateLimitRequest {
        validate_only: true,
        ..request(&console, RateClass::Read, 7)
    };
    assert_eq!(shown(set(&console, question).await.unwrap()), (7, "tenant".to_owned()));
    assert_eq!(world.number("SELECT count(*) FROM rate_limit").await, 0);
    let once = SetRateLimitRequest {
        request_id: Uuid::new_v4().to_string(),
        ..request(&console, RateClass::Read, 7)
    };
    for _ in 0..2 {
        assert_eq!(
            shown(set(&console, once.clone()).await.unwrap()),
            (7, "tenant".to_owned())
        );
    }
    let reused = SetRateLimitRequest {
        requests_per_minute: 8,
        ..once
    };
    set(&console, reused).await.refused(Code::InvalidArgument);
    set(&console, request(&console, RateClass::Read, 7)).await.unwrap();
    let own = |number| SetRateLimitRequest {
        client_id: world.client.id.to_string(),
        ..request(&console, RateClass::Read, number)
    };
    assert_eq!(shown(set(&console, own(9)).await.unwrap()), (9, "client".to_owned()));
    assert_eq!(shown(set(&console, own(0)).await.unwrap()), (7, "tenant".to_owned()));
    let removed = set(&console, request(&console, RateClass::Read, 0)).await.unwrap();
    assert_eq!(shown(removed), (100, "default".to_owned()));
    assert_eq!(world.number("SELECT count(*) FROM rate_limit").await, 0);

    let events = world
        .events()
        .await
        .into_iter()
        .filter(|event| event.is("rate_limit_set"));
    let told: Vec<_> = events
        .map(|event| {
            let Some(Details::Change(details)) = event.core.details else {
                panic!("{:?}", event.core);
            };
            let number =
                |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["requests_per_minute"].as_i64();
            (
                details.object,
                number(&details.before_json),
                number(&details.after_json),
            )
        })
        .collect();
    let of = |kind: &str, before, after| (kind.to_owned(), before, after);
    assert_eq!(
        told,
        [
            of("tenant", None, Some(7)),
            of("client", None, Some(9)),
            of("client", Some(9), None),
            of("tenant", Some(7), None),
        ]
    );
}

#[tokio::test]
async fn limits_that_cannot_be_are_refused() {
    let console = Console::new().await;
    let of_client = |class, client: String| SetRateLimitRequest {
        client_id: client,
        ..request(&console, class, 5)
    };
    let cases = [
        (request(&console, RateClass::Unspecified, 5), Code::InvalidArgument),
        (request(&console, RateClass::Auth, -1), Code::InvalidArgument),
        (request(&console, RateClass::Auth, 1_000_001), Code::InvalidArgument),
        (
            of_client(RateClass::Address, console.world.client.id.to_string()),
            Code::InvalidArgument,
        ),
        (of_client(RateClass::Auth, "x\u{0}".to_owned()), Code::InvalidArgument),
        (
            of_client(RateClass::Auth, ClientId::now_v7().to_string()),
            Code::NotFound,
        ),
    ];
    for (request, code) in cases {
        set(&console, request).await.refused(code);
    }
    let nowhere = SetRateLimitRequest {
        tenant_id: credo_ids::TenantId::now_v7().to_string(),
        ..request(&console, RateClass::Auth, 5)
    };
    set(&console, nowhere).await.refused(Code::NotFound);
    assert_eq!(console.world.number("SELECT count(*) FROM rate_limit").await, 0);
}

#[tokio::test]
async fn pw_08_a_tenants_own_limit_of_an_address_holds_from_the_next_sign_in_on() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let sign_in = || replica.sign_in(&world.client, &world.user.email, PASSWORD);
    sign_in().await.ok();
    set(&console, request(&console, RateClass::Address, 2)).await.unwrap();
    sign_in().await.ok();
    sign_in().await.refuses(429, "temporarily_unavailable");
    set(&console, request(&console, RateClass::Address, 0)).await.unwrap();
    sign_in().await.ok();
}
