//! `credo.admin.v1.TenantService`.

use std::sync::Arc;

use credo_auth_domain::tenant::issuer;
use credo_auth_store::admin::{NewBranding, TenantKey, TenantRecord};
use credo_proto::admin::v1::{
    Branding, CreateTenantRequest, CreateTenantResponse, DeleteTenantRequest, DeleteTenantResponse, GetTenantRequest,
    GetTenantResponse, ListTenantsRequest, ListTenantsResponse, ResumeTenantRequest, ResumeTenantResponse,
    SuspendTenantRequest, SuspendTenantResponse, Tenant, TenantStatus, UpdateTenantRequest, UpdateTenantResponse,
    get_tenant_request::By, tenant_service_server::TenantService,
};
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
        AdminRefusal, TenantDraft, TenantUpdate, create_tenant, delete_tenant, get_tenant, list_tenants, resume_tenant,
        suspend_tenant, update_tenant,
    },
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

/// What may be changed of a tenant.
const UPDATABLE: [&str; 6] = [
    "display_name",
    "create_unknown_users",
    "branding",
    "branding.accent_color",
    "branding.accent_color_dark",
    "branding.logo",
];

fn update(tenant: Tenant, mask: &Mask) -> TenantUpdate {
    let look = branding(tenant.branding.unwrap_or_default());
    TenantUpdate {
        display_name: mask.take("display_name", tenant.display_name),
        create_unknown_users: mask.take("create_unknown_users", tenant.create_unknown_users),
        accent_color: mask.take("branding.accent_color", look.accent_color),
        accent_color_dark: mask.take("branding.accent_color_dark", look.accent_color_dark),
        logo: mask.take("branding.logo", look.logo),
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

    async fn update_tenant(
        &self,
        request: Request<UpdateTenantRequest>,
    ) -> Result<Response<UpdateTenantResponse>, Status> {
        let (change, message) = changing(request)?;
        let tenant = message.tenant.unwrap_or_default();
        let change = change.expecting(&tenant.etag);
        let scope = parse::tenant(&self.0, &change.call, &tenant.tenant_id).await?;
        let update = update(tenant, &Mask::parse(message.update_mask, &UPDATABLE)?);
        let app = Arc::clone(&self.0);
        let updated = finish(
            &self.0,
            async move { update_tenant(&app, &change, scope, update).await },
        )
        .await?;
        Ok(Response::new(UpdateTenantResponse {
            tenant: Some(self.shape(updated)),
        }))
    }

    async fn suspend_tenant(
        &self,
        request: Request<SuspendTenantRequest>,
    ) -> Result<Response<SuspendTenantResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let change = change.expecting(&message.etag).because(message.reason)?;
        let app = Arc::clone(&self.0);
        let suspended = finish(&self.0, async move { suspend_tenant(&app, &change, scope).await }).await?;
        Ok(Response::new(SuspendTenantResponse {
            tenant: Some(self.shape(suspended)),
        }))
    }

    async fn resume_tenant(
        &self,
        request: Request<ResumeTenantRequest>,
    ) -> Result<Response<ResumeTenantResponse>, Status> {
        let (change, message) = changing(request)?;
        let change = change.expecting(&message.etag);
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let app = Arc::clone(&self.0);
        let resumed = finish(&self.0, async move { resume_tenant(&app, &change, scope).await }).await?;
        Ok(Response::new(ResumeTenantResponse {
            tenant: Some(self.shape(resumed)),
        }))
    }

    async fn delete_tenant(
        &self,
        request: Request<DeleteTenantRequest>,
    ) -> Result<Response<DeleteTenantResponse>, Status> {
        let (change, message) = changing(request)?;
        // A repeated call finds no tenant any more, and is answered as the first was.
        let scope = parse::maybe_tenant(&self.0, &change.call, &message.tenant_id).await?;
        let change = change.expecting(&message.etag).because(message.reason)?;
        let app = Arc::clone(&self.0);
        finish(&self.0, async move { delete_tenant(&app, &change, scope).await }).await?;
        Ok(Response::new(DeleteTenantResponse {}))
    }
}
