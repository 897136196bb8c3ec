//! An event on its way to the outbox.

use std::marker::PhantomData;

use credo_ids::{BrowserSessionId, ClientId, EventId, RequestId, SessionId, TenantId, UserId};
use credo_proto::events::v1::{self, Core, Outcome, PartyKind, Severity, core::Details};
use prost::Message as _;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Class, PersonalPart};

/// The definition of an event type: one constant per type, in the service that writes it.
#[derive(Debug)]
pub struct EventType<C> {
    name: &'static str,
    severity: Severity,
    outcome: Outcome,
    class: PhantomData<C>,
}

impl<C: Class> EventType<C> {
    /// `name` in snake case; it is stored, so it never changes.
    #[must_use]
    pub const fn new(name: &'static str, severity: Severity, outcome: Outcome) -> Self {
        Self {
            name,
            severity,
            outcome,
            class: PhantomData,
        }
    }

    /// The stored name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// Who acts or is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Party {
    kind: PartyKind,
    id: Option<Uuid>,
}

impl Party {
    /// Nobody whose identity was proved.
    pub const ANONYMOUS: Self = Self {
        kind: PartyKind::Anonymous,
        id: None,
    };
    /// The system itself.
    pub const SYSTEM: Self = Self {
        kind: PartyKind::System,
        id: None,
    };

    fn to_proto(self) -> v1::Party {
        v1::Party {
            kind: self.kind.into(),
            id: self.id.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        }
    }
}

impl From<UserId> for Party {
    fn from(id: UserId) -> Self {
        Self {
            kind: PartyKind::User,
            id: Some(id.as_uuid()),
        }
    }
}

impl From<ClientId> for Party {
    fn from(id: ClientId) -> Self {
        Self {
            kind: PartyKind::Client,
            id: Some(id.as_uuid()),
        }
    }
}

impl From<TenantId> for Party {
    fn from(id: TenantId) -> Self {
        Self {
            kind: PartyKind::Tenant,
            id: Some(id.as_uuid()),
        }
    }
}

impl From<SessionId> for Party {
    fn from(id: SessionId) -> Self {
        Self {
            kind: PartyKind::Session,
            id: Some(id.as_uuid()),
        }
    }
}

/// The request that an event happened in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    request: RequestId,
    traceparent: String,
}

impl Origin {
    /// The request, and the W3C trace context that its events were made in, if it is traced.
    #[must_use]
    pub fn new(request: RequestId, traceparent: Option<String>) -> Self {
        Self {
            request,
            traceparent: traceparent.unwrap_or_default(),
        }
    }
}

/// The actor and subject fields alone, as the session row keeps them: SQL appends them to a fragment, and protobuf
/// parses the concatenation as the merge of both.
#[must_use]
pub fn actor_core(actor: Party, subject: Party) -> Vec<u8> {
    Core {
        actor: Some(actor.to_proto()),
        subject: Some(subject.to_proto()),
        ..Core::default()
    }
    .encode_to_vec()
}

/// An event ready for the outbox.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// Its id.
    pub event_id: EventId,
    /// Its class as the outbox stores it.
    pub class: i16,
    /// The serialised core, or a fragment of it.
    pub core: Vec<u8>,
}

/// An event that is being put together.
#[derive(Debug, Clone)]
pub struct EventDraft {
    core: Core,
    event_id: EventId,
}

impl EventDraft {
    /// An event of type `event` in `tenant`, which happened at `at` by the clock of the process.
    #[must_use]
    pub fn new<C: Class>(event: &EventType<C>, event_id: EventId, tenant: TenantId, at: OffsetDateTime) -> Self {
        let micros = at.unix_timestamp_nanos() / 1_000;
        let core = Core {
            event_id: event_id.as_bytes().to_vec(),
            tenant_id: tenant.as_bytes().to_vec(),
            r#type: event.name.to_owned(),
            event_class: C::CLASS.into(),
            severity: event.severity.into(),
            occurred_at_micros: i64::try_from(micros).unwrap_or_default(),
            outcome: event.outcome.into(),
            ..Core::default()
        };
        Self { core, event_id }
    }

    /// The same event once more, under an id of its own.
    #[must_use]
    pub fn again(mut self, event_id: EventId) -> Self {
        self.core.event_id = event_id.as_bytes().to_vec();
        self.event_id = event_id;
        self
    }

    /// Who did it, and to whom or what.
    #[must_use]
    pub fn parties(mut self, actor: impl Into<Party>, subject: impl Into<Party>) -> Self {
        self.core.actor = Some(actor.into().to_proto());
        self.core.subject = Some(subject.into().to_proto());
        self
    }

    /// The OAuth client in play.
    #[must_use]
    pub fn client(mut self, client: ClientId) -> Self {
        self.core.client_id = client.as_bytes().to_vec();
        self
    }

    /// The session in play.
    #[must_use]
    pub fn session(mut self, session: SessionId) -> Self {
        self.core.session_id = session.as_bytes().to_vec();
        self
    }

    /// The signed-in browser in play, where no authorization is: the two never share an event.
    #[must_use]
    pub fn browser_session(mut self, session: BrowserSessionId) -> Self {
        self.core.session_id = session.as_bytes().to_vec();
        self
    }

    /// The request that it happened in.
    #[must_use]
    pub fn request(mut self, origin: Origin) -> Self {
        self.core.request_id = origin.request.as_bytes().to_vec();
        self.core.traceparent = origin.traceparent;
        self
    }

    /// A reason code of a closed list.
    #[must_use]
    pub fn reason(mut self, reason: &'static str) -> Self {
        reason.clone_into(&mut self.core.reason);
        self
    }

    /// What its type says beyond the common fields.
    #[must_use]
    pub fn details(mut self, details: Details) -> Self {
        self.core.details = Some(details);
        self
    }

    /// Commits to `personal` and serialises.
    #[must_use]
    pub fn encode(mut self, personal: &PersonalPart) -> Encoded {
        self.core.commitment = personal.commitment().to_vec();
        let class = i16::try_from(self.core.event_class).unwrap_or_default();
        Encoded {
            event_id: self.event_id,
            class,
            core: self.core.encode_to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use credo_proto::events::v1::Personal;

    use super::*;
    use crate::Security;

    const ROTATED: EventType<Security> = EventType::new("token_refreshed", Severity::Info, Outcome::Success);

    #[test]
    fn a_fragment_and_the_actor_part_parse_as_one_core() {
        let (tenant, user, event) = (TenantId::now_v7(), UserId::random_v4(), EventId::now_v7());
        let personal = PersonalPart::new(Personal::default()).unwrap();
        let fragment = EventDraft::new(&ROTATED, event, tenant, OffsetDateTime::UNIX_EPOCH).encode(&personal);
        let mut stored = fragment.core;
        stored.extend(actor_core(user.into(), user.into()));
        let core = Core::decode(stored.as_slice()).unwrap();
        assert_eq!(core.r#type, "token_refreshed");
        assert_eq!(core.subject.unwrap().id, user.as_bytes());
        assert_eq!(core.commitment, personal.commitment());
        assert_eq!(fragment.class, 2);
    }
}
