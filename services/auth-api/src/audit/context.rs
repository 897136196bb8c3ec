//! Who asks: what every event of a request has in common.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use credo_auth_domain::rate_limit::Quota;
use credo_events::{Origin, PersonalPart};
use credo_ids::RequestId;
use credo_proto::events::v1::Personal;
use credo_telemetry::TraceContext;
use tracing::Span;

use crate::refusal::Refusal;

/// The request as its events see it.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Its id.
    pub id: RequestId,
    /// Whose request it is, as far as the proxies that we trust tell.
    pub address: Option<IpAddr>,
    /// As the caller names itself.
    pub user_agent: Option<String>,
    /// The span that the request's events were made in: one for all of them, made with the first.
    created_in: Arc<OnceLock<Option<TraceContext>>>,
    /// What is left of the limit that it counted in.
    quota: Arc<OnceLock<Quota>>,
}

impl RequestContext {
    /// A request that begins.
    #[must_use]
    pub fn new(address: Option<IpAddr>, user_agent: Option<String>) -> Self {
        Self {
            id: RequestId::now_v7(),
            address,
            user_agent,
            created_in: Arc::default(),
            quota: Arc::default(),
        }
    }

    /// The same under the id that it has already.
    #[must_use]
    pub fn known_as(self, id: RequestId) -> Self {
        Self { id, ..self }
    }

    /// What is left of the limit that the request was counted in, once it was.
    #[must_use]
    pub fn quota(&self) -> Option<Quota> {
        self.quota.get().copied()
    }

    /// Notes what is left of a limit. The first one stands: a request is counted once.
    pub fn note_quota(&self, quota: Quota) {
        let _ = self.quota.set(quota);
    }

    /// What the request's events say of where they come from. If the request is traced, what becomes of them downstream
    /// hangs on one span, whichever of the drafted events the database then writes.
    #[must_use]
    pub fn origin(&self) -> Origin {
        let created_in = self.created_in.get_or_init(|| {
            TraceContext::of(&Span::current())?;
            TraceContext::of(&tracing::info_span!(
                "create",
                otel.name = "create credo.audit.events",
                otel.kind = "producer",
                messaging.system = "kafka",
                messaging.operation.name = "create",
            ))
        });
        Origin::new(self.id, created_in.as_ref().map(ToString::to_string))
    }

    /// The personal part of the request's events.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn personal(&self) -> Result<PersonalPart, Refusal> {
        self.personal_with(Personal::default())
    }

    /// The personal part of events that tell more of a person than the request does.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn personal_with(&self, personal: Personal) -> Result<PersonalPart, Refusal> {
        Ok(PersonalPart::new(Personal {
            address: self.address.map(|address| address.to_string()).unwrap_or_default(),
            user_agent: self.user_agent.clone().unwrap_or_default(),
            ..personal
        })?)
    }
}
