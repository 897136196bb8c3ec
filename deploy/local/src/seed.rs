//! The demo tenant with its users and clients, made through the public admin API. Doing it twice changes nothing.

use anyhow::{Context as _, Result};
use credo_proto::admin::v1::{
    Client, ClientStatus, CreateClientRequest, CreateTenantRequest, CreateUserRequest, GetTenantRequest,
    ListClientsRequest, LookUpUserRequest, Tenant, client_service_client::ClientServiceClient, get_tenant_request::By,
    tenant_service_client::TenantServiceClient, user_service_client::UserServiceClient,
};
use tonic::Code;

use crate::{
    admin::{AdminChannel, explain},
    stack_file::{Demo, DemoClient, DemoUser},
    state::{self, State},
};

/// The slug of the demo tenant.
pub const TENANT: &str = "demo";
/// What the demo's service may ask for.
pub const SERVICE_SCOPES: [&str; 2] = ["demo.read", "demo.write"];
/// Fixed: everything listens on loopback only, and a person should be able to learn them.
const USERS: [(&str, &str, &str); 2] = [
    ("alice@demo.example", "Alice Demo", "alice-likes-long-walks"),
    ("bob@demo.example", "Bob Demo", "bob-likes-short-naps"),
];

/// One demo client as it should be.
struct Wanted {
    name: &'static str,
    public: bool,
    first_party: bool,
    signs_in: bool,
}

const CLIENTS: [Wanted; 4] = [
    Wanted {
        name: "web",
        public: false,
        first_party: false,
        signs_in: true,
    },
    Wanted {
        name: "spa",
        public: true,
        first_party: false,
        signs_in: true,
    },
    Wanted {
        name: "first-party",
        public: false,
        first_party: true,
        signs_in: true,
    },
    Wanted {
        name: "service",
        public: false,
        first_party: false,
        signs_in: false,
    },
];

/// Makes what is missing. `landing_url` is where redirect URIs lead.
///
/// # Errors
/// If the admin API refuses.
pub async fn seed(channel: AdminChannel, state: &mut State, landing_url: &str) -> Result<Demo> {
    let tenant = ensure_tenant(channel.clone()).await?;
    let mut users = UserServiceClient::new(channel.clone());
    for (email, display_name, password) in USERS {
        ensure_user(&mut users, &tenant.tenant_id, email, display_name, password).await?;
    }
    let mut clients = ClientServiceClient::new(channel);
    let existing = list_clients(&mut clients, &tenant.tenant_id).await?;
    let mut demo_clients = Vec::new();
    for wanted in &CLIENTS {
        let redirect_uri = format!("{landing_url}/callback/{}", wanted.name);
        let remembered = state.demo_clients.get(wanted.name).filter(|remembered| {
            existing
                .iter()
                .any(|client| client.client_id == remembered.client_id && serves(client, wanted, &redirect_uri))
        });
        let client = match remembered {
            Some(client) => client.clone(),
            None => create_client(&mut clients, &tenant.tenant_id, wanted, &redirect_uri).await?,
        };
        state.demo_clients.insert(wanted.name.to_owned(), client.clone());
        demo_clients.push(describe(wanted, client, redirect_uri));
    }
    let users = USERS.map(|(email, _, password)| DemoUser {
        email: email.to_owned(),
        password: password.to_owned(),
    });
    Ok(Demo {
        tenant: tenant.slug,
        tenant_id: tenant.tenant_id,
        issuer: tenant.issuer,
        users: users.into(),
        clients: demo_clients,
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
        ..CreateTenantRequest::default()
    };
    let answer = tenants
        .create_tenant(new)
        .await
        .map_err(explain("the demo tenant cannot be made"))?;
    answer.into_inner().tenant.context("auth-api answered no tenant")
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
    };
    users
        .create_user(new)
        .await
        .map_err(explain("a demo user cannot be made"))?;
    Ok(())
}

async fn list_clients(clients: &mut ClientServiceClient<AdminChannel>, tenant_id: &str) -> Result<Vec<Client>> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListClientsRequest {
            tenant_id: tenant_id.to_owned(),
            page_size: 1000,
            page_token,
        };
        let answer = clients
            .list_clients(request)
            .await
            .map_err(explain("the demo clients cannot be listed"))?;
        let page = answer.into_inner();
        all.extend(page.clients);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        page_token = page.next_page_token;
    }
}

async fn create_client(
    clients: &mut ClientServiceClient<AdminChannel>,
    tenant_id: &str,
    wanted: &Wanted,
    redirect_uri: &str,
) -> Result<state::DemoClient> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let request = CreateClientRequest {
        tenant_id: tenant_id.to_owned(),
        display_name: wanted.name.to_owned(),
        first_party: wanted.first_party,
        token_endpoint_auth_method: if wanted.public { "none" } else { "client_secret_basic" }.to_owned(),
        grant_types: if wanted.signs_in {
            owned(&["authorization_code", "refresh_token"])
        } else {
            owned(&["client_credentials"])
        },
        redirect_uris: if wanted.signs_in {
            owned(&[redirect_uri])
        } else {
            Vec::new()
        },
        scopes: if wanted.signs_in {
            Vec::new()
        } else {
            owned(&SERVICE_SCOPES)
        },
        ..CreateClientRequest::default()
    };
    let answer = clients
        .create_client(request)
        .await
        .map_err(explain("a demo client cannot be made"))?
        .into_inner();
    let client_id = answer.client.context("auth-api answered no client")?.client_id;
    let client_secret = (!answer.client_secret.is_empty()).then_some(answer.client_secret);
    Ok(state::DemoClient {
        client_id,
        client_secret,
    })
}

fn serves(client: &Client, wanted: &Wanted, redirect_uri: &str) -> bool {
    client.status() == ClientStatus::Active
        && (!wanted.signs_in || client.redirect_uris.iter().any(|registered| registered == redirect_uri))
}

fn describe(wanted: &Wanted, client: state::DemoClient, redirect_uri: String) -> DemoClient {
    DemoClient {
        name: wanted.name.to_owned(),
        client_type: if wanted.public { "public" } else { "confidential" }.to_owned(),
        first_party: wanted.first_party,
        grant_types: if wanted.signs_in {
            Vec::new()
        } else {
            vec!["client_credentials".to_owned()]
        },
        client_id: client.client_id,
        client_secret: client.client_secret,
        redirect_uris: if wanted.signs_in {
            vec![redirect_uri]
        } else {
            Vec::new()
        },
    }
}
