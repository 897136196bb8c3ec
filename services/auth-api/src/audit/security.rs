//! Security events: in the business transaction where there is one, else committed before the refusal is answered.

use credo_events::{EventType, Outcome, Security, Severity};

/// A person authorized a client.
pub const SESSION_CREATED: EventType<Security> = EventType::new("session_created", Severity::Info, Outcome::Success);
/// Tokens were issued for a code, or to a client for itself.
pub const TOKEN_ISSUED: EventType<Security> = EventType::new("token_issued", Severity::Info, Outcome::Success);
/// A refresh token was rotated.
pub const TOKEN_REFRESHED: EventType<Security> = EventType::new("token_refreshed", Severity::Info, Outcome::Success);
/// A code or a refresh token was used again: its whole family is dead.
pub const TOKEN_REUSE_DETECTED: EventType<Security> =
    EventType::new("token_reuse_detected", Severity::Critical, Outcome::Refused);
/// A code or a refresh token was shown by a client that it was not issued to, or that did not prove to be it.
pub const TOKEN_WRONG_CLIENT: EventType<Security> =
    EventType::new("token_wrong_client", Severity::Critical, Outcome::Refused);
/// A client revoked a token, and with it the session.
pub const TOKEN_REVOKED: EventType<Security> = EventType::new("token_revoked", Severity::Info, Outcome::Success);
/// A person ended one of their sessions.
pub const SESSION_REVOKED: EventType<Security> = EventType::new("session_revoked", Severity::Info, Outcome::Success);
/// A person ended all of their sessions, or all but one.
pub const SESSIONS_REVOKED: EventType<Security> = EventType::new("sessions_revoked", Severity::Info, Outcome::Success);
/// A person signed in with a browser.
pub const BROWSER_SIGNED_IN: EventType<Security> =
    EventType::new("browser_signed_in", Severity::Info, Outcome::Success);
/// A person signed out of a browser, or was: what they authorized with it has ended, but for `offline_access`.
pub const BROWSER_SIGNED_OUT: EventType<Security> =
    EventType::new("browser_signed_out", Severity::Info, Outcome::Success);
/// A proof signed nobody in.
pub const AUTH_FAILED: EventType<Security> = EventType::new("auth_failed", Severity::Warning, Outcome::Refused);
/// A client did not prove who it is.
pub const CLIENT_AUTH_FAILED: EventType<Security> =
    EventType::new("client_auth_failed", Severity::Warning, Outcome::Refused);
/// More requests than a limit lets through.
pub const RATE_LIMIT_EXCEEDED: EventType<Security> =
    EventType::new("rate_limit_exceeded", Severity::Warning, Outcome::Refused);
/// A caller of the admin APIs asked for what it may not have.
pub const ADMIN_ACCESS_DENIED: EventType<Security> =
    EventType::new("admin_access_denied", Severity::Warning, Outcome::Refused);
