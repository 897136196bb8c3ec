//! What an administrator can end, by what it is called.

use anyhow::{Context as _, Result, bail};
use credo_proto::admin::v1::{
    DeleteClientRequest, DeleteTenantRequest, DeleteUserRequest, ResumeTenantRequest, RevokeClientSessionsRequest,
    RevokeSessionRequest, RevokeSessionsIssuedBeforeRequest, RevokeUserSessionsRequest, SetUserPasswordRequest,
    SuspendTenantRequest,
};
use prost_types::Timestamp;

use crate::{admin::Admin, jwt::unverified_claims, oauth::random_text};

/// Why, as the events tell it.
pub const REASON: &str = "the tests end it";

/// Whose things are ended.
#[derive(Clone, Debug)]
pub struct Target {
    pub tenant_id: String,
    pub user_id: String,
    pub client_id: String,
    /// Of the session that may be ended.
    pub access_token: String,
}

impl Target {
    /// Does what the words say.
    ///
    /// # Errors
    /// As the server answers, or if the words mean nothing.
    pub async fn act(self, admin: &Admin, what: &str) -> Result<()> {
        match what.rsplit(' ').next() {
            Some("user") => self.act_on_user(admin, what).await,
            Some("client") => self.act_on_client(admin, what).await,
            Some("tenant") => self.act_on_tenant(admin, what).await,
            _ => self.act_on_sessions(admin, what).await,
        }
    }

    async fn act_on_user(self, admin: &Admin, what: &str) -> Result<()> {
        let Self { tenant_id, user_id, .. } = self;
        match what {
            "disable the user" => drop(admin.set_user_enabled(&tenant_id, &user_id, false).await?),
            "enable the user" => drop(admin.set_user_enabled(&tenant_id, &user_id, true).await?),
            "delete the user" => {
                let request = DeleteUserRequest {
                    tenant_id,
                    user_id,
                    reason: REASON.to_owned(),
                    ..Default::default()
                };
                admin.users().delete_user(request).await?;
            }
            "set a password of the user" => {
                let request = SetUserPasswordRequest {
                    tenant_id,
                    user_id,
                    password: random_text(),
                    ..Default::default()
                };
                admin.users().set_user_password(request).await?;
            }
            "revoke all of the user" => {
                let request = RevokeUserSessionsRequest {
                    tenant_id,
                    user_id,
                    ..Default::default()
                };
                admin.sessions().revoke_user_sessions(request).await?;
            }
            other => bail!("what is {other}?"),
        }
        Ok(())
    }

    async fn act_on_client(self, admin: &Admin, what: &str) -> Result<()> {
        let Self {
            tenant_id, client_id, ..
        } = self;
        match what {
            "disable the client" => drop(admin.set_client_enabled(&tenant_id, &client_id, false).await?),
            "enable the client" => drop(admin.set_client_enabled(&tenant_id, &client_id, true).await?),
            "delete the client" => {
                let request = DeleteClientRequest {
                    tenant_id,
                    client_id,
                    reason: REASON.to_owned(),
                    ..Default::default()
                };
                admin.clients().delete_client(request).await?;
            }
            "revoke all of the client" => {
                let request = RevokeClientSessionsRequest {
                    tenant_id,
                    client_id,
                    ..Default::default()
                };
                admin.sessions().revoke_client_sessions(request).await?;
            }
            other => bail!("what is {other}?"),
        }
        Ok(())
    }

    async fn act_on_tenant(self, admin: &Admin, what: &str) -> Result<()> {
        let (tenant_id, reason) = (self.tenant_id, REASON.to_owned());
        match what {
            "suspend the tenant" => {
                let request = SuspendTenantRequest {
                    tenant_id,
                    reason,
                    ..Default::default()
                };
                admin.tenants().suspend_tenant(request).await?;
            }
            "resume the tenant" => {
                let request = ResumeTenantRequest {
                    tenant_id,
                    ..Default::default()
                };
                admin.tenants().resume_tenant(request).await?;
            }
            "delete the tenant" => {
                let request = DeleteTenantRequest {
                    tenant_id,
                    reason,
                    ..Default::default()
                };
                admin.tenants().delete_tenant(request).await?;
            }
            "revoke all of the tenant" => {
                let claims = unverified_claims(&self.access_token)?;
                let seconds = claims["iat"].as_i64().context("iat")?;
                let before_time = Some(Timestamp { seconds, nanos: 0 });
                let request = RevokeSessionsIssuedBeforeRequest {
                    tenant_id,
                    before_time,
                    reason,
                    ..Default::default()
                };
                admin.sessions().revoke_sessions_issued_before(request).await?;
            }
            other => bail!("what is {other}?"),
        }
        Ok(())
    }

    async fn act_on_sessions(self, admin: &Admin, what: &str) -> Result<()> {
        anyhow::ensure!(what == "revoke the session", "what is {what}?");
        let claims = unverified_claims(&self.access_token)?;
        let session_id = claims["sid"].as_str().context("sid")?.to_owned();
        let request = RevokeSessionRequest {
            tenant_id: self.tenant_id,
            session_id,
            ..Default::default()
        };
        admin.sessions().revoke_session(request).await?;
        Ok(())
    }
}
