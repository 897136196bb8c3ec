//! Tenants by their name in the issuer.

use credo_auth_domain::tenant::Tenant;
use tracing::instrument;

use crate::{Fault, Store};

impl Store {
    /// The tenant of that slug, whatever its state.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn find_tenant_by_slug(&self, slug: &str) -> Result<Option<Tenant>, Fault> {
        let row = sqlx::query_file!("sql/tenant_find_by_slug.sql", slug)
            .fetch_optional(&self.cold)
            .await?;
        Ok(row.map(|row| Tenant {
            id: row.id.into(),
            slug: row.slug,
            active: row.status == 1,
            epoch: row.epoch,
            dangerous_trust_email: row.dangerous_trust_email,
            create_unknown_users: row.create_unknown_users,
        }))
    }
}
