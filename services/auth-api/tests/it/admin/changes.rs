//! What every change has in common: made once whoever calls how often, in the version that the caller saw, or not at all.

use std::collections::BTreeSet;

use credo_proto::admin::v1::{
    Client, CreateClientRequest, CreateClientResponse, CreateTenantRequest, CreateTenantResponse, CreateUserRequest,
    CreateUserResponse, DeleteClientRequest, DeleteClientResponse, DeleteTenantRequest, DeleteTenantResponse,
    DisableClientRequest, DisableClientResponse, EnableClientRequest, GetClientRequest, GetClientResponse,
    ResumeTenantRequest, RotateClientSecretRequest, RotateClientSecretResponse, SuspendTenantRequest, Tenant,
    UpdateClientRequest, UpdateClientResponse, UpdateTenantRequest,
};
use futures::future::join_all;
use prost::Message;
use prost_types::FieldMask;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::{Console, Refused as _, console::Server};
use crate::support::{ClientSpec, Loss, Proxy, Replica, ReplicaSpec, World};

/// Calls at one time.
const CALLERS: usize = 20;

fn robot(console: &Console, request_id: &str) -> CreateClientRequest {
    CreateClientRequest {
        tenant_id: console.world.tenant.id.to_string(),
        display_name: "Robot".to_owned(),
        grant_types: vec!["client_credentials".to_owned()],
        request_id: request_id.to_owned(),
        ..Default::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as the message holds it")]
pub fn mask(paths: &[&str]) -> Option<FieldMask> {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Some(FieldMask { paths })
}

/// The reason that a refusal gives to programs.
#[track_caller]
pub fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().expect("google.rpc.ErrorInfo");
    assert_eq!(info.domain, "credo");
    info.reason.clone()
}

async fn rename(console: &Console, client: &str, name: &str, etag: &str) -> Result<Client, Status> {
    let update = UpdateClientRequest {
        client: Some(Client {
            tenant_id: console.world.tenant.id.to_string(),
            client_id: client.to_owned(),
            display_name: name.to_owned(),
            etag: etag.to_owned(),
            ..Default::default()
        }),
        update_mask: mask(&["display_name"]),
        ..Default::default()
    };
    let answer: UpdateClientResponse = console.call("ClientService/UpdateClient", update).await?;
    Ok(answer.client.unwrap())
}

async fn get(console: &Console, client: &str) -> Client {
    let get = GetClientRequest {
        tenant_id: console.world.tenant.id.to_string(),
        client_id: client.to_owned(),
    };
    let answer: GetClientResponse = console.call("ClientService/GetClient", get).await.unwrap();
    answer.client.unwrap()
}

#[tokio::test]
async fn parallel_calls_of_one_request_id_make_one_thing_and_one_event() {
    let world = World::new().await;
    let spec = ReplicaSpec {
        cold_connections: 12,
        ..ReplicaSpec::default()
    };
    let replica = world.replica_with(spec).await;
    let console = Console::over(world, replica).await;
    let elsewhere = console.world.replica().await;
    let other = Server::start(&elsewhere).await;
    let request = robot(&console, &Uuid::new_v4().to_string()).encode_to_vec();
    let path = "/credo.admin.v1.ClientService/CreateClient";
    let calls = (0..CALLERS).map(|caller| {
        let server = if caller % 4 == 0 { &other } else { console.server() };
        server.send(path, Some(&console.token), request.clone())
    });
    let answers = join_all(calls).await.into_iter().map(|answer| {
        let answer = answer.unwrap();
        CreateClientResponse::decode(answer.as_slice()).unwrap()
    });
    let answers: Vec<_> = answers.collect();
    let ids: BTreeSet<_> = answers
        .iter()
        .map(|answer| &answer.client.as_ref().unwrap().client_id)
        .collect();
    let secrets = answers.iter().filter(|answer| !answer.client_secret.is_empty()).count();
    assert_eq!((ids.len(), secrets), (1, 1));
    let made = "SELECT count(*) FROM client WHERE display_name = 'Robot'";
    assert_eq!(console.world.number(made).await, 1);
    assert_eq!(told(&console, "client_created").await, 1);
}

async fn told(console: &Console, kind: &str) -> usize {
    console
        .world
        .event_types()
        .await
        .iter()
        .filter(|other| *other == kind)
        .count()
}

#[tokio::test]
async fn an_etag_race_has_one_winner() {
    let world = World::new().await;
    let spec = ReplicaSpec {
        cold_connections: 8,
        ..ReplicaSpec::default()
    };
    let replica = world.replica_with(spec).await;
    let console = Console::over(world, replica).await;
    let client = console.world.client.id.to_string();
    let etag = get(&console, &client).await.etag;
    let names: Vec<_> = (0..8).map(|number| format!("Name {number}")).collect();
    let outcomes = join_all(names.iter().map(|name| rename(&console, &client, name, &etag))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for loser in lost {
        assert_eq!(reason(&loser.refused(Code::Aborted)), "ETAG_MISMATCH");
    }
    assert_eq!(told(&console, "client_updated").await, 1);
    let now = get(&console, &client).await;
    assert_eq!(now.display_name, won[0].as_ref().unwrap().display_name);
    rename(&console, &client, "Again", &now.etag).await.unwrap();
    for stale in [etag.as_str(), "v1", "*", "\"v0\""] {
        rename(&console, &client, "No", stale).await.refused(Code::Aborted);
    }
}

#[tokio::test]
async fn a_lost_connection_leaves_one_whole_change_or_none() {
    let losses: [&[Loss]; 5] = [
        &[Loss::Request],
        &[Loss::Midway],
        &[Loss::Answer],
        &[Loss::Answer, Loss::Request],
        &[Loss::Answer, Loss::Answer],
    ];
    let world = World::new().await;
    let proxy = Proxy::start(&world.database.url_as("credo_auth_api")).await;
    let replica = Replica::start(proxy.url(), ReplicaSpec::default()).await;
    let console = Console::over(world, replica).await;
    for loss in losses {
        let name = format!("Robot {}", Uuid::new_v4());
        let mut request = robot(&console, "");
        request.display_name.clone_from(&name);
        proxy.lose(name.as_bytes(), loss);
        let made: CreateClientResponse = console.call("ClientService/CreateClient", request).await.unwrap();
        assert!(
            !made.client_secret.is_empty(),
            "{loss:?}: its own work was taken for another's"
        );
        let id = made.client.unwrap().client_id;
        let rows = format!("SELECT count(*) FROM client WHERE display_name = '{name}' AND id = '{id}'");
        let secrets = format!("SELECT count(*) FROM client_secret WHERE client_id = '{id}'");
        let events = format!("SELECT count(*) FROM outbox WHERE aggregate = '{id}'");
        for count in [rows, secrets, events] {
            assert_eq!(console.world.number(&count).await, 1, "{loss:?}: {count}");
        }
    }
}

#[tokio::test]
async fn a_repeated_call_shows_the_thing_as_it_is_now_and_no_secret_again() {
    let console = Console::new().await;
    let call = robot(&console, &Uuid::new_v4().to_string());
    let first: CreateClientResponse = console.call("ClientService/CreateClient", call.clone()).await.unwrap();
    let id = first.client.unwrap().client_id;
    rename(&console, &id, "Renamed", "").await.unwrap();
    let again: CreateClientResponse = console.call("ClientService/CreateClient", call.clone()).await.unwrap();
    let shown = again.client.unwrap();
    assert_eq!((shown.client_id, shown.display_name.as_str()), (id.clone(), "Renamed"));
    assert_eq!(again.client_secret, "");

    let changed = CreateClientRequest {
        display_name: "Another".to_owned(),
        ..call.clone()
    };
    let reused = console
        .call::<CreateClientResponse>("ClientService/CreateClient", changed)
        .await;
    assert_eq!(reason(&reused.refused(Code::InvalidArgument)), "REQUEST_ID_REUSED");
    let disable = DisableClientRequest {
        tenant_id: call.tenant_id.clone(),
        client_id: id,
        request_id: call.request_id.clone(),
        ..Default::default()
    };
    let reused = console
        .call::<DisableClientResponse>("ClientService/DisableClient", disable)
        .await;
    assert_eq!(reason(&reused.refused(Code::InvalidArgument)), "REQUEST_ID_REUSED");

    // Another caller's ids are its own.
    let (_, token) = console.tenant_admin(&console.world.tenant).await;
    let own: CreateClientResponse = console
        .call_as(&token, "ClientService/CreateClient", call.clone())
        .await
        .unwrap();
    assert!(!own.client_secret.is_empty());
    let malformed = robot(&console, "not-a-uuid");
    let malformed = console
        .call::<CreateClientResponse>("ClientService/CreateClient", malformed)
        .await;
    assert_eq!(reason(&malformed.refused(Code::InvalidArgument)), "INVALID_FIELD");
}

#[tokio::test]
async fn after_a_day_an_id_is_forgotten() {
    let console = Console::new().await;
    let call = robot(&console, &Uuid::new_v4().to_string());
    let create = || async {
        let made: CreateClientResponse = console.call("ClientService/CreateClient", call.clone()).await.unwrap();
        made.client.unwrap().client_id
    };
    let first = create().await;
    let age = |hours: u8| format!("UPDATE admin_request SET created_at = now() - interval '{hours} hours'");
    console.world.sql(&age(23)).await;
    assert_eq!(console.replica.app.store.purge_admin_requests(10).await.unwrap(), 0);
    assert_eq!(create().await, first);
    console.world.sql(&age(25)).await;
    assert_ne!(create().await, first);
    console.world.sql(&age(25)).await;
    rename(&console, &first, "Young", "").await.unwrap();
    assert_eq!(console.replica.app.store.purge_admin_requests(10).await.unwrap(), 1);
    assert_eq!(console.world.number("SELECT count(*) FROM admin_request").await, 1);
}

/// Every change of these services that can be asked about, as one that would work.
fn questions(console: &Console) -> Vec<(&'static str, Vec<u8>)> {
    let tenant_id = || console.world.tenant.id.to_string();
    let client_id = || console.world.client.id.to_string();
    let ask = true;
    let reason = || "a question".to_owned();
    #[rustfmt::skip]
    let questions = vec![
        ("TenantService/CreateTenant", CreateTenantRequest { slug: "asked".to_owned(), display_name: "A".to_owned(), validate_only: ask, ..Default::default() }.encode_to_vec()),
        ("TenantService/UpdateTenant", UpdateTenantRequest { tenant: Some(Tenant { tenant_id: tenant_id(), display_name: "B".to_owned(), ..Default::default() }), update_mask: mask(&["display_name"]), validate_only: ask, ..Default::default() }.encode_to_vec()),
        ("TenantService/SuspendTenant", SuspendTenantRequest { tenant_id: tenant_id(), reason: reason(), validate_only: ask, ..Default::default() }.encode_to_vec()),
        ("TenantService/ResumeTenant", ResumeTenantRequest { tenant_id: tenant_id(), validate_only: ask, ..Default::default() }.encode_to_vec()),
        ("TenantService/DeleteTenant", DeleteTenantRequest { tenant_id: tenant_id(), reason: reason(), validate_only: ask, ..Default::default() }.encode_to_vec()),
        ("ClientService/CreateClient", CreateClientRequest { validate_only: ask, ..robot(console, "") }.encode_to_vec()),
        ("ClientService/UpdateClient", UpdateClientRequest { client: Some(Client { tenant_id: tenant_id(), client_id: client_id(), display_name: "C".to_owned(), ..Default::default() }), update_mask: mask(&["display_name"]), validate_only: ask, ..Default::default() }.encode_to_vec()),
        ("ClientService/DisableClient", DisableClientRequest { tenant_id: tenant_id(), client_id: client_id(), validate_only: ask, ..Default::default() }.encode_to_vec()),
        ("ClientService/EnableClient", EnableClientRequest { tenant_id: tenant_id(), client_id: client_id(), validate_only: ask, ..Default::default() }.encode_to_vec()),
        ("ClientService/RotateClientSecret", RotateClientSecretRequest { tenant_id: tenant_id(), client_id: client_id(), validate_only: ask, ..Default::default() }.encode_to_vec()),
        ("ClientService/DeleteClient", DeleteClientRequest { tenant_id: tenant_id(), client_id: client_id(), reason: reason(), validate_only: ask, ..Default::default() }.encode_to_vec()),
        ("UserService/CreateUser", CreateUserRequest { tenant_id: tenant_id(), email: "new@demo.example".to_owned(), validate_only: ask, ..Default::default() }.encode_to_vec()),
    ];
    questions
}

#[tokio::test]
async fn a_question_changes_nothing() {
    let console = Console::new().await;
    let world = &console.world;
    let tokens = console.replica.tokens(&world.client, &world.user).await;
    let rows = "SELECT (SELECT count(*) FROM tenant) + (SELECT sum(version)::bigint FROM tenant)
                     + (SELECT count(*) FROM client) + (SELECT sum(version)::bigint FROM client)
                     + (SELECT count(*) FROM client_secret) + (SELECT count(*) FROM app_user)
                     + (SELECT count(*) FROM admin_request) + (SELECT count(*) FROM signing_key)";
    let before = (world.number(rows).await, world.footprint().await);
    for (method, message) in questions(&console) {
        let path = format!("/credo.admin.v1.{method}");
        let answer = console.server().send(&path, Some(&console.token), message).await;
        answer.unwrap_or_else(|status| panic!("{method}: {status:?}"));
        assert_eq!((world.number(rows).await, world.footprint().await), before, "{method}");
    }
    let asked = RotateClientSecretRequest {
        tenant_id: world.tenant.id.to_string(),
        client_id: world.client.id.to_string(),
        validate_only: true,
        ..Default::default()
    };
    let asked: RotateClientSecretResponse = console.call("ClientService/RotateClientSecret", asked).await.unwrap();
    assert_eq!(asked.client_secret, "", "a secret that was not made was shown");
    console.replica.userinfo(&tokens.access).await.ok();
    console.replica.rotate(&world.client, &tokens).await;
}

#[tokio::test]
async fn a_question_is_refused_as_the_change_would_be() {
    let console = Console::new().await;
    let taken = CreateTenantRequest {
        slug: "demo".to_owned(),
        display_name: "A".to_owned(),
        validate_only: true,
        ..Default::default()
    };
    let taken = console
        .call::<CreateTenantResponse>("TenantService/CreateTenant", taken)
        .await;
    assert_eq!(reason(&taken.refused(Code::AlreadyExists)), "ALREADY_EXISTS");
    let taken = CreateUserRequest {
        tenant_id: console.world.tenant.id.to_string(),
        email: console.world.user.email.clone(),
        validate_only: true,
        ..Default::default()
    };
    let taken = console
        .call::<CreateUserResponse>("UserService/CreateUser", taken)
        .await;
    assert_eq!(reason(&taken.refused(Code::AlreadyExists)), "ALREADY_EXISTS");
}

#[tokio::test]
async fn a_repeated_deletion_is_answered_as_the_first_was() {
    let console = Console::new().await;
    let client = console.world.add_client(ClientSpec::BASIC).await;
    let delete_client = DeleteClientRequest {
        tenant_id: console.world.tenant.id.to_string(),
        client_id: client.id.to_string(),
        reason: "unused".to_owned(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let delete_tenant = DeleteTenantRequest {
        tenant_id: console.world.tenant.id.to_string(),
        reason: "closed".to_owned(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    for _ in 0..2 {
        let call = console.call::<DeleteClientResponse>("ClientService/DeleteClient", delete_client.clone());
        call.await.unwrap();
    }
    for _ in 0..2 {
        let call = console.call::<DeleteTenantResponse>("TenantService/DeleteTenant", delete_tenant.clone());
        call.await.unwrap();
    }
    assert_eq!(told(&console, "client_deleted").await, 1);
    assert_eq!(told(&console, "tenant_deleted").await, 1);
}

#[tokio::test]
async fn tn_05_naming_another_tenant_is_recorded_in_the_callers_own_trail() {
    let console = Console::new().await;
    let world = &console.world;
    let other = world.add_tenant("other").await;
    let (caller, token) = console.tenant_admin(&world.tenant).await;
    let get = GetClientRequest {
        tenant_id: other.id.to_string(),
        client_id: world.client.id.to_string(),
    };
    let hidden = console
        .call_as::<GetClientResponse>(&token, "ClientService/GetClient", get)
        .await;
    assert_eq!(reason(&hidden.refused(Code::NotFound)), "NOT_FOUND");
    let events = world.events().await;
    let denied: Vec<_> = events.iter().filter(|event| event.is("admin_access_denied")).collect();
    assert_eq!(denied.len(), 1);
    let event = denied[0];
    assert_eq!((event.tenant, event.class), (world.tenant.id.as_uuid(), 2));
    assert_eq!(event.core.reason, "other_tenant");
    assert_eq!(event.core.actor.as_ref().unwrap().id, caller.id.as_bytes());
    let named = other.id.as_bytes();
    assert!(
        !event.bytes.windows(16).any(|bytes| bytes == named),
        "it tells of the other tenant"
    );
}
