//! What a record says, as far as it can be read.
//!
//! A record whose headers are the relay's has a place in the trail, whatever its value is: a value that cannot be read is
//! quarantined, with its number and its leaf. A record whose headers are not the relay's has none; it is a stray.

use aws_lc_rs::digest::{Context, SHA256, digest};
use credo_ids::{EventId, Shard, TenantId};
use credo_kafka::{InvalidHeaders, Record, RecordHeaders, split_value};
use credo_proto::events::v1::{Core, Party};
use prost::Message as _;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::fence::{Claim, LeafHash, Number};

/// A record with a place in the trail.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Its offset in its partition.
    pub offset: i64,
    /// Its place.
    pub headers: RecordHeaders,
    /// Its value, as it came.
    pub value: Vec<u8>,
    /// Where in the value the core lies; all of it, if that cannot be told.
    core: std::ops::Range<usize>,
    /// Hash of the core.
    pub leaf: LeafHash,
    /// What filters need, or why there is nothing.
    pub content: Result<Columns, Quarantine>,
}

/// A record without a place in the trail.
#[derive(Debug, Clone)]
pub struct Stray {
    /// The record.
    pub record: Record,
    /// Why it has no place.
    pub reason: InvalidHeaders,
}

/// A record, sorted.
#[derive(Debug, Clone)]
pub enum Incoming {
    /// It has a place.
    Placed(Placed),
    /// It has none.
    Stray(Stray),
}

/// The columns that filters need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Such as `token_refreshed`; any that is not empty.
    pub event_type: String,
    /// The number in `credo.events.v1.Severity`.
    pub severity: i16,
    /// The number in `credo.events.v1.Outcome`.
    pub outcome: i16,
    /// When it happened, by the clock of the process.
    pub occurred_at: OffsetDateTime,
    /// Who did it.
    pub actor_id: Option<Uuid>,
    /// To whom or what.
    pub subject_id: Option<Uuid>,
    /// The OAuth client in play.
    pub client_id: Option<Uuid>,
    /// The session in play.
    pub session_id: Option<Uuid>,
}

/// Why an event's value says nothing that could be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Quarantine {
    /// It ends before its core does.
    #[error("the value is too short")]
    Value,
    /// The core is no `credo.events.v1.Core`.
    #[error("the core cannot be decoded")]
    Core,
    /// A field does not have the form that it must have.
    #[error("bad {0} in the core")]
    Field(&'static str),
    /// The core names another event, tenant or class than the headers do.
    #[error("the core's {0} is not the record's")]
    Contradiction(&'static str),
    /// The tenant's events travel in another shard.
    #[error("the tenant belongs to another shard")]
    Shard,
    /// The personal part is not the one that the core commits to.
    #[error("the core does not commit to this personal part")]
    Commitment,
    /// The database refused what filters would need of it.
    #[error("refused by the store")]
    Store,
}

impl Incoming {
    /// Sorts a record.
    #[must_use]
    pub fn of(record: Record) -> Self {
        match record.headers() {
            Ok(headers) => Self::Placed(Placed::new(record.offset, headers, record.value)),
            Err(reason) => Self::Stray(Stray { record, reason }),
        }
    }

    /// Its offset in its partition.
    #[must_use]
    pub fn offset(&self) -> i64 {
        match self {
            Self::Placed(placed) => placed.offset,
            Self::Stray(stray) => stray.record.offset,
        }
    }
}

impl Placed {
    /// Reads what can be read.
    #[must_use]
    pub fn new(offset: i64, headers: RecordHeaders, value: Vec<u8>) -> Self {
        let (core, content) = match split_value(&value) {
            Ok(parts) => {
                let start = value.len() - parts.core.len() - parts.personal.len();
                (
                    start..start + parts.core.len(),
                    Columns::read(&headers, parts.core, parts.personal),
                )
            }
            Err(_) => (0..value.len(), Err(Quarantine::Value)),
        };
        let leaf = leaf_hash(&value[core.clone()]);
        Self {
            offset,
            headers,
            value,
            core,
            leaf,
            content,
        }
    }

    /// The bytes that are stored, hashed and proved.
    #[must_use]
    pub fn core(&self) -> &[u8] {
        &self.value[self.core.clone()]
    }

    /// The part that can be erased, if there is one.
    #[must_use]
    pub fn personal(&self) -> Option<&[u8]> {
        Some(&self.value[self.core.end..]).filter(|personal| !personal.is_empty())
    }

    /// What decides about it.
    #[must_use]
    pub fn claim(&self) -> Claim<'_> {
        let headers = &self.headers;
        Claim {
            number: Number {
                epoch: headers.epoch,
                shard: headers.shard,
                seq: headers.seq,
            },
            running_hash: headers.running_hash,
            event_id: headers.event_id,
            class: headers.class,
            leaf: self.leaf,
            value: &self.value,
        }
    }
}

/// RFC 6962 section 2.1: SHA-256 of a zero byte and the entry.
#[must_use]
pub fn leaf_hash(core: &[u8]) -> LeafHash {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context.update(core);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

impl Columns {
    fn read(headers: &RecordHeaders, core: &[u8], personal: &[u8]) -> Result<Self, Quarantine> {
        let core = Core::decode(core).map_err(|_| Quarantine::Core)?;
        agree_with(headers, &core)?;
        if core.commitment != digest(&SHA256, personal).as_ref() {
            return Err(Quarantine::Commitment);
        }
        if core.r#type.is_empty() {
            return Err(Quarantine::Field("type"));
        }
        Ok(Self {
            severity: small(core.severity, "severity")?,
            outcome: small(core.outcome, "outcome")?,
            occurred_at: instant(core.occurred_at_micros)?,
            actor_id: party(core.actor.as_ref(), "actor")?,
            subject_id: party(core.subject.as_ref(), "subject")?,
            client_id: optional_id(&core.client_id, "client_id")?,
            session_id: optional_id(&core.session_id, "session_id")?,
            event_type: core.r#type,
        })
    }
}

fn agree_with(headers: &RecordHeaders, core: &Core) -> Result<(), Quarantine> {
    let id = |bytes: &[u8], name| optional_id(bytes, name)?.ok_or(Quarantine::Field(name));
    if EventId::from(id(&core.event_id, "event_id")?) != headers.event_id {
        return Err(Quarantine::Contradiction("event_id"));
    }
    if TenantId::from(id(&core.tenant_id, "tenant_id")?) != headers.tenant {
        return Err(Quarantine::Contradiction("tenant_id"));
    }
    if core.event_class != i32::from(headers.class.as_i16()) {
        return Err(Quarantine::Contradiction("event_class"));
    }
    if Shard::of(headers.tenant) != headers.shard {
        return Err(Quarantine::Shard);
    }
    Ok(())
}

/// A number that this version may not know a name for.
fn small(number: i32, name: &'static str) -> Result<i16, Quarantine> {
    i16::try_from(number).map_err(|_| Quarantine::Field(name))
}

fn instant(micros: i64) -> Result<OffsetDateTime, Quarantine> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).map_err(|_| Quarantine::Field("occurred_at"))
}

fn party(party: Option<&Party>, name: &'static str) -> Result<Option<Uuid>, Quarantine> {
    party.map_or(Ok(None), |party| optional_id(&party.id, name))
}

fn optional_id(bytes: &[u8], name: &'static str) -> Result<Option<Uuid>, Quarantine> {
    if bytes.is_empty() {
        return Ok(None);
    }
    Uuid::from_slice(bytes).map(Some).map_err(|_| Quarantine::Field(name))
}
