//! The demo clients: one of each kind that there is.

use anyhow::{Context as _, Result};
use credo_proto::admin::v1::{
    Client, ClientStatus, CreateClientRequest, ListClientsRequest, client_service_client::ClientServiceClient,
};

use crate::{
    admin::{AdminChannel, explain},
    stack_file::DemoClient,
    state::{self, State},
};

/// What the demo's service may ask for.
const SERVICE_SCOPES: [&str; 2] = ["demo.read", "demo.write"];
/// What a person's client may ask for.
const SCOPES: [&str; 6] = ["openid", "profile", "email", "phone", "address", "offline_access"];

/// One demo client as it should be.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    name: &'static str,
    kind: Kind,
    public: bool,
    first_party: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Signs people in, and has a page to come back to.
    Web,
    /// Signs people in, and listens on whatever port is free.
    Native,
    /// Speaks for itself alone.
    Service,
}

const fn wanted(name: &'static str, kind: Kind, public: bool, first_party: bool) -> Wanted {
    Wanted {
        name,
        kind,
        public,
        first_party,
    }
}

const CLIENTS: [Wanted; 5] = [
    wanted("web", Kind::Web, false, false),
    wanted("spa", Kind::Web, true, false),
    wanted("native", Kind::Native, true, false),
    wanted("first-party", Kind::Web, false, true),
    wanted("service", Kind::Service, false, false),
];

/// Makes the clients that are missing, or are not as they should be.
///
/// # Errors
/// If the admin API refuses.
pub async fn ensure(
    channel: AdminChannel,
    state: &mut State,
    tenant_id: &str,
    landing_url: &str,
) -> Result<Vec<DemoClient>> {
    let mut clients = ClientServiceClient::new(channel);
    let existing = list_clients(&mut clients, tenant_id).await?;
    let mut demo_clients = Vec::new();
    for wanted in CLIENTS {
        let request = wanted.request(tenant_id, landing_url);
        let remembered = state.demo_clients.get(wanted.name).filter(|remembered| {
            existing
                .iter()
                .any(|client| client.client_id == remembered.client_id && serves(client, &request))
        });
        let client = match remembered {
            Some(client) => client.clone(),
            None => create_client(&mut clients, request.clone()).await?,
        };
        state.demo_clients.insert(wanted.name.to_owned(), client.clone());
        demo_clients.push(wanted.describe(client, request));
    }
    Ok(demo_clients)
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
    request: CreateClientRequest,
) -> Result<state::DemoClient> {
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

fn serves(client: &Client, wanted: &CreateClientRequest) -> bool {
    client.status() == ClientStatus::Active
        && client.redirect_uris == wanted.redirect_uris
        && client.post_logout_redirect_uris == wanted.post_logout_redirect_uris
        && client.application_type == wanted.application_type
        && client.scopes == wanted.scopes
}

impl Wanted {
    fn request(self, tenant_id: &str, landing_url: &str) -> CreateClientRequest {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (application_type, redirect_uris, post_logout_redirect_uris) = match self.kind {
            Kind::Web => (
                "web",
                vec![format!("{landing_url}/callback/{}", self.name)],
                vec![format!("{landing_url}/signed-out/{}", self.name)],
            ),
            Kind::Native => (
                "native",
                owned(&["http://127.0.0.1/callback"]),
                owned(&["http://127.0.0.1/signed-out"]),
            ),
            Kind::Service => ("web", Vec::new(), Vec::new()),
        };
        let (grant_types, scopes) = if self.kind == Kind::Service {
            (owned(&["client_credentials"]), owned(&SERVICE_SCOPES))
        } else {
            (owned(&["authorization_code", "refresh_token"]), owned(&SCOPES))
        };
        CreateClientRequest {
            tenant_id: tenant_id.to_owned(),
            display_name: self.name.to_owned(),
            first_party: self.first_party,
            token_endpoint_auth_method: if self.public { "none" } else { "client_secret_basic" }.to_owned(),
            application_type: application_type.to_owned(),
            grant_types,
            redirect_uris,
            post_logout_redirect_uris,
            scopes,
            ..CreateClientRequest::default()
        }
    }

    fn describe(self, client: state::DemoClient, request: CreateClientRequest) -> DemoClient {
        DemoClient {
            name: self.name.to_owned(),
            client_type: if self.public { "public" } else { "confidential" }.to_owned(),
            application_type: request.application_type,
            first_party: self.first_party,
            grant_types: if self.kind == Kind::Service {
                request.grant_types
            } else {
                Vec::new()
            },
            client_id: client.client_id,
            client_secret: client.client_secret,
            redirect_uris: request.redirect_uris,
            post_logout_redirect_uris: request.post_logout_redirect_uris,
        }
    }
}
