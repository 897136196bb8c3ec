//! `credo.admin.v1.UserService`.

use std::sync::Arc;

use credo_auth_domain::{email_address::EmailAddress, sign_in::FAILURES_UNTIL_KNOWN_DEVICE};
use credo_auth_store::admin::{SignInStatus, Status as Standing, UserFilter, UserRecord};
use credo_proto::admin::v1::{
    self as proto, CreateUserRequest, CreateUserResponse, DisableUserRequest, DisableUserResponse, EnableUserRequest,
    EnableUserResponse, GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse, LookUpUserRequest,
    LookUpUserResponse, User, UserStatus, user_service_server::UserService,
};
use tonic::{Request, Response, Status};

use super::{
    call::{admitted, finish},
    change::changing,
    page::List,
    parse, profile,
    status::refused,
};
use crate::{
    app::App,
    flows::admin::{
        AdminRefusal, UserDraft, create_user, disable_user, enable_user, get_user, list_users, look_up_user,
    },
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
        admin_scopes: user.admin_scope.split_whitespace().map(ToOwned::to_owned).collect(),
        sign_in: None,
    }
}

fn shape_sign_in(status: SignInStatus) -> proto::SignInStatus {
    proto::SignInStatus {
        has_password: status.has_password,
        failures: status.failures,
        next_attempt_time: status.next_at.map(parse::timestamp),
        known_device_only: status.failures >= FAILURES_UNTIL_KNOWN_DEVICE,
    }
}

fn filter(message: &ListUsersRequest) -> Result<UserFilter, Status> {
    let status = match UserStatus::try_from(message.status) {
        Ok(UserStatus::Unspecified) => None,
        Ok(UserStatus::Active) => Some(Standing::Active),
        Ok(UserStatus::Disabled) => Some(Standing::Disabled),
        Err(_) => return Err(refused(AdminRefusal::invalid("status", "must be a known status"))),
    };
    let rule = "must be the beginning of an e-mail address";
    let prefix = EmailAddress::parse_prefix(&message.email_prefix)
        .map_err(|_| refused(AdminRefusal::invalid("email_prefix", rule)))?;
    Ok(UserFilter {
        status,
        email_prefix: Some(prefix).filter(|prefix| !prefix.is_empty()),
    })
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
}
