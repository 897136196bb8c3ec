//! `credo.admin.v1.ClientService`.

use std::sync::Arc;

use credo_auth_store::admin::{ClientRecord, ClientSecretRecord};
use credo_ids::{ClientId, TenantId};
use credo_proto::admin::v1::{
    Client, ClientSecret, ClientStatus, CreateClientRequest, CreateClientResponse, DeleteClientRequest,
    DeleteClientResponse, DisableClientRequest, DisableClientResponse, EnableClientRequest, EnableClientResponse,
    GetClientRequest, GetClientResponse, ListClientsRequest, ListClientsResponse, RotateClientSecretRequest,
    RotateClientSecretResponse, UpdateClientRequest, UpdateClientResponse, client_service_server::ClientService,
};
use secrecy::ExposeSecret as _;
use tonic::{Request, Response, Status};

use super::{
    call::{admitted, finish},
    change::changing,
    mask::Mask,
    page::List,
    parse,
    status::refused,
};
use crate::{
    app::App,
    flows::admin::{
        AdminRefusal, ClientRegistration, ClientUpdate, create_client, delete_client, disable_client, enable_client,
        get_client, list_clients, rotate_client_secret, update_client,
    },
};

/// The service.
pub(super) struct Clients(Arc<App>);

impl Clients {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self(Arc::clone(app))
    }

    /// Clients of a tenant, with their secrets.
    async fn show(&self, tenant: TenantId, clients: Vec<ClientRecord>) -> Result<Vec<Client>, Status> {
        let ids: Vec<ClientId> = clients.iter().map(|client| client.id).collect();
        let secrets = self.0.store.list_client_secrets(tenant, &ids).await;
        let secrets = secrets.map_err(|fault| refused(AdminRefusal::from(fault)))?;
        let shapes = clients.into_iter().map(|client| {
            let own = secrets.iter().filter(|secret| secret.client_id == client.id);
            let own = own.map(shape_secret).collect();
            shape(client, own)
        });
        Ok(shapes.collect())
    }

    /// A client that was changed. Should its secrets not be found now, it is shown without them: the answer may carry a secret
    /// that is shown once.
    async fn show_changed(&self, client: ClientRecord) -> Option<Client> {
        let shown = self.show(client.tenant_id, vec![client.clone()]).await;
        let shown = shown.unwrap_or_else(|_| vec![shape(client, Vec::new())]);
        shown.into_iter().next()
    }
}

fn shape_secret(secret: &ClientSecretRecord) -> ClientSecret {
    ClientSecret {
        secret_id: secret.id.to_string(),
        create_time: Some(parse::timestamp(secret.created_at)),
        expire_time: secret.expires_at.map(parse::timestamp),
    }
}

/// What may be changed of a client.
const UPDATABLE: [&str; 10] = [
    "display_name",
    "first_party",
    "grant_types",
    "redirect_uris",
    "post_logout_redirect_uris",
    "scopes",
    "allowed_origins",
    "require_pkce",
    "refresh_grace_seconds",
    "id_token_signed_response_alg",
];

fn update(client: Client, mask: &Mask) -> ClientUpdate {
    ClientUpdate {
        display_name: mask.take("display_name", client.display_name),
        first_party: mask.take("first_party", client.first_party),
        grant_types: mask.take("grant_types", client.grant_types),
        redirect_uris: mask.take("redirect_uris", client.redirect_uris),
        post_logout_redirect_uris: mask.take("post_logout_redirect_uris", client.post_logout_redirect_uris),
        scopes: mask.take("scopes", client.scopes),
        allowed_origins: mask.take("allowed_origins", client.allowed_origins),
        require_pkce: mask.take("require_pkce", client.require_pkce),
        refresh_grace_seconds: mask.take("refresh_grace_seconds", client.refresh_grace_seconds),
        id_token_signed_response_alg: mask.take("id_token_signed_response_alg", client.id_token_signed_response_alg),
    }
}

fn shape(client: ClientRecord, secrets: Vec<ClientSecret>) -> Client {
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
        secrets,
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
            client: self.show_changed(made.client).await,
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
            client: self.show(scope.id(), vec![client]).await?.pop(),
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
            next_page_token: list.next_page_token(end, page.has_more),
            clients: self.show(scope.id(), page.items).await?,
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
            client: self.show_changed(disabled).await,
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
            client: self.show_changed(enabled).await,
        }))
    }

    async fn update_client(
        &self,
        request: Request<UpdateClientRequest>,
    ) -> Result<Response<UpdateClientResponse>, Status> {
        let (change, message) = changing(request)?;
        let client = message.client.unwrap_or_default();
        let change = change.expecting(&client.etag);
        let scope = parse::tenant(&self.0, &change.call, &client.tenant_id).await?;
        let (app, id) = (Arc::clone(&self.0), parse::id("client_id", &client.client_id)?);
        let update = update(client, &Mask::parse(message.update_mask, &UPDATABLE)?);
        let updated = finish(&self.0, async move {
            update_client(&app, &change, scope, (id, update)).await
        })
        .await?;
        Ok(Response::new(UpdateClientResponse {
            client: self.show_changed(updated).await,
        }))
    }

    async fn delete_client(
        &self,
        request: Request<DeleteClientRequest>,
    ) -> Result<Response<DeleteClientResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let change = change.expecting(&message.etag).because(message.reason)?;
        let (app, client) = (Arc::clone(&self.0), parse::id("client_id", &message.client_id)?);
        finish(
            &self.0,
            async move { delete_client(&app, &change, scope, client).await },
        )
        .await?;
        Ok(Response::new(DeleteClientResponse {}))
    }

    async fn rotate_client_secret(
        &self,
        request: Request<RotateClientSecretRequest>,
    ) -> Result<Response<RotateClientSecretResponse>, Status> {
        let (change, message) = changing(request)?;
        let change = change.expecting(&message.etag);
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, client) = (Arc::clone(&self.0), parse::id("client_id", &message.client_id)?);
        let overlap = message
            .overlap
            .map(|overlap| time::Duration::new(overlap.seconds, overlap.nanos));
        let rotated = finish(&self.0, async move {
            rotate_client_secret(&app, &change, scope, (client, overlap)).await
        })
        .await?;
        Ok(Response::new(RotateClientSecretResponse {
            client: self.show_changed(rotated.client).await,
            client_secret: rotated
                .secret
                .map(|secret| secret.expose_secret().to_owned())
                .unwrap_or_default(),
        }))
    }
}
