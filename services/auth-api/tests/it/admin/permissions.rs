//! Who may call what: walked over the methods of the definitions, so that a new one cannot be forgotten.

use std::collections::BTreeSet;

use credo_admin::Permissions;
use credo_proto::{
    DESCRIPTOR_SET,
    admin::v1::{
        Client, CreateClientRequest, CreateTenantRequest, CreateUserRequest, DeleteClientRequest, DeleteTenantRequest,
        DisableClientRequest, DisableUserRequest, EnableClientRequest, EnableUserRequest, GetClientRequest,
        GetTenantRequest, GetUserRequest, ListClientsRequest, ListTenantsRequest, ListTenantsResponse,
        LookUpUserRequest, ResumeTenantRequest, RotateClientSecretRequest, SuspendTenantRequest, Tenant as Named,
        UpdateClientRequest, UpdateTenantRequest, get_tenant_request::By,
    },
};
use prost::Message as _;
use tonic::Code;
use uuid::Uuid;

use super::{ALL_SCOPES, Console, Refused as _, changes::mask};
use crate::support::{ClientSpec, Tenant};

const SERVICES: [&str; 3] = ["TenantService/", "ClientService/", "UserService/"];

/// Path and scope of every method that this server has.
fn methods() -> Vec<(String, String)> {
    let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET).unwrap();
    let ours = |path: &str| SERVICES.iter().any(|service| path.contains(service));
    let methods = permissions.iter().filter(|(path, _)| ours(path));
    methods
        .map(|(path, scope)| (path.to_owned(), scope.to_owned()))
        .collect()
}

#[tokio::test]
async fn every_method_refuses_callers_without_a_good_token() {
    let console = Console::new().await;
    let user = console
        .replica
        .tokens(&console.world.client, &console.world.user)
        .await
        .access;
    let plain = console.token_of(&console.world.client, "read").await;
    let (head, signature) = console.token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for (path, _) in methods() {
        let send = |token| console.server().send(&path, token, Vec::new());
        send(None).await.refused(Code::Unauthenticated);
        for token in ["x", "a.b.c", &user, &plain, &forged] {
            send(Some(token)).await.refused(Code::Unauthenticated);
        }
    }
    assert_eq!(
        console
            .world
            .number("SELECT count(*) FROM outbox WHERE class = 1")
            .await,
        0
    );
}

#[tokio::test]
async fn every_method_needs_its_scope() {
    let console = Console::new().await;
    assert_eq!(methods().len(), 25);
    for (path, scope) in methods() {
        let others: Vec<_> = ALL_SCOPES.split_whitespace().filter(|other| *other != scope).collect();
        let token = console.token_of(&console.admin, &others.join(" ")).await;
        let status = console
            .server()
            .send(&path, Some(&token), Vec::new())
            .await
            .refused(Code::PermissionDenied);
        assert!(status.message().contains(&scope), "{path}: {status:?}");
    }
}

#[tokio::test]
async fn methods_of_other_servers_and_unknown_ones_are_refused() {
    let console = Console::new().await;
    let send = |path| console.server().send(path, Some(&console.token), Vec::new());
    send("/credo.admin.v1.OutboxService/GetOutboxStatus")
        .await
        .refused(Code::PermissionDenied);
    send("/credo.admin.v1.TenantService/DropTenant")
        .await
        .refused(Code::PermissionDenied);
    send("/").await.refused(Code::PermissionDenied);
}

/// Every method that names a tenant, with a message that names this one.
fn messages(tenant: &Tenant, client: &str, user: &str, email: &str) -> Vec<(&'static str, Vec<u8>)> {
    let tenant_id = || tenant.id.to_string();
    let (client_id, user_id) = (|| client.to_owned(), || user.to_owned());
    let create_client = CreateClientRequest {
        tenant_id: tenant_id(),
        display_name: "x".to_owned(),
        grant_types: vec!["client_credentials".to_owned()],
        ..Default::default()
    };
    let create_user = CreateUserRequest {
        tenant_id: tenant_id(),
        email: "eve@evil.example".to_owned(),
        ..Default::default()
    };
    let list = ListClientsRequest {
        tenant_id: tenant_id(),
        ..Default::default()
    };
    let (by, email, reason) = (Some(By::TenantId(tenant_id())), email.to_owned(), || {
        "a reason".to_owned()
    });
    #[rustfmt::skip]
    let messages = vec![
        ("TenantService/GetTenant", GetTenantRequest { by }.encode_to_vec()),
        ("TenantService/UpdateTenant", UpdateTenantRequest { tenant: Some(Named { tenant_id: tenant_id(), display_name: "x".to_owned(), ..Default::default() }), update_mask: mask(&["display_name"]), ..Default::default() }.encode_to_vec()),
        ("TenantService/SuspendTenant", SuspendTenantRequest { tenant_id: tenant_id(), reason: reason(), ..Default::default() }.encode_to_vec()),
        ("TenantService/ResumeTenant", ResumeTenantRequest { tenant_id: tenant_id(), ..Default::default() }.encode_to_vec()),
        ("TenantService/DeleteTenant", DeleteTenantRequest { tenant_id: tenant_id(), reason: reason(), ..Default::default() }.encode_to_vec()),
        ("ClientService/UpdateClient", UpdateClientRequest { client: Some(Client { tenant_id: tenant_id(), client_id: client_id(), display_name: "x".to_owned(), ..Default::default() }), update_mask: mask(&["display_name"]), ..Default::default() }.encode_to_vec()),
        ("ClientService/DeleteClient", DeleteClientRequest { tenant_id: tenant_id(), client_id: client_id(), reason: reason(), ..Default::default() }.encode_to_vec()),
        ("ClientService/RotateClientSecret", RotateClientSecretRequest { tenant_id: tenant_id(), client_id: client_id(), ..Default::default() }.encode_to_vec()),
        ("ClientService/CreateClient", create_client.encode_to_vec()),
        ("ClientService/GetClient", GetClientRequest { tenant_id: tenant_id(), client_id: client_id() }.encode_to_vec()),
        ("ClientService/ListClients", list.encode_to_vec()),
        ("ClientService/DisableClient", DisableClientRequest { tenant_id: tenant_id(), client_id: client_id(), ..Default::default() }.encode_to_vec()),
        ("ClientService/EnableClient", EnableClientRequest { tenant_id: tenant_id(), client_id: client_id(), ..Default::default() }.encode_to_vec()),
        ("UserService/CreateUser", create_user.encode_to_vec()),
        ("UserService/GetUser", GetUserRequest { tenant_id: tenant_id(), user_id: user_id() }.encode_to_vec()),
        ("UserService/LookUpUser", LookUpUserRequest { tenant_id: tenant_id(), email }.encode_to_vec()),
        ("UserService/DisableUser", DisableUserRequest { tenant_id: tenant_id(), user_id: user_id(), ..Default::default() }.encode_to_vec()),
        ("UserService/EnableUser", EnableUserRequest { tenant_id: tenant_id(), user_id: user_id(), ..Default::default() }.encode_to_vec()),
    ];
    messages
}

#[tokio::test]
async fn other_tenants_do_not_exist_for_a_tenants_own_administrator() {
    let console = Console::new().await;
    let world = &console.world;
    let other = world.add_tenant("other").await;
    let client = world.add_client_of(&other, ClientSpec::default()).await.id.to_string();
    let user = world
        .add_user_of(&other, "bob@other.example", None)
        .await
        .id
        .to_string();
    let (_, token) = console.tenant_admin(&world.tenant).await;
    let rows = "SELECT count(*) + sum(version)::bigint FROM client";
    let before = world.number(rows).await;

    let absent = Tenant {
        id: credo_ids::TenantId::now_v7(),
        slug: "absent".to_owned(),
    };
    let existing = messages(&other, &client, &user, "bob@other.example");
    let missing = messages(&absent, &client, &user, "bob@other.example");
    for ((method, message), (_, of_nothing)) in existing.iter().zip(missing) {
        let path = format!("/credo.admin.v1.{method}");
        let send = |message: Vec<u8>| console.server().send(&path, Some(&token), message);
        let hidden = send(message.clone()).await.refused(Code::NotFound);
        let missing = send(of_nothing).await.refused(Code::NotFound);
        assert_eq!(hidden.message(), missing.message(), "{method}");
    }
    assert_eq!(world.number(rows).await, before);
    assert_eq!(world.number("SELECT count(*) FROM outbox WHERE class = 1").await, 0);

    let walked: BTreeSet<String> = existing
        .iter()
        .map(|(method, _)| format!("/credo.admin.v1.{method}"))
        .collect();
    let all: BTreeSet<String> = methods().into_iter().map(|(path, _)| path).collect();
    let apart = ["CreateTenant", "ListTenants"].map(|method| format!("/credo.admin.v1.TenantService/{method}"));
    assert_eq!(all.difference(&walked).cloned().collect::<Vec<_>>(), apart);
}

#[tokio::test]
async fn objects_of_another_tenant_are_not_found_under_ones_own() {
    let console = Console::new().await;
    let world = &console.world;
    let other = world.add_tenant("other").await;
    let client = world.add_client_of(&other, ClientSpec::default()).await.id.to_string();
    let user = world
        .add_user_of(&other, "bob@other.example", None)
        .await
        .id
        .to_string();
    let (_, token) = console.tenant_admin(&world.tenant).await;
    let of_objects = |method: &&str| {
        [
            "Get",
            "Disable",
            "Enable",
            "LookUp",
            "UpdateClient",
            "DeleteClient",
            "Rotate",
        ]
        .iter()
        .any(|verb| method.contains(verb))
    };
    for token in [&token, &console.token] {
        for (method, message) in messages(&world.tenant, &client, &user, "bob@other.example") {
            if !of_objects(&method) || method.contains("GetTenant") {
                continue;
            }
            let path = format!("/credo.admin.v1.{method}");
            let hidden = console
                .server()
                .send(&path, Some(token), message)
                .await
                .refused(Code::NotFound);
            let random = Uuid::new_v4().to_string();
            let message = messages(&world.tenant, &random, &random, "nobody@other.example");
            let message = message.into_iter().find(|(other, _)| *other == method).unwrap().1;
            let missing = console
                .server()
                .send(&path, Some(token), message)
                .await
                .refused(Code::NotFound);
            assert_eq!(hidden.message(), missing.message(), "{method}");
        }
    }
    assert_eq!(world.number("SELECT count(*) FROM client WHERE status = 2").await, 0);
}

#[tokio::test]
async fn a_tenants_own_administrator_makes_no_tenants_and_lists_its_own_alone() {
    let console = Console::new().await;
    let world = &console.world;
    world.add_tenant("other").await;
    let (_, token) = console.tenant_admin(&world.tenant).await;
    let create = CreateTenantRequest {
        slug: "mine".to_owned(),
        display_name: "Mine".to_owned(),
        ..Default::default()
    };
    let refused = console
        .call_as::<()>(&token, "TenantService/CreateTenant", create)
        .await;
    refused.refused(Code::PermissionDenied);
    let list = ListTenantsRequest::default();
    let own: ListTenantsResponse = console
        .call_as(&token, "TenantService/ListTenants", list)
        .await
        .unwrap();
    let all: ListTenantsResponse = console.call("TenantService/ListTenants", list_all()).await.unwrap();
    let slugs = |list: ListTenantsResponse| list.tenants.into_iter().map(|tenant| tenant.slug).collect::<Vec<_>>();
    assert_eq!(slugs(own), ["demo"]);
    assert_eq!(slugs(all), ["system", "demo", "other"]);
    let by = Some(By::Slug("other".to_owned()));
    let hidden = console
        .call_as::<()>(&token, "TenantService/GetTenant", GetTenantRequest { by })
        .await;
    hidden.refused(Code::NotFound);
}

fn list_all() -> ListTenantsRequest {
    ListTenantsRequest {
        page_size: 1_000,
        ..Default::default()
    }
}
