//! `credo.admin.v1.TenantService`.

use std::sync::Arc;

use credo_auth_domain::tenant::issuer;
use credo_auth_store::admin::{NewBranding, TenantKey, TenantRecord};
use credo_proto::admin::v1::{
    Branding, CreateTenantRequest, CreateTenantResponse, GetTenantRequest, GetTenantResponse, ListTenantsRequest,
    ListTenantsResponse, Tenant, TenantStatus, get_tenant_request::By, tenant_service_server::TenantService,
};
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
    flows::admin::{AdminRefusal, TenantDraft, create_tenant, get_tenant, list_tenants},
};

/// The service.
pub(super) struct Tenants(Arc<App>);

impl Tenants {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self(Arc::clone(app))
    }

    fn shape(&self, tenant: TenantRecord) -> Tenant {
        Tenant {
            tenant_id: tenant.id.to_string(),
            issuer: issuer(&self.0.settings.public_base_url, &tenant.slug),
            slug: tenant.slug,
            display_name: tenant.display_name,
            status: if tenant.active {
                TenantStatus::Active
            } else {
                TenantStatus::Suspended
            }
            .into(),
            create_unknown_users: tenant.create_unknown_users,
            dangerous_trust_email: tenant.dangerous_trust_email,
            create_time: Some(parse::timestamp(tenant.created_at)),
            update_time: Some(parse::timestamp(tenant.updated_at)),
            etag: parse::etag(tenant.version),
            branding: Some(Branding {
                accent_color: tenant.accent_color.unwrap_or_default(),
                accent_color_dark: tenant.accent_color_dark.unwrap_or_default(),
                logo: Vec::new(),
                logo_sha256: tenant.logo_sha256.unwrap_or_default(),
            }),
        }
    }
}

/// What is empty is Credo's own.
fn branding(message: Branding) -> NewBranding {
    let text = |text: String| Some(text).filter(|text| !text.is_empty());
    NewBranding {
        accent_color: text(message.accent_color),
        accent_color_dark: text(message.accent_color_dark),
        logo: Some(message.logo).filter(|logo| !logo.is_empty()),
    }
}

#[tonic::async_trait]
impl TenantService for Tenants {
    async fn create_tenant(
        &self,
        request: Request<CreateTenantRequest>,
    ) -> Result<Response<CreateTenantResponse>, Status> {
        let (change, message) = changing(request)?;
        let draft = TenantDraft {
            slug: message.slug,
            display_name: message.display_name,
            create_unknown_users: message.create_unknown_users,
            dangerous_trust_email: message.dangerous_trust_email,
            branding: branding(message.branding.unwrap_or_default()),
        };
        let app = Arc::clone(&self.0);
        let made = finish(&self.0, async move { create_tenant(&app, &change, draft).await }).await?;
        Ok(Response::new(CreateTenantResponse {
            tenant: Some(self.shape(made)),
        }))
    }

    async fn get_tenant(&self, request: Request<GetTenantRequest>) -> Result<Response<GetTenantResponse>, Status> {
        let (call, message) = admitted(request)?;
        let key = match message.by {
            Some(By::TenantId(id)) => TenantKey::Id(parse::id("tenant_id", &id)?),
            Some(By::Slug(slug)) => TenantKey::Slug(slug),
            None => return Err(refused(AdminRefusal::invalid("by", "must be tenant_id or slug"))),
        };
        let tenant = get_tenant(&self.0, &call, &key).await.map_err(refused)?;
        Ok(Response::new(GetTenantResponse {
            tenant: Some(self.shape(tenant)),
        }))
    }

    async fn list_tenants(
        &self,
        request: Request<ListTenantsRequest>,
    ) -> Result<Response<ListTenantsResponse>, Status> {
        let (call, message) = admitted(request)?;
        let list = List::new(self.0.keyring.masters(), "tenants", &[]);
        let page = list.page(message.page_size, &message.page_token)?;
        let page = list_tenants(&self.0, &call, page).await.map_err(refused)?;
        let end = page.items.last().map(|tenant| tenant.id);
        Ok(Response::new(ListTenantsResponse {
            tenants: page.items.into_iter().map(|tenant| self.shape(tenant)).collect(),
            next_page_token: list.next_page_token(end, page.has_more),
        }))
    }
}
