//! The outbox as tests read it.

use credo_proto::events::v1::{Core, Personal, core::Details};
use credo_testkit::sqlx::{self, PgPool};
use prost::Message as _;
use uuid::Uuid;

/// Bytes of salt in front of a personal part.
const SALT_LENGTH: usize = 32;

type Row = (Uuid, Uuid, Uuid, i16, Vec<u8>, Vec<u8>);

/// A row of the outbox.
#[derive(Clone, Debug)]
pub struct Event {
    pub tenant: Uuid,
    pub aggregate: Uuid,
    pub id: Uuid,
    pub class: i16,
    pub core: Core,
    pub personal: Personal,
    /// Core and personal part as they are stored.
    pub bytes: Vec<u8>,
}

/// As Postgres shows bytes.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat()
}

impl Event {
    pub async fn all(owner: &PgPool) -> Vec<Self> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT tenant_id, aggregate, event_id, class, core, personal FROM outbox ORDER BY id")
                .fetch_all(owner)
                .await
                .unwrap();
        rows.into_iter()
            .map(|(tenant, aggregate, id, class, core, personal)| Self {
                tenant,
                aggregate,
                id,
                class,
                core: Core::decode(core.as_slice()).unwrap(),
                personal: Personal::decode(&personal[SALT_LENGTH..]).unwrap(),
                bytes: [core, personal].concat(),
            })
            .collect()
    }

    pub fn is(&self, kind: &str) -> bool {
        self.core.r#type == kind
    }

    /// How many happenings the event stands for.
    pub fn count(&self) -> u64 {
        match &self.core.details {
            Some(Details::Count(details)) => details.count,
            _ => 1,
        }
    }
}
