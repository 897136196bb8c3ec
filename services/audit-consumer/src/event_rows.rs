//! Events turned into columns, for one insert of them all.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::decode::Placed;

/// The columns of `sql/events_insert.sql`, in its order.
#[derive(Debug, Default)]
pub(crate) struct EventRows {
    pub(crate) tenant_ids: Vec<Uuid>,
    pub(crate) classes: Vec<i16>,
    pub(crate) event_ids: Vec<Uuid>,
    pub(crate) epochs: Vec<i64>,
    pub(crate) shards: Vec<i16>,
    pub(crate) seqs: Vec<i64>,
    pub(crate) hashes: Vec<Vec<u8>>,
    pub(crate) cores: Vec<Vec<u8>>,
    pub(crate) personals: Vec<Option<Vec<u8>>>,
    pub(crate) types: Vec<Option<String>>,
    pub(crate) severities: Vec<Option<i16>>,
    pub(crate) outcomes: Vec<Option<i16>>,
    pub(crate) occurred_ats: Vec<Option<OffsetDateTime>>,
    pub(crate) actor_ids: Vec<Option<Uuid>>,
    pub(crate) subject_ids: Vec<Option<Uuid>>,
    pub(crate) client_ids: Vec<Option<Uuid>>,
    pub(crate) session_ids: Vec<Option<Uuid>>,
    pub(crate) quarantines: Vec<Option<String>>,
}

impl EventRows {
    pub(crate) fn of<'a>(records: impl Iterator<Item = &'a Placed>) -> Self {
        let mut rows = Self::default();
        records.for_each(|record| rows.push(record));
        rows
    }

    fn push(&mut self, record: &Placed) {
        let headers = &record.headers;
        self.tenant_ids.push(headers.tenant.as_uuid());
        self.classes.push(headers.class.as_i16());
        self.event_ids.push(headers.event_id.as_uuid());
        self.epochs.push(headers.epoch);
        self.shards.push(headers.shard.as_i16());
        self.seqs.push(headers.seq);
        self.hashes.push(record.leaf.to_vec());
        self.cores.push(record.core().to_vec());
        self.personals.push(record.personal().map(<[u8]>::to_vec));
        let columns = record.content.as_ref().ok();
        self.types.push(columns.map(|columns| columns.event_type.clone()));
        self.severities.push(columns.map(|columns| columns.severity));
        self.outcomes.push(columns.map(|columns| columns.outcome));
        self.occurred_ats.push(columns.map(|columns| columns.occurred_at));
        self.actor_ids.push(columns.and_then(|columns| columns.actor_id));
        self.subject_ids.push(columns.and_then(|columns| columns.subject_id));
        self.client_ids.push(columns.and_then(|columns| columns.client_id));
        self.session_ids.push(columns.and_then(|columns| columns.session_id));
        self.quarantines
            .push(record.content.as_ref().err().map(ToString::to_string));
    }
}
