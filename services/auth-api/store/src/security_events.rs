//! Security events that no other statement records: refusals.

use credo_ids::{EventId, TenantId};
use tracing::instrument;
use uuid::Uuid;

use crate::{EventRow, Fault, Store, attempt::attempt, outbox::shard};

/// An event of its own.
#[derive(Clone, Debug)]
pub struct SecurityEvent {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// What keeps order.
    pub aggregate: Uuid,
    /// Its id.
    pub event_id: EventId,
    /// Its parts.
    pub event: EventRow,
}

impl Store {
    /// Records events. A lost connection can double a row: the audit store drops the second by its event id.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(count = events.len()))]
    pub async fn insert_security_events(&self, events: &[SecurityEvent]) -> Result<(), Fault> {
        attempt(|| async {
            sqlx::query_file!(
                "sql/security_event_insert.sql",
                &vec![self.slot(); events.len()],
                &events.iter().map(|event| event.tenant_id.as_uuid()).collect::<Vec<_>>(),
                &events.iter().map(|event| shard(event.tenant_id)).collect::<Vec<_>>(),
                &events.iter().map(|event| event.aggregate).collect::<Vec<_>>(),
                &events.iter().map(|event| event.event_id.as_uuid()).collect::<Vec<_>>(),
                &events.iter().map(|event| event.event.core.clone()).collect::<Vec<_>>(),
                &events
                    .iter()
                    .map(|event| event.event.personal.as_bytes().to_vec())
                    .collect::<Vec<_>>()
            )
            .execute(&self.hot)
            .await
        })
        .await?;
        Ok(())
    }
}
