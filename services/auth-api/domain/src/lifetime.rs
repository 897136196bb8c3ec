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
/// A row of the revocation feed: an access token's life and a minute, for clocks.
pub const REVOCATION_TTL: Duration = Duration::from_mins(16);
