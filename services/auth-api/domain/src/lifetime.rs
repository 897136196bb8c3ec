//! How long things live (DESIGN section 3.2).

use std::time::Duration;

/// An authorization code.
pub const CODE_TTL: Duration = Duration::from_mins(1);
/// An access token.
pub const ACCESS_TOKEN_TTL: Duration = Duration::from_mins(15);
/// An access token for an admin API.
pub const ADMIN_TOKEN_TTL: Duration = Duration::from_mins(5);
/// An ID token.
pub const ID_TOKEN_TTL: Duration = Duration::from_mins(15);
/// A session, however much it is used.
pub const SESSION_TTL: Duration = Duration::from_hours(720);
/// A session that is not used.
pub const SESSION_IDLE_TTL: Duration = Duration::from_hours(168);
/// A session by which a person administers, however much it is used: a working day.
pub const ADMIN_SESSION_TTL: Duration = Duration::from_hours(12);
/// A session by which a person administers and that is not used.
pub const ADMIN_SESSION_IDLE_TTL: Duration = Duration::from_hours(1);
/// A signed-in browser, however much it is used (NIST SP 800-63B-4 section 2.2.3).
pub const BROWSER_SESSION_TTL: Duration = Duration::from_hours(24);
/// A signed-in browser that is not used.
pub const BROWSER_SESSION_IDLE_TTL: Duration = Duration::from_hours(1);
/// A row of the revocation feed: an access token's life and a minute, for clocks.
pub const REVOCATION_TTL: Duration = Duration::from_mins(16);
