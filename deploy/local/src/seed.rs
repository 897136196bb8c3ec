//! The demo tenant with its users and clients, made through the public admin API. Doing it twice changes nothing.

use anyhow::{Context as _, Result};
use credo_proto::admin::v1::{
    Address, Branding, CreateTenantRequest, CreateUserRequest, GetTenantRequest, LookUpUserRequest, Profile, RateClass,
    SetRateLimitRequest, Tenant, get_tenant_request::By, rate_limit_service_client::RateLimitServiceClient,
    tenant_service_client::TenantServiceClient, user_service_client::UserServiceClient,
};
use tonic::Code;

use crate::{
    admin::{AdminChannel, explain},
    stack_file::{Demo, DemoUser},
    state::State,
};

mod clients;

/// The slug of the demo tenant.
pub const TENANT: &str = "demo";
/// More than a machine does.
const TEST_REQUESTS_PER_MINUTE: i32 = 1_000_000;
const LOGO: &[u8] = include_bytes!("seed/logo.png");
/// Fixed: everything listens on loopback only, and a person should be able to learn them.
const USERS: [(&str, &str, &str); 2] = [
    ("alice@demo.example", "Alice Demo", "alice-likes-long-walks"),
    ("bob@demo.example", "Bob Demo", "bob-likes-short-naps"),
];

/// Makes what is missing. `landing_url` is where redirect URIs lead. For tests the tenant's limits are set so high that they are
/// counted and do not bind; everybody else has the defaults.
///
/// # Errors
/// If the admin API refuses.
pub async fn seed(channel: AdminChannel, state: &mut State, landing_url: &str, for_tests: bool) -> Result<Demo> {
    let tenant = ensure_tenant(channel.clone()).await?;
    if for_tests {
        raise_limits(channel.clone(), &tenant.tenant_id).await?;
    }
    let mut users = UserServiceClient::new(channel.clone());
    for (email, display_name, password) in USERS {
        ensure_user(&mut users, &tenant.tenant_id, email, display_name, password).await?;
    }
    let clients = clients::ensure(channel, state, &tenant.tenant_id, landing_url).await?;
    let users = USERS.map(|(email, _, password)| DemoUser {
        email: email.to_owned(),
        password: password.to_owned(),
    });
    Ok(Demo {
        tenant: tenant.slug,
        tenant_id: tenant.tenant_id,
        issuer: tenant.issuer,
        users: users.into(),
        clients,
        landing_url: landing_url.to_owned(),
    })
}

async fn ensure_tenant(channel: AdminChannel) -> Result<Tenant> {
    let mut tenants = TenantServiceClient::new(channel);
    let by_slug = GetTenantRequest {
        by: Some(By::Slug(TENANT.to_owned())),
    };
    match tenants.get_tenant(by_slug).await {
        Ok(answer) => return answer.into_inner().tenant.context("auth-api answered no tenant"),
        Err(status) if status.code() == Code::NotFound => {}
        Err(status) => return Err(explain("the demo tenant cannot be looked up")(status)),
    }
    let new = CreateTenantRequest {
        slug: TENANT.to_owned(),
        display_name: "Demo".to_owned(),
        branding: Some(branding()),
        ..CreateTenantRequest::default()
    };
    let answer = tenants
        .create_tenant(new)
        .await
        .map_err(explain("the demo tenant cannot be made"))?;
    answer.into_inner().tenant.context("auth-api answered no tenant")
}

async fn raise_limits(channel: AdminChannel, tenant_id: &str) -> Result<()> {
    let mut limits = RateLimitServiceClient::new(channel);
    for class in [
        RateClass::Auth,
        RateClass::Sensitive,
        RateClass::Read,
        RateClass::Client,
        RateClass::ClientFailure,
    ] {
        let request = SetRateLimitRequest {
            tenant_id: tenant_id.to_owned(),
            rate_class: class.into(),
            requests_per_minute: TEST_REQUESTS_PER_MINUTE,
            ..SetRateLimitRequest::default()
        };
        let answer = limits.set_rate_limit(request).await;
        answer.map_err(explain("the demo tenant's limits cannot be set"))?;
    }
    Ok(())
}

fn branding() -> Branding {
    Branding {
        accent_color: "#0f6b5c".to_owned(),
        accent_color_dark: "#7fd6c4".to_owned(),
        logo: LOGO.to_vec(),
        ..Branding::default()
    }
}

/// Something in every scope.
fn profile(display_name: &str) -> Profile {
    let given_name = display_name.split(' ').next().unwrap_or_default();
    Profile {
        given_name: given_name.to_owned(),
        family_name: "Demo".to_owned(),
        zoneinfo: "Europe/Zurich".to_owned(),
        locale: "en".to_owned(),
        phone_number: "+41446681800".to_owned(),
        address: Some(Address {
            street_address: "Example Street 1".to_owned(),
            locality: "Zurich".to_owned(),
            postal_code: "8001".to_owned(),
            country: "Switzerland".to_owned(),
            ..Address::default()
        }),
        ..Profile::default()
    }
}

async fn ensure_user(
    users: &mut UserServiceClient<AdminChannel>,
    tenant_id: &str,
    email: &str,
    display_name: &str,
    password: &str,
) -> Result<()> {
    let by_email = LookUpUserRequest {
        tenant_id: tenant_id.to_owned(),
        email: email.to_owned(),
    };
    match users.look_up_user(by_email).await {
        Ok(_) => return Ok(()),
        Err(status) if status.code() == Code::NotFound => {}
        Err(status) => return Err(explain("a demo user cannot be looked up")(status)),
    }
    let new = CreateUserRequest {
        tenant_id: tenant_id.to_owned(),
        email: email.to_owned(),
        email_verified: true,
        display_name: display_name.to_owned(),
        password: password.to_owned(),
        profile: Some(profile(display_name)),
        ..CreateUserRequest::default()
    };
    users
        .create_user(new)
        .await
        .map_err(explain("a demo user cannot be made"))?;
    Ok(())
}
