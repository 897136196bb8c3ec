//! How an audit event is put together: a hashed `core` and a `personal` part that can be erased.
//!
//! Owns the encoding (DESIGN section 7). Refuses to write a secret by having no field for one. Invariants: the core
//! commits to the personal part by SHA-256 of the bytes as they are stored; bytes are made once and never re-serialised.

mod class;
mod draft;
mod personal;

pub use class::{Class, Compliance, Ops, Security};
pub use credo_proto::events::v1::{Outcome, PartyKind, Severity, core::Details};
pub use draft::{Encoded, EventDraft, EventType, Origin, Party, actor_core};
pub use personal::{PersonalPart, SALT_LENGTH};

/// The most that a core and its personal part may take together, in bytes.
pub const MAX_EVENT_BYTES: usize = 60 * 1024;
