//! A token whose signature is good is honoured only while nothing has ended it.

use std::time::Duration;

use credo_proto::admin::v1::{DisableClientRequest, DisableClientResponse, ListTenantsRequest, ListTenantsResponse};
use credo_testkit::eventually;
use tonic::{Code, Status};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use super::{
    Console, Refused as _,
    console::{Server, admin_spec},
};

const LIST: &str = "/credo.admin.v1.TenantService/ListTenants";
/// What the design promises.
const REVOCATION_LAG: Duration = Duration::from_secs(1);

async fn list(console: &Console, token: &str) -> Result<ListTenantsResponse, Status> {
    console
        .call_as(token, "TenantService/ListTenants", ListTenantsRequest::default())
        .await
}

#[tokio::test]
async fn a_disabled_administrator_is_refused_at_once_here_and_within_a_second_elsewhere() {
    let console = Console::new().await;
    let elsewhere = console.world.replica().await;
    let server = Server::start(&elsewhere).await;
    let victim = console.world.add_client_of(&console.system, admin_spec()).await;
    let token = console.token_of(&victim, "credo.tenant.read").await;
    server.send(LIST, Some(&token), Vec::new()).await.unwrap();
    list(&console, &token).await.unwrap();

    let disable = DisableClientRequest {
        tenant_id: console.system.id.to_string(),
        client_id: victim.id.to_string(),
        ..Default::default()
    };
    console
        .call::<DisableClientResponse>("ClientService/DisableClient", disable)
        .await
        .unwrap();
    list(&console, &token).await.refused(Code::Unauthenticated);
    eventually(REVOCATION_LAG, || async {
        server.send(LIST, Some(&token), Vec::new()).await.is_err()
    })
    .await;
    server
        .send(LIST, Some(&token), Vec::new())
        .await
        .refused(Code::Unauthenticated);
}

#[tokio::test]
async fn fi_14_where_the_feed_is_too_old_the_rows_are_asked() {
    let console = Console::new().await;
    let token = console.token.clone();
    console.replica.clock.advance(Duration::from_secs(2));
    list(&console, &token).await.unwrap();
    console.world.disable_client(console.admin.id).await;
    console.replica.clock.advance(Duration::from_secs(2));
    list(&console, &token).await.refused(Code::Unauthenticated);
}

#[tokio::test]
async fn a_suspended_tenants_administrators_are_refused() {
    let console = Console::new().await;
    let (_, token) = console.tenant_admin(&console.world.tenant).await;
    list(&console, &token).await.unwrap();
    console.world.suspend_tenant(console.world.tenant.id).await;
    eventually(REVOCATION_LAG, || async { list(&console, &token).await.is_err() }).await;
    list(&console, &token).await.refused(Code::Unauthenticated);
}

#[tokio::test]
async fn health_and_reflection_need_no_token_and_show_what_there_is() {
    let console = Console::new().await;
    let mut health = HealthClient::new(console.server().channel());
    for service in ["", "credo.admin.v1.ClientService"] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        assert_eq!(health.check(request).await.unwrap().into_inner().status, 1);
    }
    let mut reflection = ServerReflectionClient::new(console.server().channel());
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers = reflection
        .server_reflection_info(futures::stream::iter([request]))
        .await
        .unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}");
    };
    let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    names.sort();
    let expected = [
        "credo.admin.v1.CacheService",
        "credo.admin.v1.ClientService",
        "credo.admin.v1.ConsentService",
        "credo.admin.v1.DebugService",
        "credo.admin.v1.RateLimitService",
        "credo.admin.v1.SessionService",
        "credo.admin.v1.SigningKeyService",
        "credo.admin.v1.TenantService",
        "credo.admin.v1.UserService",
        "grpc.health.v1.Health",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn the_server_ends_when_it_is_told_to() {
    let world = crate::support::World::new().await;
    let replica = world.replica().await;
    let mut server = Server::start(&replica).await;
    server.send(LIST, None, Vec::new()).await.refused(Code::Unauthenticated);
    server.shutdown.request();
    server.tasks.join_next().await.unwrap().unwrap().unwrap();
}
