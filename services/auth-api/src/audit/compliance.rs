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
/// A signing key was made, by the schedule or by an administrator.
pub const SIGNING_KEY_CREATED: EventType<Compliance> =
    EventType::new("signing_key_created", Severity::Info, Outcome::Success);
/// A signing key took over from the one before, if there was one.
pub const SIGNING_KEY_ACTIVATED: EventType<Compliance> =
    EventType::new("signing_key_activated", Severity::Info, Outcome::Success);
/// A signing key left the JWKS: nothing that it signed lives.
pub const SIGNING_KEY_RETIRED: EventType<Compliance> =
    EventType::new("signing_key_retired", Severity::Info, Outcome::Success);
/// A signing key leaked: everything that it signed is refused.
pub const SIGNING_KEY_REVOKED: EventType<Compliance> =
    EventType::new("signing_key_revoked", Severity::Critical, Outcome::Success);
/// A signing key was sealed again, under the active master key.
pub const SIGNING_KEY_RESEALED: EventType<Compliance> =
    EventType::new("signing_key_resealed", Severity::Info, Outcome::Success);
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
/// An administrator changed a user.
pub const USER_UPDATED: EventType<Compliance> = EventType::new("user_updated", Severity::Info, Outcome::Success);
/// An administrator set or removed a user's password: what was issued for them has ended.
pub const USER_PASSWORD_SET: EventType<Compliance> =
    EventType::new("user_password_set", Severity::Warning, Outcome::Success);
/// An administrator removed a user.
pub const USER_DELETED: EventType<Compliance> = EventType::new("user_deleted", Severity::Warning, Outcome::Success);
/// An administrator let a user try to sign in again.
pub const USER_UNLOCKED: EventType<Compliance> = EventType::new("user_unlocked", Severity::Info, Outcome::Success);
/// An administrator ended a session.
pub const SESSION_REVOKED_BY_ADMIN: EventType<Compliance> =
    EventType::new("session_revoked_by_admin", Severity::Info, Outcome::Success);
/// An administrator ended every session of a user.
pub const USER_SESSIONS_REVOKED: EventType<Compliance> =
    EventType::new("user_sessions_revoked", Severity::Warning, Outcome::Success);
/// An administrator ended everything that a client was issued.
pub const CLIENT_SESSIONS_REVOKED: EventType<Compliance> =
    EventType::new("client_sessions_revoked", Severity::Warning, Outcome::Success);
/// An administrator ended everything that was issued in a tenant.
pub const TENANT_SESSIONS_REVOKED: EventType<Compliance> =
    EventType::new("tenant_sessions_revoked", Severity::Critical, Outcome::Success);
/// An administrator set or removed a limit.
pub const RATE_LIMIT_SET: EventType<Compliance> = EventType::new("rate_limit_set", Severity::Info, Outcome::Success);
/// An administrator had what replicas kept read again.
pub const CACHE_INVALIDATED: EventType<Compliance> =
    EventType::new("cache_invalidated", Severity::Info, Outcome::Success);
/// A person let a client have what it asked for.
pub const CONSENT_GRANTED: EventType<Compliance> = EventType::new("consent_granted", Severity::Info, Outcome::Success);
/// A person took back what they had allowed a client: what it had of them has ended.
pub const CONSENT_REVOKED: EventType<Compliance> = EventType::new("consent_revoked", Severity::Info, Outcome::Success);
/// A person forgot a client whose access they had taken back.
pub const CONSENT_DELETED: EventType<Compliance> = EventType::new("consent_deleted", Severity::Info, Outcome::Success);
/// A person changed their password: everything that rested on the old one has ended.
pub const PASSWORD_CHANGED: EventType<Compliance> =
    EventType::new("password_changed", Severity::Info, Outcome::Success);
