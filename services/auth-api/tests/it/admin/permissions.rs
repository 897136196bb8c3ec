//! Who may call what, method by method: walked over the definitions, with messages filled from them, so that a new method is
//! covered before anybody thinks of it.

use credo_admin::{ErrorReason, Permissions};
use credo_proto::{
    DESCRIPTOR_SET,
    admin::v1::{
        CreateTenantRequest, GetTenantRequest, ListTenantsRequest, ListTenantsResponse, get_tenant_request::By,
    },
};
use prost_reflect::MethodDescriptor;
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::{
    ALL_SCOPES, Console, Refused as _,
    filled::{self, Ids, names},
};
use crate::support::{ClientSpec, Tenant, claims};

/// The services of this server.
const SERVICES: [&str; 9] = [
    "TenantService",
    "ClientService",
    "UserService",
    "SessionService",
    "ConsentService",
    "RateLimitService",
    "CacheService",
    "SigningKeyService",
    "DebugService",
];
/// Those of the others; each has its own such test.
const ELSEWHERE: [&str; 2] = ["OutboxService", "AuditService"];

fn methods() -> Vec<MethodDescriptor> {
    filled::methods(&SERVICES)
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// The reason of a refusal, which every one has, and its metadata.
#[track_caller]
fn reason(status: &Status) -> (String, std::collections::HashMap<String, String>) {
    let info = status.get_error_details().error_info().cloned();
    let info = info.unwrap_or_else(|| panic!("a refusal without a reason: {status:?}"));
    assert_eq!(info.domain, "credo");
    let known = ErrorReason::from_str_name(&format!("ERROR_REASON_{}", info.reason));
    assert!(known.is_some(), "{info:?}");
    (info.reason, info.metadata)
}

#[test]
fn every_service_is_walked_somewhere() {
    let mut walked: Vec<_> = SERVICES.iter().chain(&ELSEWHERE).map(ToString::to_string).collect();
    let mut all = filled::services();
    walked.sort();
    all.sort();
    assert_eq!(walked, all);
}

#[tokio::test]
async fn ad_01_every_method_refuses_callers_without_a_good_token() {
    let console = Console::new().await;
    let (replica, world) = (&console.replica, &console.world);
    let user = replica.tokens(&world.client, &world.user).await.access;
    let plain = console.token_of(&world.client, "read").await;
    let (head, signature) = console.token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    let expired = replica.expired(&console.system, &console.token).await;
    let mut for_others = claims(&console.token);
    for_others["aud"] = json!("https://api.example");
    let access = auth_api::keys::TokenType::AccessToken;
    let for_others = replica.sign(&console.system, access, &for_others).await;
    let foreign = replica.sign(&world.tenant, access, &claims(&console.token)).await;
    let tokens = ["x", "a.b.c", &user, &plain, &forged, &expired, &for_others, &foreign];
    for method in methods() {
        let path = path(&method);
        let send = |token| console.server().send(&path, token, Vec::new());
        for token in std::iter::once(None).chain(tokens.map(Some)) {
            let status = send(token).await.refused(Code::Unauthenticated);
            assert_eq!(reason(&status).0, "UNAUTHENTICATED", "{path}");
        }
    }
    assert_eq!(world.number("SELECT count(*) FROM outbox WHERE class = 1").await, 0);
}

#[tokio::test]
async fn ad_01_every_method_needs_its_scope() {
    let console = Console::new().await;
    let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET).unwrap();
    for method in methods() {
        let path = path(&method);
        let (_, scope) = permissions.iter().find(|(known, _)| *known == path).unwrap();
        let others: Vec<_> = ALL_SCOPES.split_whitespace().filter(|other| *other != scope).collect();
        let token = console.token_of(&console.admin, &others.join(" ")).await;
        let status = console.server().send(&path, Some(&token), Vec::new()).await;
        let status = status.refused(Code::PermissionDenied);
        let (reason, metadata) = reason(&status);
        assert_eq!(
            (reason.as_str(), metadata["scope"].as_str()),
            ("SCOPE_MISSING", scope),
            "{path}"
        );
    }
}

#[tokio::test]
async fn methods_of_other_servers_and_unknown_ones_are_refused() {
    let console = Console::new().await;
    for method in filled::methods(&ELSEWHERE) {
        let path = path(&method);
        let answer = console.server().send(&path, Some(&console.token), Vec::new()).await;
        answer.refused(Code::Unimplemented);
    }
    for path in ["/credo.admin.v1.TenantService/DropTenant", "/"] {
        let answer = console.server().send(path, Some(&console.token), Vec::new()).await;
        answer.refused(Code::PermissionDenied);
    }
}

/// One thing of each kind, of that tenant.
async fn ids_of(console: &Console, tenant: &Tenant) -> Ids {
    let world = &console.world;
    let client = world.add_client_of(tenant, ClientSpec::default()).await;
    let email = format!("bob@{}.example", tenant.slug);
    let user = world.add_user_of(tenant, &email, Some(crate::support::PASSWORD)).await;
    let tokens = console.replica.tokens(&client, &user).await;
    Ids {
        tenant: tenant.id.as_uuid(),
        client: client.id.as_uuid(),
        user: user.id.as_uuid(),
        session: tokens.session,
        key: crate::support::header_of(&tokens.access)["kid"]
            .as_str()
            .unwrap()
            .to_owned(),
        email,
    }
}

/// How many changes there were.
async fn changes(console: &Console) -> i64 {
    let rows = "SELECT (SELECT count(*) FROM outbox WHERE class = 1) + (SELECT count(*) FROM revocation)
                + (SELECT sum(version)::bigint FROM client) + (SELECT sum(version)::bigint FROM app_user)";
    console.world.number(rows).await
}

#[tokio::test]
async fn tn_05_other_tenants_do_not_exist_for_a_tenants_own_administrator() {
    let console = Console::new().await;
    let other = console.world.add_tenant("other").await;
    let existing = ids_of(&console, &other).await;
    let missing = Ids {
        tenant: Uuid::now_v7(),
        ..existing.clone()
    };
    let (_, token) = console.tenant_admin(&console.world.tenant).await;
    let before = changes(&console).await;
    for method in methods() {
        let path = path(&method);
        let send = |ids: &Ids| {
            let message = ids.fill(&method);
            async { console.server().send(&path, Some(&token), message).await }
        };
        if names(&method.input(), "tenant_id") {
            let (hidden, absent) = (send(&existing).await.unwrap_err(), send(&missing).await.unwrap_err());
            if is_unserved(&hidden) {
                continue;
            }
            assert_eq!(
                (hidden.code(), reason(&hidden).0.as_str()),
                (Code::NotFound, "NOT_FOUND"),
                "{path}"
            );
            assert_eq!(
                (hidden.message(), reason(&hidden)),
                (absent.message(), reason(&absent)),
                "{path}"
            );
        } else if method.name() != "ListTenants" {
            // What concerns no tenant is for those who administer all.
            let status = send(&existing).await.unwrap_err();
            if is_unserved(&status) {
                continue;
            }
            assert_eq!(
                (status.code(), reason(&status).0.as_str()),
                (Code::PermissionDenied, "SYSTEM_ONLY"),
                "{path}"
            );
        }
    }
    assert_eq!(changes(&console).await, before);
    let told = console.world.event_types().await;
    assert!(told.iter().any(|event| event == "admin_access_denied"), "{told:?}");
}

/// A method that is defined and not there yet; the definitions' server answers for it.
fn is_unserved(status: &Status) -> bool {
    status.code() == Code::Unimplemented
}

#[tokio::test]
async fn tn_05_objects_of_another_tenant_are_not_found_under_ones_own() {
    let console = Console::new().await;
    let other = console.world.add_tenant("other").await;
    let own = console.world.tenant.id.as_uuid();
    let existing = Ids {
        tenant: own,
        ..ids_of(&console, &other).await
    };
    let missing = Ids::of_nothing(own);
    let (_, of_tenant) = console.tenant_admin(&console.world.tenant).await;
    let before = changes(&console).await;
    let object_ids = ["client_id", "user_id", "session_id", "key_id"];
    for token in [&of_tenant, &console.token] {
        for method in methods() {
            let (path, input) = (path(&method), method.input());
            let looks_up = method.name() == "LookUpUser";
            if !looks_up && !object_ids.iter().any(|field| names(&input, field)) {
                continue;
            }
            if ["CreateClient", "CreateUser"].contains(&method.name()) {
                continue; // their ids are the server's to make
            }
            let send = |ids: &Ids| {
                let message = ids.fill(&method);
                async { console.server().send(&path, Some(token), message).await }
            };
            match (send(&existing).await, send(&missing).await) {
                (Err(hidden), Err(absent)) => {
                    if is_unserved(&hidden) {
                        continue;
                    }
                    assert_eq!(
                        (hidden.code(), reason(&hidden).0.as_str()),
                        (Code::NotFound, "NOT_FOUND"),
                        "{path}"
                    );
                    assert_eq!(
                        (hidden.message(), reason(&hidden)),
                        (absent.message(), reason(&absent)),
                        "{path}"
                    );
                }
                // A list of what somebody has is empty, whoever they are.
                (Ok(hidden), Ok(absent)) if method.name().starts_with("List") => {
                    assert_eq!((&hidden, hidden.len()), (&absent, 0), "{path}");
                }
                answers => panic!("{path}: {answers:?}"),
            }
        }
    }
    assert_eq!(changes(&console).await, before);
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
    let list = ListTenantsRequest {
        page_size: 1_000,
        ..Default::default()
    };
    let own: ListTenantsResponse = console
        .call_as(&token, "TenantService/ListTenants", list.clone())
        .await
        .unwrap();
    let all: ListTenantsResponse = console.call("TenantService/ListTenants", list).await.unwrap();
    let slugs = |list: ListTenantsResponse| list.tenants.into_iter().map(|tenant| tenant.slug).collect::<Vec<_>>();
    assert_eq!(slugs(own), ["demo"]);
    assert_eq!(slugs(all), ["system", "demo", "other"]);
    let by = Some(By::Slug("other".to_owned()));
    let hidden = console
        .call_as::<()>(&token, "TenantService/GetTenant", GetTenantRequest { by })
        .await;
    hidden.refused(Code::NotFound);
}
