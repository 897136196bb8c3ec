//! Tenants that are changed, suspended, resumed and deleted.

use std::time::Duration;

use credo_proto::admin::v1::{
    Branding, CreateTenantRequest, CreateTenantResponse, DeleteTenantRequest, DeleteTenantResponse, GetTenantRequest,
    GetTenantResponse, ListClientsRequest, ListClientsResponse, ListTenantsRequest, ListTenantsResponse,
    ResumeTenantRequest, ResumeTenantResponse, SuspendTenantRequest, SuspendTenantResponse, Tenant, TenantStatus,
    UpdateTenantRequest, UpdateTenantResponse, get_tenant_request::By,
};
use credo_testkit::eventually;
use tonic::{Code, Status};

use super::{
    Console, Refused as _,
    changes::{mask, reason},
};
use crate::support::{Call, Replica, Tokens};

/// What the design promises.
const LAG: Duration = Duration::from_secs(1);

async fn suspend(console: &Console, tenant_id: &str) -> Result<SuspendTenantResponse, Status> {
    let request = SuspendTenantRequest {
        tenant_id: tenant_id.to_owned(),
        reason: "unpaid".to_owned(),
        ..Default::default()
    };
    console.call("TenantService/SuspendTenant", request).await
}

async fn resume(console: &Console, tenant_id: &str) -> Result<ResumeTenantResponse, Status> {
    let request = ResumeTenantRequest {
        tenant_id: tenant_id.to_owned(),
        ..Default::default()
    };
    console.call("TenantService/ResumeTenant", request).await
}

async fn delete(console: &Console, tenant_id: &str) -> Result<DeleteTenantResponse, Status> {
    let request = DeleteTenantRequest {
        tenant_id: tenant_id.to_owned(),
        reason: "closed".to_owned(),
        ..Default::default()
    };
    console.call("TenantService/DeleteTenant", request).await
}

/// Asserts that a replica serves nothing of the tenant `demo`, in the words that it has for a tenant that never was.
async fn assert_unknown(replica: &Replica, console: &Console, (tokens, code): (&Tokens, &str)) {
    let client = &console.world.client;
    // Not before the feed has told of it the client is unknown too; what it asks about is inactive from the moment on.
    eventually(LAG, || async {
        replica.introspect(client, &tokens.access).await.status == 401
    })
    .await;
    for path in [
        "/t/{}/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/t/{}",
        "/t/{}/jwks.json",
        "/t/{}/logo",
    ] {
        let get = |slug: &str| replica.send(Call::get(path.replace("{}", slug)));
        eventually(LAG, || async { get("demo").await.status == get("never").await.status }).await;
        let (demo, never) = (get("demo").await, get("never").await);
        assert_eq!(demo.body, never.body, "{path}");
    }
    // A page names the address that was asked for.
    let page = |slug: &str| replica.send(Call::get(format!("/t/{slug}/account")));
    assert_eq!(page("demo").await.status, page("never").await.status);
    replica.userinfo(&tokens.access).await.challenges(401, "invalid_token");
    replica.sessions(&tokens.access).await.challenges(401, "invalid_token");
    replica.exchange(client, code).await.refuses(401, "invalid_client");
    replica
        .refresh(client, &tokens.refresh)
        .await
        .refuses(401, "invalid_client");
    replica
        .client_credentials(client, None)
        .await
        .refuses(401, "invalid_client");
    replica
        .introspect(client, &tokens.access)
        .await
        .refuses(401, "invalid_client");
    replica
        .revoke(client, &tokens.refresh)
        .await
        .refuses(401, "invalid_client");
    replica
        .sign_in(client, &console.world.user.email, crate::support::PASSWORD)
        .await
        .refuses(401, "invalid_client");
    let authorize = format!("/auth/authorize?client_id={}&response_type=code", client.id);
    assert!((400..500).contains(&replica.send(Call::get(&authorize)).await.status));
}

#[tokio::test]
async fn tn_06_a_suspended_tenant_is_unknown_on_every_replica_and_resuming_revives_nothing() {
    let console = Console::new().await;
    let world = &console.world;
    let elsewhere = world.replica().await;
    let id = world.tenant.id.to_string();
    let tokens = elsewhere.tokens(&world.client, &world.user).await;
    let code = elsewhere.code(&world.client, &world.user).await;
    let suspended = suspend(&console, &id).await.unwrap().tenant.unwrap();
    assert_eq!(suspended.status(), TenantStatus::Suspended);
    assert_eq!(
        suspend(&console, &id).await.unwrap().tenant.unwrap().etag,
        suspended.etag
    );
    for replica in [&console.replica, &elsewhere] {
        assert_unknown(replica, &console, (&tokens, &code)).await;
    }
    let resumed = resume(&console, &id).await.unwrap().tenant.unwrap();
    assert_eq!(resumed.status(), TenantStatus::Active);
    for replica in [&console.replica, &elsewhere] {
        replica.assert_dead(&world.client, &tokens).await;
        replica
            .exchange(&world.client, &code)
            .await
            .refuses(400, "invalid_grant");
        replica.tokens(&world.client, &world.user).await;
        replica.send(Call::get("/t/demo/jwks.json")).await.ok();
    }
    let kinds = world.event_types().await;
    for kind in ["tenant_suspended", "tenant_resumed"] {
        assert_eq!(kinds.iter().filter(|other| *other == kind).count(), 1, "{kind}");
    }
}

#[tokio::test]
async fn tn_07_a_deleted_tenant_is_as_if_it_had_never_been_and_its_slug_is_gone() {
    let console = Console::new().await;
    let world = &console.world;
    let elsewhere = world.replica().await;
    let id = world.tenant.id.to_string();
    let tokens = elsewhere.tokens(&world.client, &world.user).await;
    let code = elsewhere.code(&world.client, &world.user).await;
    delete(&console, &id).await.unwrap();
    for replica in [&console.replica, &elsewhere] {
        assert_unknown(replica, &console, (&tokens, &code)).await;
    }
    for by in [By::TenantId(id.clone()), By::Slug("demo".to_owned())] {
        let get = GetTenantRequest { by: Some(by) };
        let gone = console.call::<GetTenantResponse>("TenantService/GetTenant", get).await;
        assert_eq!(reason(&gone.refused(Code::NotFound)), "NOT_FOUND");
    }
    let list: ListTenantsResponse = console
        .call("TenantService/ListTenants", ListTenantsRequest::default())
        .await
        .unwrap();
    assert_eq!(list.tenants.len(), 1);
    let clients = ListClientsRequest {
        tenant_id: id.clone(),
        ..Default::default()
    };
    let gone = console
        .call::<ListClientsResponse>("ClientService/ListClients", clients)
        .await;
    gone.refused(Code::NotFound);
    resume(&console, &id).await.refused(Code::NotFound);
    delete(&console, &id).await.refused(Code::NotFound);
    let again = CreateTenantRequest {
        slug: "demo".to_owned(),
        display_name: "Again".to_owned(),
        ..Default::default()
    };
    let taken = console
        .call::<CreateTenantResponse>("TenantService/CreateTenant", again)
        .await;
    assert_eq!(reason(&taken.refused(Code::AlreadyExists)), "ALREADY_EXISTS");
}

#[tokio::test]
async fn the_tenant_system_stays_and_only_its_clients_end_others() {
    let console = Console::new().await;
    let system = console.system.id.to_string();
    for refused in [
        suspend(&console, &system).await.map(drop),
        delete(&console, &system).await.map(drop),
    ] {
        assert_eq!(
            reason(&refused.refused(Code::FailedPrecondition)),
            "FAILED_PRECONDITION"
        );
    }
    let (_, token) = console.tenant_admin(&console.world.tenant).await;
    let own = SuspendTenantRequest {
        tenant_id: console.world.tenant.id.to_string(),
        reason: "x".to_owned(),
        ..Default::default()
    };
    let refused = console
        .call_as::<SuspendTenantResponse>(&token, "TenantService/SuspendTenant", own)
        .await;
    assert_eq!(reason(&refused.refused(Code::PermissionDenied)), "SYSTEM_ONLY");
}

#[tokio::test]
async fn an_update_changes_what_the_mask_names() {
    let console = Console::new().await;
    let id = console.world.tenant.id.to_string();
    let update = |tenant: Tenant, paths: &[&str]| {
        let request = UpdateTenantRequest {
            tenant: Some(Tenant {
                tenant_id: id.clone(),
                ..tenant
            }),
            update_mask: mask(paths),
            ..Default::default()
        };
        console.call::<UpdateTenantResponse>("TenantService/UpdateTenant", request)
    };
    let to = Tenant {
        display_name: "New".to_owned(),
        create_unknown_users: true,
        branding: Some(Branding {
            accent_color: "#003366".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let after = update(to.clone(), &["display_name", "branding.accent_color"])
        .await
        .unwrap();
    let after = after.tenant.unwrap();
    assert_eq!(
        (after.display_name.as_str(), after.create_unknown_users),
        ("New", false)
    );
    assert_eq!(after.branding.unwrap().accent_color, "#003366");
    let same = update(to, &["display_name"]).await.unwrap().tenant.unwrap();
    assert_eq!(same.etag, after.etag);
    let plain = update(Tenant::default(), &["branding"]).await.unwrap().tenant.unwrap();
    assert_eq!(plain.branding.unwrap().accent_color, "");
    for (paths, expected) in [
        (&["slug"][..], "INVALID_FIELD_MASK"),
        (&[], "INVALID_FIELD_MASK"),
        (&["dangerous_trust_email"], "INVALID_FIELD_MASK"),
        (&["display_name"], "INVALID_FIELD"),
    ] {
        let refused = update(Tenant::default(), paths).await.refused(Code::InvalidArgument);
        assert_eq!(reason(&refused), expected, "{paths:?}");
    }
    let told = console.world.event_types().await;
    assert_eq!(told.iter().filter(|kind| *kind == "tenant_updated").count(), 2);
}
