//! What people allowed, as administrators see it.

use credo_ids::{ClientId, TenantId, UserId};
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use super::PageQuery;
use crate::{Fault, Store};

/// A consent.
#[derive(Clone, Debug)]
pub struct ConsentRecord {
    /// In which tenant.
    pub tenant_id: TenantId,
    /// Whose.
    pub user_id: UserId,
    /// To whom.
    pub client_id: ClientId,
    /// Space-delimited: all that was allowed.
    pub scope: String,
    /// When it was first given.
    pub granted_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
    /// When it was taken back.
    pub revoked_at: Option<OffsetDateTime>,
}

impl Store {
    /// A page of what a person allowed, in order of the clients' creation; with `revoked`, also what was taken back.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%user))]
    pub async fn list_consent_records(
        &self,
        (tenant, user): (TenantId, UserId),
        revoked: bool,
        page: PageQuery<ClientId>,
    ) -> Result<Vec<ConsentRecord>, Fault> {
        let records = sqlx::query_file_as!(
            ConsentRecord,
            "sql/admin_consent_list.sql",
            tenant.as_uuid(),
            user.as_uuid(),
            page.after.map(|client| client.as_uuid()) as Option<Uuid>,
            revoked,
            page.limit
        )
        .fetch_all(&self.cold)
        .await?;
        Ok(records)
    }
}
