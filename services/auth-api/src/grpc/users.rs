//! `credo.admin.v1.UserService`.

use std::sync::Arc;

use credo_auth_store::admin::UserRecord;
use credo_proto::admin::v1::{
    CreateUserRequest, CreateUserResponse, DisableUserRequest, DisableUserResponse, EnableUserRequest,
    EnableUserResponse, GetUserRequest, GetUserResponse, LookUpUserRequest, LookUpUserResponse, User, UserStatus,
    user_service_server::UserService,
};
use tonic::{Request, Response, Status};

use super::{
    call::{admitted, finish},
    parse, profile,
    status::refused,
};
use crate::{
    app::App,
    flows::admin::{UserDraft, create_user, disable_user, enable_user, get_user, look_up_user},
};

/// The service.
pub(super) struct Users(Arc<App>);

impl Users {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self(Arc::clone(app))
    }
}

fn shape(user: UserRecord) -> User {
    User {
        user_id: user.id.to_string(),
        tenant_id: user.tenant_id.to_string(),
        email: user.email,
        email_verified: user.email_verified,
        display_name: user.display_name.unwrap_or_default(),
        profile: Some(profile::shape(user.profile.0)),
        status: if user.active {
            UserStatus::Active
        } else {
            UserStatus::Disabled
        }
        .into(),
        create_time: Some(parse::timestamp(user.created_at)),
        update_time: Some(parse::timestamp(user.updated_at)),
        etag: parse::etag(user.version),
        admin_scopes: Vec::new(),
        sign_in: None,
    }
}

#[tonic::async_trait]
impl UserService for Users {
    async fn create_user(&self, request: Request<CreateUserRequest>) -> Result<Response<CreateUserResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&call, &message.tenant_id)?;
        let draft = UserDraft {
            email: message.email,
            email_verified: message.email_verified,
            display_name: message.display_name,
            profile: message.profile.map(profile::parse).unwrap_or_default(),
            password: message.password.into(),
        };
        let app = Arc::clone(&self.0);
        let made = finish(&self.0, async move { create_user(&app, &call, scope, draft).await }).await?;
        Ok(Response::new(CreateUserResponse {
            user: Some(shape(made)),
        }))
    }

    async fn get_user(&self, request: Request<GetUserRequest>) -> Result<Response<GetUserResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&call, &message.tenant_id)?;
        let user = parse::id("user_id", &message.user_id)?;
        let user = get_user(&self.0, scope, user).await.map_err(refused)?;
        Ok(Response::new(GetUserResponse {
            user: Some(shape(user)),
        }))
    }

    async fn look_up_user(&self, request: Request<LookUpUserRequest>) -> Result<Response<LookUpUserResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&call, &message.tenant_id)?;
        let user = look_up_user(&self.0, scope, &message.email).await.map_err(refused)?;
        Ok(Response::new(LookUpUserResponse {
            user: Some(shape(user)),
        }))
    }

    async fn disable_user(
        &self,
        request: Request<DisableUserRequest>,
    ) -> Result<Response<DisableUserResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&call, &message.tenant_id)?;
        let (app, user) = (Arc::clone(&self.0), parse::id("user_id", &message.user_id)?);
        let disabled = finish(&self.0, async move { disable_user(&app, &call, scope, user).await }).await?;
        Ok(Response::new(DisableUserResponse {
            user: Some(shape(disabled)),
        }))
    }

    async fn enable_user(&self, request: Request<EnableUserRequest>) -> Result<Response<EnableUserResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&call, &message.tenant_id)?;
        let (app, user) = (Arc::clone(&self.0), parse::id("user_id", &message.user_id)?);
        let enabled = finish(&self.0, async move { enable_user(&app, &call, scope, user).await }).await?;
        Ok(Response::new(EnableUserResponse {
            user: Some(shape(enabled)),
        }))
    }
}
