//! Who asks: what every event of a request has in common.

use std::net::IpAddr;

use credo_events::PersonalPart;
use credo_ids::RequestId;
use credo_proto::events::v1::Personal;

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
}

impl RequestContext {
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
