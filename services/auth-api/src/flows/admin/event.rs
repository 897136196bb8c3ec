//! The compliance event of a change: who changed what, before and after, without secrets and without personal data.

use credo_auth_store::admin::ComplianceEvent;
use credo_events::{Compliance, Details, EventDraft, EventType, Party, PersonalPart};
use credo_ids::{ClientId, SessionId, SigningKeyId, TenantId, UserId};
use credo_proto::events::v1::{ChangeDetails, Personal};
use serde_json::Value;

use super::{AdminCall, Change};
use crate::{app::App, keys::events, refusal::Refusal};

/// What is changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object {
    kind: &'static str,
    id: [u8; 16],
    party: Party,
}

impl From<TenantId> for Object {
    fn from(id: TenantId) -> Self {
        Self {
            kind: "tenant",
            id: *id.as_bytes(),
            party: id.into(),
        }
    }
}

impl From<ClientId> for Object {
    fn from(id: ClientId) -> Self {
        Self {
            kind: "client",
            id: *id.as_bytes(),
            party: id.into(),
        }
    }
}

impl From<UserId> for Object {
    fn from(id: UserId) -> Self {
        Self {
            kind: "user",
            id: *id.as_bytes(),
            party: id.into(),
        }
    }
}

/// A session, and whose it is.
impl From<(SessionId, UserId)> for Object {
    fn from((session, user): (SessionId, UserId)) -> Self {
        Self {
            kind: "session",
            id: *session.as_bytes(),
            party: user.into(),
        }
    }
}

/// What a person allowed a client: it has no id of its own.
impl From<(ClientId, UserId)> for Object {
    fn from((client, user): (ClientId, UserId)) -> Self {
        Self {
            kind: "consent",
            id: *client.as_bytes(),
            party: user.into(),
        }
    }
}

/// A key of a tenant: whom it concerns is the tenant.
impl From<(TenantId, SigningKeyId)> for Object {
    fn from((tenant, id): (TenantId, SigningKeyId)) -> Self {
        Self {
            kind: events::OBJECT,
            id: *id.as_bytes(),
            party: tenant.into(),
        }
    }
}

/// An event that knows everything but what the change finds.
#[derive(Clone, Debug)]
pub(super) struct ChangeEvent {
    draft: EventDraft,
    personal: PersonalPart,
    object: Object,
    reason: String,
}

impl ChangeEvent {
    /// An event of the trail of `tenant`; its actor is the person who calls, or the client if it calls by itself.
    pub(super) fn new(
        app: &App,
        change: &Change,
        (event, tenant): (&EventType<Compliance>, TenantId),
        object: impl Into<Object>,
    ) -> Result<Self, Refusal> {
        let (call, object) = (&change.call, object.into());
        let (client, actor) = (call.principal.client_id(), call.actor());
        let draft = EventDraft::new(event, change.mutation.event_id, tenant, app.feed.database_now())
            .parties(actor, object.party)
            .client(client)
            .request(call.context.origin());
        Ok(Self {
            draft,
            personal: call.context.personal()?,
            object,
            reason: change
                .reason
                .as_ref()
                .map_or_else(String::new, |reason| reason.as_str().to_owned()),
        })
    }

    /// Also tells of the person whom it concerns, in the part that can be erased.
    pub(super) fn with_person(mut self, call: &AdminCall, person: Personal) -> Result<Self, Refusal> {
        self.personal = call.context.personal_with(person)?;
        Ok(self)
    }

    /// The event of something that was made.
    pub(super) fn made(&self, after: &Value) -> ComplianceEvent {
        self.encode(String::new(), after)
    }

    /// The event of something that was changed.
    pub(super) fn changed(&self, before: &Value, after: &Value) -> ComplianceEvent {
        self.encode(before.to_string(), after)
    }

    fn encode(&self, before_json: String, after: &Value) -> ComplianceEvent {
        let details = ChangeDetails {
            object: self.object.kind.to_owned(),
            object_id: self.object.id.to_vec(),
            before_json,
            after_json: after.to_string(),
            reason: self.reason.clone(),
        };
        let draft = self.draft.clone().details(Details::Change(details));
        ComplianceEvent {
            encoded: draft.encode(&self.personal),
            personal: self.personal.clone(),
        }
    }
}
