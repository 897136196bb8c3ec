//! Tenants.

use credo_proto::admin::v1::{
    Branding, CreateTenantRequest, CreateTenantResponse, GetTenantRequest, GetTenantResponse, Tenant, TenantStatus,
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
        3
    );

    let metadata = console.get("/t/acme/.well-known/openid-configuration").await.ok();
    assert_eq!(metadata["issuer"], made.issuer);
    let keys = console.get("/t/acme/jwks.json").await.ok();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);

    assert_eq!(get(&console, By::Slug("acme".to_owned())).await.unwrap(), made);
    assert_eq!(get(&console, By::TenantId(made.tenant_id.clone())).await.unwrap(), made);
}

#[tokio::test]
async fn tn_07_slugs_are_never_used_again() {
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
        3,
        "system's, demo's and acme's"
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

/// The beginning of a PNG image of that size.
fn png(width: u32, height: u32) -> Vec<u8> {
    let start = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    [&start[..], &width.to_be_bytes(), &height.to_be_bytes()].concat()
}

#[tokio::test]
async fn a_tenant_has_colours_and_a_logo_of_its_own() {
    let console = Console::new().await;
    let logo = png(64, 32);
    let branding = Branding {
        accent_color: "#7a1fa2".to_owned(),
        accent_color_dark: "#e0a6ff".to_owned(),
        logo: logo.clone(),
        logo_sha256: Vec::new(),
    };
    let branded = CreateTenantRequest {
        branding: Some(branding),
        ..request("acme")
    };
    let made = create(&console, branded).await.unwrap();
    let shown = made.branding.clone().unwrap();
    assert_eq!(
        (shown.accent_color.as_str(), shown.accent_color_dark.as_str()),
        ("#7a1fa2", "#e0a6ff")
    );
    assert_eq!((shown.logo.len(), shown.logo_sha256.len()), (0, 32));
    assert_eq!(get(&console, By::Slug("acme".to_owned())).await.unwrap(), made);

    let style = console.get("/t/acme/theme.css").await;
    assert!(style.text().contains("--accent: #7a1fa2;") && style.text().contains("--accent: #e0a6ff;"));
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    let image = console.get("/t/acme/logo").await;
    assert_eq!((image.header("content-type"), &image.body), (Some("image/png"), &logo));
    let page = console.get("/t/acme/sign-in").await;
    assert!(page.is_html());

    // Who has none of its own, who is suspended and who never was.
    assert_eq!(console.get("/t/demo/theme.css").await.text(), "");
    let none = console.get("/t/demo/logo").await;
    console
        .world
        .sql("UPDATE tenant SET status = 2 WHERE slug = 'acme'")
        .await;
    let other = console.world.replica().await;
    for path in [
        "/t/acme/logo",
        "/t/acme/theme.css",
        "/t/nowhere/logo",
        "/t/nowhere/theme.css",
        "/t/%ff/logo",
    ] {
        let nothing = other.send(crate::support::Call::get(path)).await;
        assert_eq!((nothing.status, &nothing.body), (404, &none.body), "{path}");
    }
}

#[tokio::test]
async fn colours_that_cannot_be_read_and_what_is_no_image_are_refused() {
    let console = Console::new().await;
    let own = Branding::default;
    let low = "has a contrast of 1.02:1 against #f3f4f7; it must have 4.5:1 at least";
    for (branding, field, text) in [
        (
            Branding {
                accent_color: "#ffff00".to_owned(),
                ..own()
            },
            "branding.accent_color",
            low,
        ),
        (
            Branding {
                accent_color: "red".to_owned(),
                ..own()
            },
            "branding.accent_color",
            "like #2f4fd0",
        ),
        (
            Branding {
                accent_color_dark: "#000080".to_owned(),
                ..own()
            },
            "branding.accent_color_dark",
            ":1 against #",
        ),
        (
            Branding {
                logo: b"<svg>".to_vec(),
                ..own()
            },
            "branding.logo",
            "PNG",
        ),
        (
            Branding {
                logo: png(2_000, 1),
                ..own()
            },
            "branding.logo",
            "1024",
        ),
        (
            Branding {
                logo: vec![0; 32_769],
                ..own()
            },
            "branding.logo",
            "32768",
        ),
    ] {
        let request = CreateTenantRequest {
            branding: Some(branding),
            ..request("acme")
        };
        let status = create(&console, request).await.refused(Code::InvalidArgument);
        let violation = status.get_details_bad_request().unwrap().field_violations.remove(0);
        assert_eq!(violation.field, field);
        assert!(violation.description.contains(text), "{}", violation.description);
    }
}
