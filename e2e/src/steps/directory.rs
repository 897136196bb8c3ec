//! Tenants, people and clients: each scenario makes its own, and no other scenario knows them.

use credo_proto::admin::v1::{CreateClientRequest, CreateUserRequest};
use cucumber::given;

use crate::{
    failure::Result,
    oauth::{Client, Method, User, random_text},
    world::{CredoWorld, Tenant},
};

#[given(regex = r"^(?:a|another) tenant$")]
pub async fn make_tenant(world: &mut CredoWorld) -> Result {
    let slug = format!("t{}", &random_text()[..20]);
    let tenant = world.admin.create_tenant(&slug).await?;
    world.admin.raise_limits(&tenant.tenant_id).await?;
    world.tenants.push(Tenant {
        id: tenant.tenant_id,
        issuer: tenant.issuer,
    });
    Ok(())
}

#[given(regex = r"^a user (\w+)( of the other tenant)?$")]
pub async fn make_user(world: &mut CredoWorld, name: String, elsewhere: String) -> Result {
    let tenant = if elsewhere.is_empty() {
        world.tenant()?
    } else {
        world.other_tenant()?
    };
    let (email, password) = (format!("{name}-{}@example.test", random_text()), random_text());
    let request = CreateUserRequest {
        tenant_id: tenant.id.clone(),
        email: email.clone(),
        email_verified: true,
        display_name: format!("{name} of the tests"),
        password: password.clone(),
        ..CreateUserRequest::default()
    };
    let user = world.admin.create_user(request).await?;
    let user = User {
        tenant_id: user.tenant_id,
        id: user.user_id,
        email,
        password,
        display_name: user.display_name,
    };
    world.users.insert(name, user);
    Ok(())
}

#[given(regex = r"^(\w+) lives in the other tenant too, with another password$")]
pub async fn make_namesake(world: &mut CredoWorld, name: String) -> Result {
    let request = CreateUserRequest {
        tenant_id: world.other_tenant()?.id.clone(),
        email: world.user(&name)?.email.clone(),
        email_verified: true,
        display_name: name,
        password: random_text(),
        ..CreateUserRequest::default()
    };
    world.admin.create_user(request).await?;
    Ok(())
}

#[given(regex = r"^a (confidential|posting|public) client (\w+)( of the other tenant)?$")]
pub async fn make_client(world: &mut CredoWorld, kind: String, name: String, elsewhere: String) -> Result {
    let request = first_party(method_of(&kind));
    register(world, name, request, !elsewhere.is_empty()).await
}

#[given(regex = r"^a confidential client (\w+) with (\d+) seconds of grace$")]
pub async fn make_graceful_client(world: &mut CredoWorld, name: String, seconds: i32) -> Result {
    let request = CreateClientRequest {
        refresh_grace_seconds: seconds,
        ..first_party(Method::Basic)
    };
    register(world, name, request, false).await
}

#[given(regex = r"^a third-party client (\w+)$")]
pub async fn make_third_party_client(world: &mut CredoWorld, name: String) -> Result {
    let request = CreateClientRequest {
        first_party: false,
        ..first_party(Method::Basic)
    };
    register(world, name, request, false).await
}

#[given(regex = r"^a native client (\w+)$")]
pub async fn make_native_client(world: &mut CredoWorld, name: String) -> Result {
    let request = CreateClientRequest {
        first_party: false,
        application_type: "native".to_owned(),
        redirect_uris: vec!["http://127.0.0.1/callback".to_owned()],
        ..first_party(Method::Public)
    };
    register(world, name, request, false).await
}

#[given(regex = r#"^a (posting )?machine client (\w+) with the scope "([^"]*)"( of the other tenant)?$"#)]
pub async fn make_machine_client(
    world: &mut CredoWorld,
    method: String,
    name: String,
    scope: String,
    elsewhere: String,
) -> Result {
    let request = CreateClientRequest {
        token_endpoint_auth_method: if method.is_empty() {
            "client_secret_basic"
        } else {
            "client_secret_post"
        }
        .to_owned(),
        grant_types: vec!["client_credentials".to_owned()],
        scopes: scope.split_whitespace().map(ToOwned::to_owned).collect(),
        ..CreateClientRequest::default()
    };
    register(world, name, request, !elsewhere.is_empty()).await
}

fn method_of(kind: &str) -> Method {
    match kind {
        "posting" => Method::Post,
        "public" => Method::Public,
        _ => Method::Basic,
    }
}

fn first_party(method: Method) -> CreateClientRequest {
    let method = match method {
        Method::Basic => "client_secret_basic",
        Method::Post => "client_secret_post",
        Method::Public => "none",
    };
    CreateClientRequest {
        first_party: true,
        token_endpoint_auth_method: method.to_owned(),
        redirect_uris: vec!["https://app.example/callback".to_owned()],
        ..CreateClientRequest::default()
    }
}

pub(super) async fn register(
    world: &mut CredoWorld,
    name: String,
    request: CreateClientRequest,
    elsewhere: bool,
) -> Result {
    let tenant = if elsewhere {
        world.other_tenant()?
    } else {
        world.tenant()?
    };
    let request = CreateClientRequest {
        tenant_id: tenant.id.clone(),
        display_name: name.clone(),
        ..request
    };
    let issuer = tenant.issuer.clone();
    let (client, secret) = world.admin.create_client(request).await?;
    let client = Client {
        tenant_id: client.tenant_id,
        issuer,
        id: client.client_id,
        secret,
        method: match client.token_endpoint_auth_method.as_str() {
            "client_secret_post" => Method::Post,
            "none" => Method::Public,
            _ => Method::Basic,
        },
        redirect_uri: client.redirect_uris.into_iter().next().unwrap_or_default(),
    };
    world.clients.insert(name, client);
    Ok(())
}
