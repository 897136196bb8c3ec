//! Compliance events: in the business transaction, or the request fails and nothing changed.

use credo_events::{Compliance, EventType, Outcome, Severity};

/// An administrator made a tenant.
pub const TENANT_CREATED: EventType<Compliance> = EventType::new("tenant_created", Severity::Info, Outcome::Success);
/// An administrator changed a tenant.
pub const TENANT_UPDATED: EventType<Compliance> = EventType::new("tenant_updated", Severity::Info, Outcome::Success);
/// An administrator suspended a tenant: everything that it issued has ended.
pub const TENANT_SUSPENDED: EventType<Compliance> =
    EventType::new("tenant_suspended", Severity::Warning, Outcome::Success);
/// An administrator had a tenant served again.
pub const TENANT_RESUMED: EventType<Compliance> = EventType::new("tenant_resumed", Severity::Info, Outcome::Success);
/// An administrator deleted a tenant: everything that it issued has ended.
pub const TENANT_DELETED: EventType<Compliance> = EventType::new("tenant_deleted", Severity::Warning, Outcome::Success);
/// An administrator made a client.
pub const CLIENT_CREATED: EventType<Compliance> = EventType::new("client_created", Severity::Info, Outcome::Success);
/// An administrator changed a client.
pub const CLIENT_UPDATED: EventType<Compliance> = EventType::new("client_updated", Severity::Info, Outcome::Success);
/// An administrator deleted a client: everything that it was issued has ended.
pub const CLIENT_DELETED: EventType<Compliance> = EventType::new("client_deleted", Severity::Warning, Outcome::Success);
/// An administrator gave a client a new secret.
pub const CLIENT_SECRET_ROTATED: EventType<Compliance> =
    EventType::new("client_secret_rotated", Severity::Info, Outcome::Success);
/// An administrator disabled a client.
pub const CLIENT_DISABLED: EventType<Compliance> =
    EventType::new("client_disabled", Severity::Warning, Outcome::Success);
/// An administrator enabled a client.
pub const CLIENT_ENABLED: EventType<Compliance> = EventType::new("client_enabled", Severity::Info, Outcome::Success);
/// An administrator made a user.
pub const USER_CREATED: EventType<Compliance> = EventType::new("user_created", Severity::Info, Outcome::Success);
/// An administrator disabled a user.
pub const USER_DISABLED: EventType<Compliance> = EventType::new("user_disabled", Severity::Warning, Outcome::Success);
/// An administrator enabled a user.
pub const USER_ENABLED: EventType<Compliance> = EventType::new("user_enabled", Severity::Info, Outcome::Success);
/// A person let a client have what it asked for.
pub const CONSENT_GRANTED: EventType<Compliance> = EventType::new("consent_granted", Severity::Info, Outcome::Success);
/// A person took back what they had allowed a client: what it had of them has ended.
pub const CONSENT_REVOKED: EventType<Compliance> = EventType::new("consent_revoked", Severity::Info, Outcome::Success);
/// A person forgot a client whose access they had taken back.
pub const CONSENT_DELETED: EventType<Compliance> = EventType::new("consent_deleted", Severity::Info, Outcome::Success);
/// A person changed their password: everything that rested on the old one has ended.
pub const PASSWORD_CHANGED: EventType<Compliance> =
    EventType::new("password_changed", Severity::Info, Outcome::Success);
