//! People as userinfo shows them.

use credo_auth_domain::user::User;
use credo_ids::{TenantId, UserId};
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
            updated_at: row.updated_at,
        }))
    }
}
