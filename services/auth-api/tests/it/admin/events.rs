//! Every change has exactly one compliance event, and nothing changes without it.

use credo_proto::{
    admin::v1::{
        CreateClientRequest, CreateClientResponse, CreateTenantRequest, CreateTenantResponse, CreateUserRequest,
        CreateUserResponse, DisableClientRequest, DisableUserRequest, EnableClientRequest, EnableUserRequest,
    },
    events::v1::{ChangeDetails, Outcome, PartyKind, core::Details},
};
use prost::Message;
use serde_json::{Value, json};
use tonic::{Code, Status};

use super::{Console, Refused as _, console::USER_AGENT};
use crate::support::Event;

fn create_tenant() -> CreateTenantRequest {
    CreateTenantRequest {
        slug: "acme".to_owned(),
        display_name: "Acme".to_owned(),
        ..Default::default()
    }
}

fn create_client(console: &Console) -> CreateClientRequest {
    CreateClientRequest {
        tenant_id: console.world.tenant.id.to_string(),
        display_name: "Robot".to_owned(),
        grant_types: vec!["client_credentials".to_owned()],
        scopes: vec!["reports".to_owned()],
        dangerous_allow_missing_pkce: true,
        ..Default::default()
    }
}

fn create_user(console: &Console) -> CreateUserRequest {
    CreateUserRequest {
        tenant_id: console.world.tenant.id.to_string(),
        email: "bob@demo.example".to_owned(),
        display_name: "Bob Builder".to_owned(),
        password: "a long enough password".to_owned(),
        ..Default::default()
    }
}

/// Calls a method and gives the one event that it wrote.
async fn event_of<A: Message + Default>(console: &Console, method: &str, message: impl Message) -> (A, Event) {
    let before = console.world.events().await.len();
    let answer = console.call(method, message).await.unwrap();
    let mut events = console.world.events().await.split_off(before);
    assert_eq!(events.len(), 1, "{method}");
    (answer, events.remove(0))
}

/// What every event of an administrator's change has.
fn change(console: &Console, event: &Event, name: &str, kind: PartyKind) -> ChangeDetails {
    let core = &event.core;
    assert_eq!((event.class, core.r#type.as_str()), (1, name));
    assert_eq!(core.tenant_id, event.tenant.as_bytes());
    assert_eq!(core.event_id, event.id.as_bytes());
    let actor = core.actor.as_ref().unwrap();
    assert_eq!(
        (actor.kind(), actor.id.as_slice()),
        (PartyKind::Client, &console.admin.id.as_bytes()[..])
    );
    let subject = core.subject.as_ref().unwrap();
    assert_eq!(
        (subject.kind(), subject.id.as_slice()),
        (kind, &event.aggregate.as_bytes()[..])
    );
    assert_eq!(
        (core.request_id.len(), core.commitment.len(), core.outcome()),
        (16, 32, Outcome::Success)
    );
    assert_eq!(event.personal.address, "127.0.0.1");
    assert!(
        event.personal.user_agent.starts_with(USER_AGENT),
        "{}",
        event.personal.user_agent
    );
    let Some(Details::Change(details)) = core.details.clone() else {
        panic!("{core:?}");
    };
    assert_eq!(details.object_id, event.aggregate.as_bytes());
    details
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn making_something_is_one_event_that_tells_what_was_made() {
    let console = Console::new().await;
    let (made, event): (CreateTenantResponse, _) =
        event_of(&console, "TenantService/CreateTenant", create_tenant()).await;
    let details = change(&console, &event, "tenant_created", PartyKind::Tenant);
    assert_eq!(event.tenant.to_string(), made.tenant.unwrap().tenant_id);
    assert_eq!((details.object.as_str(), details.before_json.as_str()), ("tenant", ""));
    assert_eq!(parsed(&details.after_json)["slug"], "acme");

    let (made, event): (CreateClientResponse, _) =
        event_of(&console, "ClientService/CreateClient", create_client(&console)).await;
    let details = change(&console, &event, "client_created", PartyKind::Client);
    assert_eq!(event.aggregate.to_string(), made.client.unwrap().client_id);
    let after = parsed(&details.after_json);
    assert_eq!(
        (&after["scope"], &after["require_pkce"]),
        (&json!("reports"), &json!(false))
    );
    let text = String::from_utf8_lossy(&event.bytes).into_owned();
    assert!(!text.contains(&made.client_secret) && !text.contains("crs_"));

    let (made, event): (CreateUserResponse, _) =
        event_of(&console, "UserService/CreateUser", create_user(&console)).await;
    let details = change(&console, &event, "user_created", PartyKind::User);
    assert_eq!(event.aggregate.to_string(), made.user.unwrap().user_id);
    assert_eq!(
        parsed(&details.after_json),
        json!({ "status": "active", "email_verified": false, "has_password": true, "has_profile": false, "admin_scope": "" })
    );
    let core = String::from_utf8_lossy(&event.core.encode_to_vec()).into_owned();
    for personal in ["bob", "Bob", "password ", "argon2"] {
        assert!(!core.contains(personal), "{core}");
    }
    assert_eq!(event.personal.email, "bob@demo.example");
    assert_eq!(event.personal.display_name, "Bob Builder");
}

#[tokio::test]
async fn changing_something_is_one_event_that_tells_before_and_after() {
    let console = Console::new().await;
    let (tenant_id, client_id, user_id) = ids(&console);
    let (active, disabled) = (
        json!({ "status": "active", "epoch": 1, "version": 1 }),
        json!({ "status": "disabled", "epoch": 2, "version": 2 }),
    );
    let enabled = json!({ "status": "active", "epoch": 2, "version": 3 });
    let check = |event: &Event, name, kind, before: &Value, after: &Value| {
        let details = change(&console, event, name, kind);
        assert_eq!(
            (&parsed(&details.before_json), &parsed(&details.after_json)),
            (before, after)
        );
    };
    let request = DisableClientRequest {
        tenant_id: tenant_id.clone(),
        client_id: client_id.clone(),
        ..Default::default()
    };
    let ((), event) = event_of(&console, "ClientService/DisableClient", request).await;
    check(&event, "client_disabled", PartyKind::Client, &active, &disabled);
    let request = EnableClientRequest {
        tenant_id: tenant_id.clone(),
        client_id,
        ..Default::default()
    };
    let ((), event) = event_of(&console, "ClientService/EnableClient", request).await;
    check(&event, "client_enabled", PartyKind::Client, &disabled, &enabled);
    let request = DisableUserRequest {
        tenant_id: tenant_id.clone(),
        user_id: user_id.clone(),
        ..Default::default()
    };
    let ((), event) = event_of(&console, "UserService/DisableUser", request).await;
    check(&event, "user_disabled", PartyKind::User, &active, &disabled);
    let request = EnableUserRequest {
        tenant_id,
        user_id,
        ..Default::default()
    };
    let ((), event) = event_of(&console, "UserService/EnableUser", request).await;
    check(&event, "user_enabled", PartyKind::User, &disabled, &enabled);
}

#[tokio::test]
async fn fi_10_nothing_changes_whose_event_cannot_be_written() {
    let console = Console::new().await;
    let world = &console.world;
    let rows = "SELECT (SELECT count(*) FROM tenant) + (SELECT count(*) + sum(version)::bigint FROM client)
                     + (SELECT count(*) + sum(version)::bigint FROM app_user) + (SELECT count(*) FROM signing_key)
                     + (SELECT count(*) FROM client_secret) + (SELECT count(*) FROM password)
                     + (SELECT count(*) FROM revocation)";
    let before = world.number(rows).await;
    world.sql("REVOKE INSERT ON outbox FROM credo_auth_api").await;
    let (tenant_id, client_id, user_id) = ids(&console);
    let refused = |outcome: Result<(), Status>| outcome.refused(Code::Internal);
    refused(console.call("TenantService/CreateTenant", create_tenant()).await);
    refused(
        console
            .call("ClientService/CreateClient", create_client(&console))
            .await,
    );
    refused(console.call("UserService/CreateUser", create_user(&console)).await);
    let request = DisableClientRequest {
        tenant_id: tenant_id.clone(),
        client_id: client_id.clone(),
        ..Default::default()
    };
    refused(console.call("ClientService/DisableClient", request).await);
    let request = DisableUserRequest {
        tenant_id: tenant_id.clone(),
        user_id: user_id.clone(),
        ..Default::default()
    };
    refused(console.call("UserService/DisableUser", request).await);
    assert_eq!(world.number(rows).await, before);

    world
        .sql("UPDATE client SET status = 2; UPDATE app_user SET status = 2")
        .await;
    world
        .sql(&format!(
            "UPDATE client SET status = 1 WHERE id = '{}'",
            console.admin.id
        ))
        .await;
    let request = EnableClientRequest {
        tenant_id: tenant_id.clone(),
        client_id,
        ..Default::default()
    };
    refused(console.call("ClientService/EnableClient", request).await);
    let request = EnableUserRequest {
        tenant_id,
        user_id,
        ..Default::default()
    };
    refused(console.call("UserService/EnableUser", request).await);
    assert_eq!(world.number(rows).await, before);
    assert_eq!(console.replica.app.metrics.compliance_persist_failures.get(), 7);
}

fn ids(console: &Console) -> (String, String, String) {
    let world = &console.world;
    (
        world.tenant.id.to_string(),
        world.client.id.to_string(),
        world.user.id.to_string(),
    )
}
