//! `credo.admin.v1.ClientService`.

use std::sync::Arc;

use credo_auth_store::admin::ClientRecord;
use credo_proto::admin::v1::{
    Client, ClientStatus, CreateClientRequest, CreateClientResponse, DisableClientRequest, DisableClientResponse,
    EnableClientRequest, EnableClientResponse, GetClientRequest, GetClientResponse, ListClientsRequest,
    ListClientsResponse, client_service_server::ClientService,
};
use secrecy::ExposeSecret as _;
use tonic::{Request, Response, Status};

use super::{
    call::{admitted, finish},
    change::changing,
    page::List,
    parse,
    status::refused,
};
use crate::{
    app::App,
    flows::admin::{ClientRegistration, create_client, disable_client, enable_client, get_client, list_clients},
};

/// The service.
pub(super) struct Clients(Arc<App>);

impl Clients {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self(Arc::clone(app))
    }
}

fn shape(client: ClientRecord) -> Client {
    Client {
        client_id: client.id.to_string(),
        tenant_id: client.tenant_id.to_string(),
        display_name: client.display_name,
        status: if client.active {
            ClientStatus::Active
        } else {
            ClientStatus::Disabled
        }
        .into(),
        first_party: client.first_party,
        token_endpoint_auth_method: client.token_endpoint_auth_method,
        grant_types: client.grant_types,
        redirect_uris: client.redirect_uris,
        scopes: client.scope.split_whitespace().map(ToOwned::to_owned).collect(),
        allowed_origins: client.allowed_origins,
        require_pkce: client.require_pkce,
        refresh_grace_seconds: client.refresh_grace_seconds,
        application_type: client.application_type,
        post_logout_redirect_uris: client.post_logout_redirect_uris,
        id_token_signed_response_alg: client.id_token_signed_response_alg,
        create_time: Some(parse::timestamp(client.created_at)),
        update_time: Some(parse::timestamp(client.updated_at)),
        etag: parse::etag(client.version),
        secrets: Vec::new(),
    }
}

fn registration(message: CreateClientRequest) -> ClientRegistration {
    ClientRegistration {
        display_name: message.display_name,
        first_party: message.first_party,
        token_endpoint_auth_method: message.token_endpoint_auth_method,
        grant_types: message.grant_types,
        redirect_uris: message.redirect_uris,
        scopes: message.scopes,
        allowed_origins: message.allowed_origins,
        dangerous_allow_missing_pkce: message.dangerous_allow_missing_pkce,
        refresh_grace_seconds: message.refresh_grace_seconds,
        application_type: message.application_type,
        post_logout_redirect_uris: message.post_logout_redirect_uris,
        id_token_signed_response_alg: message.id_token_signed_response_alg,
    }
}

#[tonic::async_trait]
impl ClientService for Clients {
    async fn create_client(
        &self,
        request: Request<CreateClientRequest>,
    ) -> Result<Response<CreateClientResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, registration) = (Arc::clone(&self.0), registration(message));
        let made = finish(&self.0, async move {
            create_client(&app, &change, scope, registration).await
        })
        .await?;
        Ok(Response::new(CreateClientResponse {
            client: Some(shape(made.client)),
            client_secret: made
                .secret
                .map(|secret| secret.expose_secret().to_owned())
                .unwrap_or_default(),
        }))
    }

    async fn get_client(&self, request: Request<GetClientRequest>) -> Result<Response<GetClientResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&self.0, &call, &message.tenant_id).await?;
        let client = parse::id("client_id", &message.client_id)?;
        let client = get_client(&self.0, scope, client).await.map_err(refused)?;
        Ok(Response::new(GetClientResponse {
            client: Some(shape(client)),
        }))
    }

    async fn list_clients(
        &self,
        request: Request<ListClientsRequest>,
    ) -> Result<Response<ListClientsResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&self.0, &call, &message.tenant_id).await?;
        let list = List::new(self.0.keyring.masters(), "clients", &[scope.id().as_bytes()]);
        let page = list.page(message.page_size, &message.page_token)?;
        let page = list_clients(&self.0, scope, page).await.map_err(refused)?;
        let end = page.items.last().map(|client| client.id);
        Ok(Response::new(ListClientsResponse {
            clients: page.items.into_iter().map(shape).collect(),
            next_page_token: list.next_page_token(end, page.has_more),
        }))
    }

    async fn disable_client(
        &self,
        request: Request<DisableClientRequest>,
    ) -> Result<Response<DisableClientResponse>, Status> {
        let (change, message) = changing(request)?;
        let change = change.expecting(&message.etag);
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, client) = (Arc::clone(&self.0), parse::id("client_id", &message.client_id)?);
        let disabled = finish(
            &self.0,
            async move { disable_client(&app, &change, scope, client).await },
        )
        .await?;
        Ok(Response::new(DisableClientResponse {
            client: Some(shape(disabled)),
        }))
    }

    async fn enable_client(
        &self,
        request: Request<EnableClientRequest>,
    ) -> Result<Response<EnableClientResponse>, Status> {
        let (change, message) = changing(request)?;
        let change = change.expecting(&message.etag);
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, client) = (Arc::clone(&self.0), parse::id("client_id", &message.client_id)?);
        let enabled = finish(
            &self.0,
            async move { enable_client(&app, &change, scope, client).await },
        )
        .await?;
        Ok(Response::new(EnableClientResponse {
            client: Some(shape(enabled)),
        }))
    }
}
