//! `credo.admin.v1.UserService`.

use std::sync::Arc;

use credo_proto::admin::v1::{
    CreateUserRequest, CreateUserResponse, DeleteUserRequest, DeleteUserResponse, DisableUserRequest,
    DisableUserResponse, EnableUserRequest, EnableUserResponse, GetUserRequest, GetUserResponse, ListUsersRequest,
    ListUsersResponse, LookUpUserRequest, LookUpUserResponse, SetUserPasswordRequest, SetUserPasswordResponse,
    UnlockUserRequest, UnlockUserResponse, UpdateUserRequest, UpdateUserResponse, User,
    user_service_server::UserService,
};
use tonic::{Request, Response, Status};

use super::{
    call::{admitted, finish},
    change::changing,
    mask::Mask,
    page::List,
    parse, profile,
    status::refused,
    user_shape::{PATHS, filter, shape, shape_sign_in, update},
};
use crate::{
    app::App,
    flows::admin::{
        UserDraft, create_user, delete_user, disable_user, enable_user, get_user, list_users, look_up_user,
        set_user_password, unlock_user, update_user,
    },
};

/// The service.
pub(super) struct Users(Arc<App>);

impl Users {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self(Arc::clone(app))
    }
}

#[tonic::async_trait]
impl UserService for Users {
    async fn create_user(&self, request: Request<CreateUserRequest>) -> Result<Response<CreateUserResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let draft = UserDraft {
            email: message.email,
            email_verified: message.email_verified,
            display_name: message.display_name,
            profile: message.profile.map(profile::parse).unwrap_or_default(),
            password: message.password.into(),
            admin_scopes: message.admin_scopes,
        };
        let app = Arc::clone(&self.0);
        let made = finish(&self.0, async move { create_user(&app, &change, scope, draft).await }).await?;
        Ok(Response::new(CreateUserResponse {
            user: Some(shape(made)),
        }))
    }

    async fn get_user(&self, request: Request<GetUserRequest>) -> Result<Response<GetUserResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&self.0, &call, &message.tenant_id).await?;
        let user = parse::id("user_id", &message.user_id)?;
        let (user, sign_in) = get_user(&self.0, scope, user).await.map_err(refused)?;
        let user = User {
            sign_in: Some(shape_sign_in(sign_in)),
            ..shape(user)
        };
        Ok(Response::new(GetUserResponse { user: Some(user) }))
    }

    async fn list_users(&self, request: Request<ListUsersRequest>) -> Result<Response<ListUsersResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&self.0, &call, &message.tenant_id).await?;
        let filter = filter(&message)?;
        let prefix = filter.email_prefix.as_deref().unwrap_or_default();
        let asked = [message.tenant_id.as_str(), &message.status.to_string(), prefix].join("\0");
        let list = List::new(self.0.keyring.masters(), "users", &[asked.as_bytes()]);
        let page = list.page(message.page_size, &message.page_token)?;
        let page = list_users(&self.0, scope, &filter, page).await.map_err(refused)?;
        let end = page.items.last().map(|user| user.id);
        Ok(Response::new(ListUsersResponse {
            users: page.items.into_iter().map(shape).collect(),
            next_page_token: list.next_page_token(end, page.has_more),
        }))
    }

    async fn look_up_user(&self, request: Request<LookUpUserRequest>) -> Result<Response<LookUpUserResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&self.0, &call, &message.tenant_id).await?;
        let user = look_up_user(&self.0, scope, &message.email).await.map_err(refused)?;
        Ok(Response::new(LookUpUserResponse {
            user: Some(shape(user)),
        }))
    }

    async fn disable_user(
        &self,
        request: Request<DisableUserRequest>,
    ) -> Result<Response<DisableUserResponse>, Status> {
        let (change, message) = changing(request)?;
        let change = change.expecting(&message.etag);
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, user) = (Arc::clone(&self.0), parse::id("user_id", &message.user_id)?);
        let disabled = finish(&self.0, async move { disable_user(&app, &change, scope, user).await }).await?;
        Ok(Response::new(DisableUserResponse {
            user: Some(shape(disabled)),
        }))
    }

    async fn enable_user(&self, request: Request<EnableUserRequest>) -> Result<Response<EnableUserResponse>, Status> {
        let (change, message) = changing(request)?;
        let change = change.expecting(&message.etag);
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, user) = (Arc::clone(&self.0), parse::id("user_id", &message.user_id)?);
        let enabled = finish(&self.0, async move { enable_user(&app, &change, scope, user).await }).await?;
        Ok(Response::new(EnableUserResponse {
            user: Some(shape(enabled)),
        }))
    }

    async fn update_user(&self, request: Request<UpdateUserRequest>) -> Result<Response<UpdateUserResponse>, Status> {
        let (change, message) = changing(request)?;
        let mask = Mask::parse(message.update_mask, &PATHS)?;
        let user = message.user.unwrap_or_default();
        let change = change.expecting(&user.etag);
        let scope = parse::tenant(&self.0, &change.call, &user.tenant_id).await?;
        let (app, id) = (Arc::clone(&self.0), parse::id("user.user_id", &user.user_id)?);
        let update = update(user, &mask);
        let change = async move { update_user(&app, &change, scope, (id, update)).await };
        let updated = finish(&self.0, Box::pin(change)).await?;
        Ok(Response::new(UpdateUserResponse {
            user: Some(shape(updated)),
        }))
    }

    async fn set_user_password(
        &self,
        request: Request<SetUserPasswordRequest>,
    ) -> Result<Response<SetUserPasswordResponse>, Status> {
        let (change, message) = changing(request)?;
        let change = change.expecting(&message.etag);
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let password = (parse::id("user_id", &message.user_id)?, message.password.into());
        let app = Arc::clone(&self.0);
        let set = finish(&self.0, async move {
            set_user_password(&app, &change, scope, password).await
        })
        .await?;
        Ok(Response::new(SetUserPasswordResponse { user: Some(shape(set)) }))
    }

    async fn delete_user(&self, request: Request<DeleteUserRequest>) -> Result<Response<DeleteUserResponse>, Status> {
        let (change, message) = changing(request)?;
        let change = change.expecting(&message.etag).because(message.reason)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, user) = (Arc::clone(&self.0), parse::id("user_id", &message.user_id)?);
        finish(&self.0, async move { delete_user(&app, &change, scope, user).await }).await?;
        Ok(Response::new(DeleteUserResponse {}))
    }

    async fn unlock_user(&self, request: Request<UnlockUserRequest>) -> Result<Response<UnlockUserResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, user) = (Arc::clone(&self.0), parse::id("user_id", &message.user_id)?);
        let unlocked = finish(&self.0, async move { unlock_user(&app, &change, scope, user).await }).await?;
        Ok(Response::new(UnlockUserResponse {
            user: Some(shape(unlocked)),
        }))
    }
}
