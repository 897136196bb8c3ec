//! Reading the store, one tenant at a time.
//!
//! The role sees rows of the tenant that the transaction names and no others; the statements name it again.

use credo_admin::TenantScope;
use credo_ids::EventId;
use sqlx::{PgPool, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

use super::request::Filters;

/// An event as it is stored.
#[derive(Debug)]
pub(crate) struct EventRow {
    pub(crate) class: i16,
    pub(crate) event_id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) tenant_seq: i64,
    pub(crate) stored_at: OffsetDateTime,
    pub(crate) quarantine: Option<String>,
    pub(crate) core: Vec<u8>,
    pub(crate) leaf_hash: Vec<u8>,
    pub(crate) epoch: i64,
    pub(crate) shard: i16,
    pub(crate) seq: i64,
    pub(crate) personal: Option<Vec<u8>>,
}

/// A page of a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) after: i64,
    pub(crate) size: i64,
}

/// What a tail has before it.
#[derive(Debug)]
pub(crate) struct Tailing {
    pub(crate) rows: Vec<EventRow>,
    /// Behind it lies nothing that passes the filters and is not in `rows`.
    pub(crate) reached: i64,
}

/// The reader's connections.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) pool: PgPool,
}

impl Reader {
    /// What a connection sets: the plan depends on which filters are given.
    pub(crate) const CONNECTION_SETTINGS: [(&str, &str); 3] = [
        ("plan_cache_mode", "force_custom_plan"),
        ("default_transaction_read_only", "on"),
        ("jit", "off"),
    ];

    /// The tenant's event with this id, if there is one.
    pub(crate) async fn find(
        &self,
        tenant: TenantScope,
        event: EventId,
        with_personal: bool,
    ) -> sqlx::Result<Option<EventRow>> {
        let mut transaction = self.begin(tenant).await?;
        let tenant_id = tenant.id().as_uuid();
        sqlx::query_file_as!(EventRow, "sql/event_get.sql", tenant_id, event.as_uuid(), with_personal)
            .fetch_optional(&mut *transaction)
            .await
    }

    /// A page of the tenant's events that pass the filters, by `tenant_seq`.
    pub(crate) async fn list(
        &self,
        tenant: TenantScope,
        filters: &Filters,
        page: Page,
        with_personal: bool,
    ) -> sqlx::Result<Vec<EventRow>> {
        let mut transaction = self.begin(tenant).await?;
        list(&mut transaction, (tenant, filters), page, with_personal).await
    }

    /// The tenant's newest number; 0 if it has no events.
    pub(crate) async fn newest(&self, tenant: TenantScope) -> sqlx::Result<i64> {
        let mut transaction = self.begin(tenant).await?;
        newest(&mut transaction, tenant).await
    }

    /// The tenant's next events after `after` that pass the filters, at most `limit`.
    pub(crate) async fn tail(
        &self,
        tenant: TenantScope,
        filters: &Filters,
        (after, limit): (i64, i64),
        with_personal: bool,
    ) -> sqlx::Result<Tailing> {
        let mut transaction = self.begin(tenant).await?;
        // First the end, then the events: what is stored in between is in the events or still to come.
        let newest = newest(&mut transaction, tenant).await?;
        if newest <= after {
            return Ok(Tailing {
                rows: vec![],
                reached: after,
            });
        }
        let page = Page { after, size: limit };
        let rows = list(&mut transaction, (tenant, filters), page, with_personal).await?;
        let is_all = i64::try_from(rows.len()).is_ok_and(|length| length < limit);
        let last = rows.last().map_or(after, |row| row.tenant_seq);
        Ok(Tailing {
            reached: if is_all { newest.max(last) } else { last },
            rows,
        })
    }

    async fn begin(&self, tenant: TenantScope) -> sqlx::Result<PgTransaction<'static>> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query_file!("sql/tenant_set.sql", tenant.id().to_string())
            .fetch_one(&mut *transaction)
            .await?;
        Ok(transaction)
    }
}

async fn newest(transaction: &mut PgTransaction<'static>, tenant: TenantScope) -> sqlx::Result<i64> {
    let newest = sqlx::query_file_scalar!("sql/tail_head.sql", tenant.id().as_uuid())
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(newest.unwrap_or_default())
}

async fn list(
    transaction: &mut PgTransaction<'static>,
    (tenant, filters): (TenantScope, &Filters),
    page: Page,
    with_personal: bool,
) -> sqlx::Result<Vec<EventRow>> {
    sqlx::query_file_as!(
        EventRow,
        "sql/event_query.sql",
        tenant.id().as_uuid(),
        page.after,
        page.size,
        with_personal,
        filters.event_type.as_deref() as _,
        filters.actor_id as _,
        filters.subject_id as _,
        filters.session_id as _,
        filters.start_at as _,
        filters.end_at as _,
    )
    .fetch_all(&mut **transaction)
    .await
}
