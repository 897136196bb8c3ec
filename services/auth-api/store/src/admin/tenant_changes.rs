//! Changing, suspending, resuming and deleting tenants.

use credo_ids::TenantId;
use sqlx::PgConnection;
use tracing::instrument;

use super::{
    ComplianceEvent, Effect, Mutated, Mutation, TenantKey, TenantRecord, Unmade,
    mutation::{Opened, attempt},
};
use crate::{Fault, Store, outbox::shard};

/// What becomes of a tenant.
#[derive(Clone, Debug)]
pub enum TenantChange {
    /// It is to be like this.
    Update(TenantUpdate),
    /// It is not served.
    Suspend,
    /// It is served again.
    Resume,
    /// It is gone for good.
    Delete,
}

/// A tenant as it is to be.
#[expect(
    clippy::option_option,
    reason = "the outer nothing: it stays; the inner: it has none any more"
)]
#[derive(Clone, Debug)]
pub struct TenantUpdate {
    /// Shown to people.
    pub display_name: String,
    /// Whether the first sign-in of an unknown address makes a user.
    pub create_unknown_users: bool,
    /// The accent on light pages.
    pub accent_color: Option<String>,
    /// The accent on dark pages.
    pub accent_color_dark: Option<String>,
    /// The new logo, or none; nothing if it stays.
    pub logo: Option<Option<Vec<u8>>>,
}

macro_rules! change {
    ($file:tt, $store:expr, $tenant:expr, $event:expr $(, $more:expr)*) => {
        sqlx::query_file_as!(
            TenantRecord,
            $file,
            $tenant.as_uuid(),
            $store.slot(),
            shard($tenant),
            $event.encoded.event_id.as_uuid(),
            $event.encoded.core,
            $event.personal.as_bytes()
            $(, $more)*
        )
    };
}

impl Store {
    /// Whether there is such a tenant, served or suspended.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn is_tenant(&self, tenant: TenantId) -> Result<bool, Fault> {
        let found = sqlx::query_file_scalar!("sql/admin_tenant_is_there.sql", tenant.as_uuid())
            .fetch_one(&self.cold)
            .await?;
        Ok(found)
    }

    /// Does with a tenant what `decide` says of it as it is; nothing, if that has been done. A deleted one is given as it was
    /// when it ended; nothing is, if an earlier call deleted it.
    ///
    /// # Errors
    /// If it was not changed, also because `decide` refuses.
    #[instrument(skip_all, fields(%tenant))]
    pub async fn change_tenant<R>(
        &self,
        mutation: &Mutation,
        tenant: TenantId,
        decide: impl Fn(&TenantRecord) -> Result<Option<(TenantChange, ComplianceEvent)>, R>,
    ) -> Result<Mutated<Option<TenantRecord>>, Unmade<R>> {
        let change = || async {
            let mut open = match self.open(mutation, tenant.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => return self.tenant_as_it_is(tenant, effect).await,
            };
            let before = sqlx::query_file_as!(TenantRecord, "sql/admin_tenant_lock.sql", tenant.as_uuid())
                .fetch_optional(&mut *open.transaction)
                .await?
                .ok_or(Unmade::NotFound)?;
            open.check(before.version)?;
            let Some((wanted, event)) = decide(&before).map_err(Unmade::Refused)? else {
                return open.close(Some(before)).await;
            };
            let after = self
                .write_tenant(&mut open.transaction, tenant, &wanted, &event)
                .await?;
            open.close(Some(after)).await
        };
        attempt(|| Box::pin(change())).await
    }

    async fn write_tenant(
        &self,
        transaction: &mut PgConnection,
        tenant: TenantId,
        wanted: &TenantChange,
        event: &ComplianceEvent,
    ) -> Result<TenantRecord, sqlx::Error> {
        match wanted {
            TenantChange::Suspend => {
                let suspend = change!("sql/admin_tenant_suspend.sql", self, tenant, event);
                suspend.fetch_one(transaction).await
            }
            TenantChange::Resume => {
                let resume = change!("sql/admin_tenant_resume.sql", self, tenant, event);
                resume.fetch_one(transaction).await
            }
            TenantChange::Delete => {
                let delete = change!("sql/admin_tenant_delete.sql", self, tenant, event);
                delete.fetch_one(transaction).await
            }
            TenantChange::Update(to) => {
                let update = change!(
                    "sql/admin_tenant_update.sql",
                    self,
                    tenant,
                    event,
                    to.display_name,
                    to.create_unknown_users,
                    to.accent_color.as_deref() as Option<&str>,
                    to.accent_color_dark.as_deref() as Option<&str>,
                    to.logo.is_some(),
                    to.logo.as_ref().and_then(Option::as_deref) as Option<&[u8]>
                );
                update.fetch_one(transaction).await
            }
        }
    }

    async fn tenant_as_it_is<R>(
        &self,
        tenant: TenantId,
        effect: Effect,
    ) -> Result<Mutated<Option<TenantRecord>>, Unmade<R>> {
        let thing = self.find_tenant_record(&TenantKey::Id(tenant), None).await?;
        Ok(Mutated { thing, effect })
    }
}
