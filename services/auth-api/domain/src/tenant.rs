//! A tenant as requests see it.

use credo_ids::TenantId;
use serde::{Deserialize, Serialize};

use crate::branding::Appearance;

/// Longest slug, in bytes.
const MAX_SLUG_BYTES: usize = 63;

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name in the issuer.
    pub slug: String,
    /// Shown to people.
    pub display_name: String,
    /// What its pages look like.
    pub appearance: Appearance,
    /// Whether it is served at all.
    pub active: bool,
    /// Rises when everything issued under it must die.
    pub epoch: i64,
    /// Whether a bare e-mail address signs in.
    pub dangerous_trust_email: bool,
    /// Whether the first sign-in of an unknown address makes a user.
    pub create_unknown_users: bool,
    /// How many sign-ins of one address it lets through in a minute; nothing where this server's own setting holds.
    pub address_attempts_per_minute: Option<u32>,
}

/// The tenant whose clients administer all tenants.
pub const SYSTEM_SLUG: &str = "system";

impl Tenant {
    /// `iss` of everything that the tenant issues.
    ///
    /// `public_base_url` has no slash at its end.
    #[must_use]
    pub fn issuer(&self, public_base_url: &str) -> String {
        issuer(public_base_url, &self.slug)
    }
}

/// `iss` of the tenant of that slug.
#[must_use]
pub fn issuer(public_base_url: &str, slug: &str) -> String {
    format!("{public_base_url}/t/{slug}")
}

/// Whether a text can be a slug: 2 to 63 lower-case letters, digits and hyphens, from a letter to no hyphen.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (2..=MAX_SLUG_BYTES).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(inside)
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain() {
        assert!(is_slug("demo") && is_slug("a1-b2"));
        for bad in [
            "",
            "a",
            "1a",
            "-a",
            "a-",
            "A1",
            "a_b",
            "a/b",
            "a%2fb",
            "ä1",
            &"a".repeat(64),
        ] {
            assert!(!is_slug(bad), "{bad:?}");
        }
    }
}
