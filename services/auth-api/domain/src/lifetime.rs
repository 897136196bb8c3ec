//! How long things live (DESIGN section 3.2).

use std::time::Duration;

/// An authorization code.
pub const CODE_TTL: Duration = Duration::from_secs(60);
/// An access token.
pub const ACCESS_TOKEN_TTL: Duration = Duration::from_secs(15 * 60);
/// An access token for an admin API.
pub const ADMIN_TOKEN_TTL: Duration = Duration::from_secs(5 * 60);
/// An ID token.
pub const ID_TOKEN_TTL: Duration = Duration::from_secs(15 * 60);
/// A session, however much it is used.
pub const SESSION_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A session that is not used.
pub const SESSION_IDLE_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// A row of the revocation feed: an access token's life and a minute, for clocks.
pub const REVOCATION_TTL: Duration = Duration::from_secs(16 * 60);
