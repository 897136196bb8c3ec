//! People as userinfo shows them.

use credo_auth_domain::{email_address::EmailAddress, profile::Profile, scope::Scope, user::User};
use credo_ids::{TenantId, UserId};
use sqlx::types::Json;
use tracing::instrument;

use crate::{Fault, Store};

impl Store {
    /// An active person of a tenant.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%user))]
    pub async fn find_user(&self, tenant: TenantId, user: UserId) -> Result<Option<User>, Fault> {
        let row = sqlx::query_file!("sql/user_find.sql", user.as_uuid(), tenant.as_uuid())
            .fetch_optional(&self.hot)
            .await?;
        Ok(row.map(|row| User {
            id: row.id.into(),
            email: row.email,
            email_verified: row.email_verified,
            display_name: row.display_name,
            profile: row.profile.0,
            updated_at: row.updated_at,
            epoch: row.epoch,
        }))
    }

    /// What an active person may do with the admin APIs; nothing if there is none.
    ///
    /// # Errors
    /// If the database gives no answer, or a row that cannot be.
    #[instrument(skip_all, fields(%user))]
    pub async fn find_admin_scope(&self, tenant: TenantId, user: UserId) -> Result<Scope, Fault> {
        let found = sqlx::query_file_scalar!("sql/user_admin_scope.sql", user.as_uuid(), tenant.as_uuid())
            .fetch_optional(&self.cold)
            .await?;
        let scope = found.unwrap_or_default().parse();
        scope.map_err(|_| Fault::Impossible("app_user.admin_scope"))
    }

    /// The active person of a tenant whose account has that name, and their epoch.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn find_user_by_email(
        &self,
        tenant: TenantId,
        email: &EmailAddress,
    ) -> Result<Option<(UserId, i64)>, Fault> {
        let row = sqlx::query_file!("sql/user_find_by_email.sql", tenant.as_uuid(), email.as_str())
            .fetch_optional(&self.cold)
            .await?;
        Ok(row.map(|row| (row.id.into(), row.epoch)))
    }
}
