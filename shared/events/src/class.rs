//! The three classes as types, so that an event of the wrong durability does not compile.

use credo_proto::events::v1::EventClass;

/// A class of events.
pub trait Class {
    /// Its number on the wire and in the outbox.
    const CLASS: EventClass;
}

/// In the business transaction, or the request fails and nothing changed.
#[derive(Debug, Clone, Copy)]
pub enum Compliance {}

/// In the business transaction where there is one; else committed before the refusal is answered.
#[derive(Debug, Clone, Copy)]
pub enum Security {}

/// Sampled, not awaited, dropped first under pressure.
#[derive(Debug, Clone, Copy)]
pub enum Ops {}

impl Class for Compliance {
    const CLASS: EventClass = EventClass::Compliance;
}

impl Class for Security {
    const CLASS: EventClass = EventClass::Security;
}

impl Class for Ops {
    const CLASS: EventClass = EventClass::Ops;
}
