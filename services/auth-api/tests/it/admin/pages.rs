//! Lists in pages.

use credo_ids::TenantId;
use credo_proto::admin::v1::{ListClientsRequest, ListClientsResponse, ListTenantsRequest, ListTenantsResponse};
use tonic::Code;

use super::{Console, Refused as _};
use crate::support::ClientSpec;

fn clients(tenant: TenantId, page_size: i32, page_token: &str) -> ListClientsRequest {
    ListClientsRequest {
        tenant_id: tenant.to_string(),
        page_size,
        page_token: page_token.to_owned(),
    }
}

#[tokio::test]
async fn pages_hold_every_client_once_in_order_of_creation() {
    let console = Console::new().await;
    let world = &console.world;
    let mut expected = vec![world.client.id.to_string()];
    for _ in 0..4 {
        expected.push(world.add_client(ClientSpec::default()).await.id.to_string());
    }
    for size in [1, 2, 5, 6, 2_000, 0] {
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let request = clients(world.tenant.id, size, &token);
            let page: ListClientsResponse = console.call("ClientService/ListClients", request).await.unwrap();
            assert!(size == 0 || page.clients.len() <= size.try_into().unwrap());
            seen.extend(page.clients.into_iter().map(|client| client.client_id));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, expected, "{size}");
    }
}

#[tokio::test]
async fn a_page_token_is_good_for_its_own_list_alone() {
    let console = Console::new().await;
    let world = &console.world;
    world.add_client(ClientSpec::default()).await;
    let other = world.add_tenant("other").await;
    let call = |request| console.call::<ListClientsResponse>("ClientService/ListClients", request);
    let token = call(clients(world.tenant.id, 1, "")).await.unwrap().next_page_token;
    assert!(!token.is_empty());
    call(clients(world.tenant.id, 5, &token)).await.unwrap();
    call(clients(other.id, 1, &token)).await.refused(Code::InvalidArgument);
    call(clients(world.tenant.id, 1, "nonsense"))
        .await
        .refused(Code::InvalidArgument);
    call(clients(world.tenant.id, -1, ""))
        .await
        .refused(Code::InvalidArgument);
    call(clients(TenantId::now_v7(), 1, "")).await.refused(Code::NotFound);
    let list = ListTenantsRequest {
        page_size: 1,
        page_token: token,
    };
    console
        .call::<ListTenantsResponse>("TenantService/ListTenants", list)
        .await
        .refused(Code::InvalidArgument);
}

#[tokio::test]
async fn tenants_come_in_pages() {
    let console = Console::new().await;
    console.world.add_tenant("other").await;
    let (mut slugs, mut page_token) = (Vec::new(), String::new());
    loop {
        let list = ListTenantsRequest {
            page_size: 2,
            page_token,
        };
        let page: ListTenantsResponse = console.call("TenantService/ListTenants", list).await.unwrap();
        slugs.extend(page.tenants.into_iter().map(|tenant| tenant.slug));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(slugs, ["system", "demo", "other"]);
}
