//! Tenants.

use credo_proto::admin::v1::{
    CreateTenantRequest, CreateTenantResponse, GetTenantRequest, GetTenantResponse, Tenant, TenantStatus,
    get_tenant_request::By,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Console, Refused as _};
use crate::support::BASE_URL;

async fn create(console: &Console, request: CreateTenantRequest) -> Result<Tenant, Status> {
    let answer: CreateTenantResponse = console.call("TenantService/CreateTenant", request).await?;
    Ok(answer.tenant.unwrap())
}

async fn get(console: &Console, by: By) -> Result<Tenant, Status> {
    let answer: GetTenantResponse = console
        .call("TenantService/GetTenant", GetTenantRequest { by: Some(by) })
        .await?;
    Ok(answer.tenant.unwrap())
}

fn request(slug: &str) -> CreateTenantRequest {
    CreateTenantRequest {
        slug: slug.to_owned(),
        display_name: "Acme & Söhne".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_tenant_is_served_as_soon_as_it_is_made() {
    let console = Console::new().await;
    let made = create(&console, request("acme")).await.unwrap();
    assert_eq!(made.issuer, format!("{BASE_URL}/t/acme"));
    assert_eq!(made.status(), TenantStatus::Active);
    assert!(!made.create_unknown_users && !made.dangerous_trust_email);
    assert_eq!(made.create_time, made.update_time);
    assert_eq!(
        console
            .world
            .number("SELECT count(*) FROM signing_key WHERE state = 2")
            .await,
        2
    );

    let metadata = console.get("/t/acme/.well-known/openid-configuration").await.ok();
    assert_eq!(metadata["issuer"], made.issuer);
    let keys = console.get("/t/acme/jwks.json").await.ok();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);

    assert_eq!(get(&console, By::Slug("acme".to_owned())).await.unwrap(), made);
    assert_eq!(get(&console, By::TenantId(made.tenant_id.clone())).await.unwrap(), made);
}

#[tokio::test]
async fn slugs_are_never_used_again() {
    let console = Console::new().await;
    create(&console, request("acme")).await.unwrap();
    for taken in ["acme", "system", "demo"] {
        create(&console, request(taken)).await.refused(Code::AlreadyExists);
    }
    assert_eq!(
        console
            .world
            .number("SELECT count(*) FROM outbox WHERE class = 1")
            .await,
        1
    );
    assert_eq!(
        console.world.number("SELECT count(*) FROM signing_key").await,
        2,
        "system's and acme's"
    );
}

#[tokio::test]
async fn malformed_tenants_are_refused_with_their_fields() {
    let console = Console::new().await;
    let long = "x".repeat(201);
    for (slug, display_name, field) in [
        ("", "Acme", "slug"),
        ("A", "Acme", "slug"),
        ("acme/", "Acme", "slug"),
        ("acme-", "Acme", "slug"),
        ("acme", "", "display_name"),
        ("acme", " ", "display_name"),
        ("acme", "a\u{7}b", "display_name"),
        ("acme", &long, "display_name"),
    ] {
        let request = CreateTenantRequest {
            slug: slug.to_owned(),
            display_name: display_name.to_owned(),
            ..Default::default()
        };
        let status = create(&console, request).await.refused(Code::InvalidArgument);
        let fields: Vec<_> = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(
            fields
                .iter()
                .map(|violation| violation.field.as_str())
                .collect::<Vec<_>>(),
            [field]
        );
    }
    let dangerous = CreateTenantRequest {
        dangerous_trust_email: true,
        ..request("acme")
    };
    create(&console, dangerous).await.refused(Code::FailedPrecondition);
    assert_eq!(console.world.number("SELECT count(*) FROM tenant").await, 2);
}

#[tokio::test]
async fn a_tenant_is_asked_for_by_id_or_by_slug() {
    let console = Console::new().await;
    get(&console, By::Slug("nothing".to_owned()))
        .await
        .refused(Code::NotFound);
    get(&console, By::Slug(String::new())).await.refused(Code::NotFound);
    get(&console, By::TenantId(credo_ids::TenantId::now_v7().to_string()))
        .await
        .refused(Code::NotFound);
    for malformed in [
        "",
        "x",
        "00000000-0000-0000-0000-00000000000G",
        "{01900000-0000-7000-8000-000000000000}",
    ] {
        get(&console, By::TenantId(malformed.to_owned()))
            .await
            .refused(Code::InvalidArgument);
    }
    let nothing = console
        .call::<()>("TenantService/GetTenant", GetTenantRequest { by: None })
        .await;
    nothing.refused(Code::InvalidArgument);
}

#[tokio::test]
async fn of_many_who_make_one_tenant_one_does() {
    let console = Console::new().await;
    let attempts = (0..8).map(|_| create(&console, request("acme")));
    let outcomes = futures::future::join_all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for refused in outcomes.into_iter().filter(Result::is_err) {
        refused.refused(Code::AlreadyExists);
    }
    assert_eq!(
        console
            .world
            .number("SELECT count(*) FROM outbox WHERE class = 1")
            .await,
        1
    );
}
