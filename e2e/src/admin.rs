//! The admin APIs over gRPC, by whoever holds a token.

use std::time::Duration;

use anyhow::{Context as _, Result};
use credo_proto::admin::v1::{
    AuditEvent, Client as RegisteredClient, ClientStatus, CreateClientRequest, CreateTenantRequest, CreateUserRequest,
    DisableClientRequest, DisableUserRequest, EnableClientRequest, EnableUserRequest, GetOutboxStatusRequest,
    GetOutboxStatusResponse, QueryEventsRequest, RateClass, SetRateLimitRequest, Tenant, User as Person, UserStatus,
    audit_service_client::AuditServiceClient, client_service_client::ClientServiceClient,
    outbox_service_client::OutboxServiceClient, rate_limit_service_client::RateLimitServiceClient,
    session_service_client::SessionServiceClient, tenant_service_client::TenantServiceClient,
    user_service_client::UserServiceClient,
};
use tokio::{sync::Mutex, time::Instant};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::{
    oauth::{Api, Client, Method},
    stack::Stack,
};

/// Much less than the five minutes that an admin token lives.
const TOKEN_REUSE: Duration = Duration::from_mins(2);
const TIMEOUT: Duration = Duration::from_secs(10);
/// Limits that a scenario's tenant has higher than others.
pub const RAISED: [RateClass; 4] = [
    RateClass::Auth,
    RateClass::Sensitive,
    RateClass::Read,
    RateClass::Client,
];
/// More than any scenario asks for.
const REQUESTS_PER_MINUTE: i32 = 1_000_000;

/// A gRPC channel whose requests carry a token.
pub type Wire = InterceptedService<Channel, Bearer>;

/// The tokens of the first admin client, by scope, while they can be used again.
static TOKENS: Mutex<Vec<(String, Instant, String)>> = Mutex::const_new(Vec::new());

/// Puts a token on requests, or nothing.
#[derive(Clone, Debug)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// A caller of the admin APIs.
#[derive(Clone, Debug)]
pub struct Admin {
    auth: Wire,
    relay: Wire,
    audit: Wire,
}

impl Admin {
    /// The first admin client of the tenant `system`, with all that it may do.
    ///
    /// # Errors
    /// If it gets no token.
    pub async fn system(stack: &Stack, api: &Api) -> Result<Self> {
        Self::system_with_scope(stack, api, &stack.admin.scope).await
    }

    /// The first admin client of the tenant `system`, with no more than `scope`.
    ///
    /// # Errors
    /// If it gets no token.
    pub async fn system_with_scope(stack: &Stack, api: &Api, scope: &str) -> Result<Self> {
        let mut tokens = TOKENS.lock().await;
        tokens.retain(|(_, taken_at, _)| taken_at.elapsed() < TOKEN_REUSE);
        if let Some((_, _, token)) = tokens.iter().find(|(known, _, _)| known == scope) {
            return Self::bearing(stack, Some(token));
        }
        let client = Client {
            tenant_id: String::new(),
            issuer: stack.issuer("system"),
            id: stack.admin.client_id.clone(),
            secret: stack.admin.client_secret.clone(),
            method: Method::Basic,
            redirect_uri: String::new(),
        };
        let answer = api.client_credentials(&client, Some(scope)).await?;
        let token = answer
            .tokens()
            .context("the first admin client gets no token")?
            .access_token;
        tokens.push((scope.to_owned(), Instant::now(), token.clone()));
        Self::bearing(stack, Some(&token))
    }

    /// Whoever holds `token`, or nobody.
    ///
    /// # Errors
    /// If the token cannot stand in a header.
    pub fn bearing(stack: &Stack, token: Option<&str>) -> Result<Self> {
        let value = token.map(|token| format!("Bearer {token}").parse()).transpose()?;
        let wire = |service: &str| -> Result<Wire> {
            let channel = Endpoint::from_shared(stack.service(service)?.grpc.clone())?
                .timeout(TIMEOUT)
                .connect_lazy();
            Ok(InterceptedService::new(channel, Bearer(value.clone())))
        };
        Ok(Self {
            auth: wire("auth-api")?,
            relay: wire("outbox-relay")?,
            audit: wire("audit-consumer")?,
        })
    }

    /// The wire to the service that has an admin API: `TenantService` and so on.
    pub fn wire(&self, service: &str) -> Wire {
        match service {
            "OutboxService" => self.relay.clone(),
            "AuditService" => self.audit.clone(),
            _ => self.auth.clone(),
        }
    }

    pub fn tenants(&self) -> TenantServiceClient<Wire> {
        TenantServiceClient::new(self.auth.clone())
    }

    pub fn clients(&self) -> ClientServiceClient<Wire> {
        ClientServiceClient::new(self.auth.clone())
    }

    pub fn sessions(&self) -> SessionServiceClient<Wire> {
        SessionServiceClient::new(self.auth.clone())
    }

    pub fn users(&self) -> UserServiceClient<Wire> {
        UserServiceClient::new(self.auth.clone())
    }

    /// Makes a tenant.
    ///
    /// # Errors
    /// As the server answers.
    pub async fn create_tenant(&self, slug: &str) -> Result<Tenant, Status> {
        let request = CreateTenantRequest {
            slug: slug.to_owned(),
            display_name: format!("Tenant {slug}"),
            ..CreateTenantRequest::default()
        };
        let answer = self.tenants().create_tenant(request).await?.into_inner();
        answer.tenant.ok_or_else(|| Status::internal("no tenant came back"))
    }

    /// Sets a tenant's limits so high that no scenario meets them that is not about them.
    ///
    /// # Errors
    /// As the server answers.
    pub async fn raise_limits(&self, tenant_id: &str) -> Result<(), Status> {
        let classes = [
            RateClass::Auth,
            RateClass::Sensitive,
            RateClass::Read,
            RateClass::Client,
        ];
        for class in classes {
            let request = SetRateLimitRequest {
                tenant_id: tenant_id.to_owned(),
                rate_class: class.into(),
                requests_per_minute: REQUESTS_PER_MINUTE,
                ..SetRateLimitRequest::default()
            };
            RateLimitServiceClient::new(self.auth.clone())
                .set_rate_limit(request)
                .await?;
        }
        Ok(())
    }

    /// Makes a user.
    ///
    /// # Errors
    /// As the server answers.
    pub async fn create_user(&self, request: CreateUserRequest) -> Result<Person, Status> {
        let answer = self.users().create_user(request).await?.into_inner();
        answer.user.ok_or_else(|| Status::internal("no user came back"))
    }

    /// Makes a client; the second is its secret.
    ///
    /// # Errors
    /// As the server answers.
    pub async fn create_client(&self, request: CreateClientRequest) -> Result<(RegisteredClient, String), Status> {
        let answer = self.clients().create_client(request).await?.into_inner();
        let client = answer.client.ok_or_else(|| Status::internal("no client came back"))?;
        Ok((client, answer.client_secret))
    }

    /// Disables or enables a user.
    ///
    /// # Errors
    /// As the server answers.
    pub async fn set_user_enabled(&self, tenant_id: &str, user_id: &str, on: bool) -> Result<UserStatus, Status> {
        let (tenant_id, user_id) = (tenant_id.to_owned(), user_id.to_owned());
        let user = if on {
            self.users()
                .enable_user(EnableUserRequest {
                    tenant_id,
                    user_id,
                    ..Default::default()
                })
                .await?
                .into_inner()
                .user
        } else {
            self.users()
                .disable_user(DisableUserRequest {
                    tenant_id,
                    user_id,
                    ..Default::default()
                })
                .await?
                .into_inner()
                .user
        };
        Ok(user.map(|user| user.status()).unwrap_or_default())
    }

    /// Disables or enables a client.
    ///
    /// # Errors
    /// As the server answers.
    pub async fn set_client_enabled(&self, tenant_id: &str, client_id: &str, on: bool) -> Result<ClientStatus, Status> {
        let (tenant_id, client_id) = (tenant_id.to_owned(), client_id.to_owned());
        let client = if on {
            self.clients()
                .enable_client(EnableClientRequest {
                    tenant_id,
                    client_id,
                    ..Default::default()
                })
                .await?
                .into_inner()
                .client
        } else {
            self.clients()
                .disable_client(DisableClientRequest {
                    tenant_id,
                    client_id,
                    ..Default::default()
                })
                .await?
                .into_inner()
                .client
        };
        Ok(client.map(|client| client.status()).unwrap_or_default())
    }

    /// Every event that a query finds, page by page.
    ///
    /// # Errors
    /// As the server answers.
    pub async fn events(&self, mut query: QueryEventsRequest) -> Result<Vec<AuditEvent>, Status> {
        let mut audit = AuditServiceClient::new(self.audit.clone()).max_decoding_message_size(64 << 20);
        let mut events = Vec::new();
        loop {
            let page = audit.query_events(query.clone()).await?.into_inner();
            events.extend(page.events);
            if page.next_page_token.is_empty() {
                return Ok(events);
            }
            query.page_token = page.next_page_token;
        }
    }

    /// How far the relay is.
    ///
    /// # Errors
    /// As the server answers.
    pub async fn outbox_status(&self) -> Result<GetOutboxStatusResponse, Status> {
        let mut outbox = OutboxServiceClient::new(self.relay.clone());
        Ok(outbox.get_outbox_status(GetOutboxStatusRequest {}).await?.into_inner())
    }
}
