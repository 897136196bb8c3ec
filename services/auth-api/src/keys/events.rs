//! The events of keys: what became of one, without anything that could sign.

use credo_auth_domain::signing_key::KeyState;
use credo_auth_store::{KeyChange, NewSigningKey, admin::ComplianceEvent};
use credo_events::{Compliance, Details, EventDraft, EventType, Party, PersonalPart};
use credo_ids::{EventId, SigningKeyId, TenantId};
use credo_proto::events::v1::{ChangeDetails, Personal};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::KeyFault;

/// What an event calls a key.
pub const OBJECT: &str = "signing_key";

/// A new key.
#[must_use]
pub fn made(key: &NewSigningKey, state: KeyState) -> Value {
    json!({
        "algorithm": key.algorithm,
        "state": state.as_str(),
        "master_key_id": key.master_key_id,
    })
}

/// A step of a key: before and after.
#[must_use]
pub fn changed(change: &KeyChange<'_>) -> (Value, Value) {
    let before = json!({ "algorithm": change.before.algorithm, "state": change.before.stage.state.as_str() });
    let mut after = json!({ "algorithm": change.before.algorithm, "state": change.state.as_str() });
    if let Some(replaced) = change.replaces {
        after["replaces"] = replaced.to_string().into();
    }
    (before, after)
}

/// An event of the schedule: nobody called.
pub(crate) struct ScheduledEvent {
    event: &'static EventType<Compliance>,
    at: OffsetDateTime,
    personal: PersonalPart,
}

impl ScheduledEvent {
    pub(crate) fn new(event: &'static EventType<Compliance>, at: OffsetDateTime) -> Result<Self, KeyFault> {
        let personal = PersonalPart::new(Personal::default());
        let personal = personal.map_err(|_| KeyFault("the system has no randomness".to_owned()))?;
        Ok(Self { event, at, personal })
    }

    /// The event of what became of a key.
    pub(crate) fn of(
        &self,
        (tenant, key): (TenantId, SigningKeyId),
        before: Option<&Value>,
        after: &Value,
    ) -> ComplianceEvent {
        let details = ChangeDetails {
            object: OBJECT.to_owned(),
            object_id: key.as_bytes().to_vec(),
            before_json: before.map(Value::to_string).unwrap_or_default(),
            reason: String::new(),
            after_json: after.to_string(),
        };
        let draft = EventDraft::new(self.event, EventId::now_v7(), tenant, self.at)
            .parties(Party::SYSTEM, tenant)
            .details(Details::Change(details));
        ComplianceEvent {
            encoded: draft.encode(&self.personal),
            personal: self.personal.clone(),
        }
    }
}
