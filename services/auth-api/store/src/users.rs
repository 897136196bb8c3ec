//! People as userinfo shows them.

use credo_auth_domain::{email_address::EmailAddress, profile::Profile, user::User};
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
        }))
    }

    /// The active person of a tenant whose account has that name.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn find_user_by_email(&self, tenant: TenantId, email: &EmailAddress) -> Result<Option<UserId>, Fault> {
        let row = sqlx::query_file!("sql/user_find_by_email.sql", tenant.as_uuid(), email.as_str())
            .fetch_optional(&self.cold)
            .await?;
        Ok(row.map(|row| row.id.into()))
    }
}
