//! Clients: made, shown, disabled and enabled.

use credo_proto::admin::v1::{
    Client, ClientStatus, CreateClientRequest, CreateClientResponse, DisableClientRequest, DisableClientResponse,
    EnableClientRequest, EnableClientResponse, GetClientRequest, GetClientResponse, RotateClientSecretRequest,
    RotateClientSecretResponse, UpdateClientRequest, UpdateClientResponse,
};
use tonic::Code;

use super::{Console, Refused as _};
use crate::support::{self, Tenant, Tokens};

async fn create(console: &Console, request: CreateClientRequest) -> CreateClientResponse {
    console.call("ClientService/CreateClient", request).await.unwrap()
}

async fn disable(console: &Console, tenant: &Tenant, client: &support::Client) -> Client {
    let request = DisableClientRequest {
        tenant_id: tenant.id.to_string(),
        client_id: client.id.to_string(),
        ..Default::default()
    };
    let answer: DisableClientResponse = console.call("ClientService/DisableClient", request).await.unwrap();
    answer.client.unwrap()
}

async fn enable(console: &Console, tenant: &Tenant, client: &support::Client) -> Client {
    let request = EnableClientRequest {
        tenant_id: tenant.id.to_string(),
        client_id: client.id.to_string(),
        ..Default::default()
    };
    let answer: EnableClientResponse = console.call("ClientService/EnableClient", request).await.unwrap();
    answer.client.unwrap()
}

async fn state(console: &Console, client: &support::Client) -> (i64, i64, i64) {
    let column = |name| format!("SELECT {name}::bigint FROM client WHERE id = '{}'", client.id);
    (
        console.world.number(&column("status")).await,
        console.world.number(&column("epoch")).await,
        console.world.number(&column("version")).await,
    )
}

#[tokio::test]
async fn a_client_gets_the_defaults_and_a_secret_that_works_and_is_shown_once() {
    let console = Console::new().await;
    let tenant_id = console.world.tenant.id.to_string();
    let made = create(
        &console,
        CreateClientRequest {
            tenant_id: tenant_id.clone(),
            display_name: "Shop".to_owned(),
            redirect_uris: vec![support::REDIRECT_URI.to_owned()],
            first_party: true,
            ..Default::default()
        },
    )
    .await;
    let client = made.client.unwrap();
    assert_eq!(client.token_endpoint_auth_method, "client_secret_basic");
    assert_eq!(client.grant_types, ["authorization_code", "refresh_token"]);
    assert_eq!(client.scopes, ["email", "offline_access", "openid", "profile"]);
    assert!(client.require_pkce && client.refresh_grace_seconds == 0);
    assert_eq!(client.application_type, "web");
    assert_eq!(client.id_token_signed_response_alg, "ES256");
    assert_eq!(
        (client.status(), client.create_time),
        (ClientStatus::Active, client.update_time)
    );
    assert!(made.client_secret.starts_with("crs_"));

    let made = support::Client {
        id: client.client_id.parse().unwrap(),
        secret: Some(made.client_secret.clone()),
        method: "client_secret_basic",
    };
    console.replica.tokens(&made, &console.world.user).await;
    let get = GetClientRequest {
        tenant_id,
        client_id: client.client_id.clone(),
    };
    let got: GetClientResponse = console.call("ClientService/GetClient", get).await.unwrap();
    assert_eq!(got.client.unwrap(), client);
    let stored = format!(
        "SELECT count(*) FROM client_secret WHERE client_id = '{}' AND hash = sha256('{}')",
        made.id,
        made.secret.unwrap()
    );
    assert_eq!(console.world.number(&stored).await, 1);
}

#[tokio::test]
async fn a_public_client_has_no_secret() {
    let console = Console::new().await;
    let made = create(
        &console,
        CreateClientRequest {
            tenant_id: console.world.tenant.id.to_string(),
            display_name: "App".to_owned(),
            token_endpoint_auth_method: "none".to_owned(),
            redirect_uris: vec![support::REDIRECT_URI.to_owned(), "com.example.app:/cb".to_owned()],
            allowed_origins: vec!["https://app.example".to_owned()],
            first_party: true,
            ..Default::default()
        },
    )
    .await;
    assert!(made.client_secret.is_empty());
    let client = support::Client {
        id: made.client.unwrap().client_id.parse().unwrap(),
        secret: None,
        method: "none",
    };
    console.replica.tokens(&client, &console.world.user).await;
}

#[tokio::test]
async fn disabling_ends_what_the_client_was_issued_and_enabling_revives_nothing() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let elsewhere = world.replica().await;
    let bystander = world.add_client(support::ClientSpec::default()).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let of_bystander = replica.tokens(&bystander, &world.user).await;
    elsewhere.userinfo(&tokens.access).await.ok();

    let disabled = disable(&console, &world.tenant, &world.client).await;
    assert_eq!(disabled.status(), ClientStatus::Disabled);
    assert_eq!(state(&console, &world.client).await, (2, 2, 2));
    let feed = format!(
        "SELECT count(*) FROM revocation WHERE kind = 5 AND id = '{}' AND epoch = 2",
        world.client.id
    );
    assert_eq!(world.number(&feed).await, 1);
    for replica in [replica, &elsewhere] {
        replica
            .refresh(&world.client, &tokens.refresh)
            .await
            .refuses(401, "invalid_client");
        replica
            .client_credentials(&world.client, None)
            .await
            .refuses(401, "invalid_client");
    }
    replica.userinfo(&tokens.access).await.challenges(401, "invalid_token");
    replica.userinfo(&of_bystander.access).await.ok();

    let enabled = enable(&console, &world.tenant, &world.client).await;
    assert_eq!(enabled.status(), ClientStatus::Active);
    assert_ne!(enabled.etag, disabled.etag);
    assert_eq!(state(&console, &world.client).await, (1, 2, 3));
    replica.assert_dead(&world.client, &tokens).await;
    Tokens::from(
        &replica
            .exchange(&world.client, &replica.code(&world.client, &world.user).await)
            .await,
    );
    replica.refresh(&bystander, &of_bystander.refresh).await.ok();
}

#[tokio::test]
async fn disabling_and_enabling_twice_changes_nothing() {
    let console = Console::new().await;
    let world = &console.world;
    let untouched = enable(&console, &world.tenant, &world.client).await;
    assert_eq!(state(&console, &world.client).await, (1, 1, 1));
    let once = disable(&console, &world.tenant, &world.client).await;
    assert_eq!(disable(&console, &world.tenant, &world.client).await, once);
    assert_eq!(state(&console, &world.client).await, (2, 2, 2));
    assert_ne!(untouched.etag, once.etag);
    let once = enable(&console, &world.tenant, &world.client).await;
    assert_eq!(enable(&console, &world.tenant, &world.client).await, once);
    assert_eq!(world.number("SELECT count(*) FROM outbox WHERE class = 1").await, 2);
    assert_eq!(world.number("SELECT count(*) FROM revocation").await, 1);
}

#[tokio::test]
async fn an_administrator_gives_no_more_than_it_has() {
    let console = Console::new().await;
    let (client, _) = console.tenant_admin(&console.world.tenant).await;
    let token = console.token_of(&client, "credo.client.write credo.user.read").await;
    let request = |scope: &str| CreateClientRequest {
        tenant_id: console.world.tenant.id.to_string(),
        display_name: "Robot".to_owned(),
        grant_types: vec!["client_credentials".to_owned()],
        scopes: scope.split_whitespace().map(ToOwned::to_owned).collect(),
        ..Default::default()
    };
    let create = |scope| console.call_as::<CreateClientResponse>(&token, "ClientService/CreateClient", request(scope));
    create("credo.user.read").await.unwrap();
    create("reports credo.sessions").await.unwrap();
    for more in [
        "credo.tenant.read",
        "credo.user.read credo.user.write",
        "credo.audit.personal",
        "credo.anything",
    ] {
        create(more).await.refused(Code::PermissionDenied);
    }
    let of_system = request("credo.tenant.read credo.audit.read");
    console
        .call::<CreateClientResponse>("ClientService/CreateClient", of_system)
        .await
        .unwrap();
}

/// Neither by making, changing, nor by a new secret; in the tenant `system` as anywhere.
#[tokio::test]
async fn ad_01_nobody_becomes_a_client_that_may_do_more() {
    let console = Console::new().await;
    for tenant in [&console.system, &console.world.tenant] {
        let (strong, _) = console.tenant_admin(tenant).await;
        let (weak, _) = console.tenant_admin(tenant).await;
        let token = console.token_of(&weak, "credo.client.write").await;
        let (tenant_id, client_id) = (tenant.id.to_string(), strong.id.to_string());
        let create = CreateClientRequest {
            tenant_id: tenant_id.clone(),
            display_name: "Robot".to_owned(),
            grant_types: vec!["client_credentials".to_owned()],
            scopes: vec!["credo.user.write".to_owned()],
            ..Default::default()
        };
        let rotate = RotateClientSecretRequest {
            tenant_id: tenant_id.clone(),
            client_id: client_id.clone(),
            ..Default::default()
        };
        let update = UpdateClientRequest {
            client: Some(Client {
                tenant_id: tenant_id.clone(),
                client_id: client_id.clone(),
                redirect_uris: vec!["https://attacker.example/callback".to_owned()],
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["redirect_uris".to_owned()],
            }),
            ..Default::default()
        };
        let before = console
            .world
            .number("SELECT count(*) FROM outbox WHERE class = 1")
            .await;
        let answer = console.call_as::<CreateClientResponse>(&token, "ClientService/CreateClient", create);
        answer.await.refused(Code::PermissionDenied);
        let answer = console.call_as::<RotateClientSecretResponse>(&token, "ClientService/RotateClientSecret", rotate);
        answer.await.refused(Code::PermissionDenied);
        let answer = console.call_as::<UpdateClientResponse>(&token, "ClientService/UpdateClient", update);
        answer.await.refused(Code::PermissionDenied);
        let after = console
            .world
            .number("SELECT count(*) FROM outbox WHERE class = 1")
            .await;
        assert_eq!(before, after);
        // The emergency exit asks for nothing more.
        let disable = DisableClientRequest {
            tenant_id,
            client_id,
            ..Default::default()
        };
        let answer = console.call_as::<DisableClientResponse>(&token, "ClientService/DisableClient", disable);
        answer.await.unwrap();
    }
}
