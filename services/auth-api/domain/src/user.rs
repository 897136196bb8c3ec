//! A person as userinfo shows them.

use credo_ids::UserId;
use time::OffsetDateTime;

/// What the claims of a person are made of.
#[derive(Clone, Debug)]
pub struct User {
    /// The `sub`.
    pub id: UserId,
    /// Normalised.
    pub email: String,
    /// Whether it was proved to be theirs.
    pub email_verified: bool,
    /// Their name, if known.
    pub display_name: Option<String>,
    /// When the record last changed.
    pub updated_at: OffsetDateTime,
}
