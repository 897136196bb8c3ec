//! A browser that a person is signed in with, its cookie, and what a sign-in comes to.
//!
//! The cookie is opaque: 16 bytes name the row, 32 random ones prove that it is the browser's own; the row holds their
//! SHA-256. Refuses every other spelling.

use aws_lc_rs::{constant_time::verify_slices_are_equal, error::Unspecified};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_ids::{BrowserSessionId, DeviceId, TenantId, UserId};
use secrecy::SecretString;
use time::OffsetDateTime;

use crate::opaque_token::Secret;

/// Longest cookie that is looked at, in bytes; ours have 64.
const MAX_COOKIE_BYTES: usize = 128;

/// A signed-in browser that is alive: neither ended nor too old nor idle for too long, its person and tenant active and
/// of the epochs that it saw.
#[derive(Clone, Debug)]
pub struct LiveBrowserSession {
    /// Its id.
    pub id: BrowserSessionId,
    /// The tenant that the person is signed in to.
    pub tenant: TenantId,
    /// Who is signed in.
    pub user: UserId,
    /// The browser.
    pub device: DeviceId,
    /// The account's name, for the person's own eyes.
    pub email: String,
    /// The person's name, if known.
    pub display_name: Option<String>,
    /// When the person proved who they are.
    pub auth_time: OffsetDateTime,
    /// Space-delimited, RFC 8176.
    pub amr: String,
    /// The database's time when all this held.
    pub at: OffsetDateTime,
}

/// A browser as far as it is one person's in one tenant: every sign-in of theirs with it, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrowserOfPerson {
    /// The tenant.
    pub tenant: TenantId,
    /// The person.
    pub user: UserId,
    /// The browser.
    pub device: DeviceId,
}

impl LiveBrowserSession {
    /// The browser that this is a sign-in of.
    #[must_use]
    pub const fn browser(&self) -> BrowserOfPerson {
        BrowserOfPerson {
            tenant: self.tenant,
            user: self.user,
            device: self.device,
        }
    }
}

/// A signed-in browser as its person sees it from another one.
#[derive(Clone, Debug)]
pub struct ListedBrowserSession {
    /// Its id.
    pub id: BrowserSessionId,
    /// As it names itself.
    pub user_agent: Option<String>,
    /// When the person signed in.
    pub auth_time: OffsetDateTime,
    /// When it was last used, to the minute.
    pub seen_at: OffsetDateTime,
}

/// What signing a browser in came to, once the proof was good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrowserSignIn {
    /// The tenant is suspended.
    TenantSuspended,
    /// The person is disabled.
    UserDisabled,
    /// The password changed since the proof was checked.
    PasswordChanged,
    /// Signed in.
    SignedIn,
}

impl BrowserSignIn {
    /// Every outcome, in the order of the statement's CASE.
    pub const ALL: [(&'static str, Self); 4] = [
        ("TenantSuspended", Self::TenantSuspended),
        ("UserDisabled", Self::UserDisabled),
        ("PasswordChanged", Self::PasswordChanged),
        ("SignedIn", Self::SignedIn),
    ];

    /// The outcome of that name in the statement.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, outcome)| outcome)
    }
}

/// What the cookie of a signed-in browser holds: which row, and the proof that it is its own.
#[derive(Clone, Debug)]
pub struct BrowserCredential {
    /// The row.
    pub id: BrowserSessionId,
    /// What only this browser knows.
    pub secret: Secret,
}

impl BrowserCredential {
    /// A fresh one.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn random() -> Result<Self, Unspecified> {
        Ok(Self {
            id: BrowserSessionId::now_v7(),
            secret: Secret::random()?,
        })
    }

    /// The cookie's value: base64url of id and secret.
    #[must_use]
    pub fn to_cookie(&self) -> SecretString {
        let bytes = [&self.id.as_bytes()[..], &self.secret.as_bytes()[..]].concat();
        URL_SAFE_NO_PAD.encode(bytes).into()
    }

    /// Reads a cookie's value; nothing if we never made one like it.
    #[must_use]
    pub fn from_cookie(text: &str) -> Option<Self> {
        if text.len() > MAX_COOKIE_BYTES {
            return None;
        }
        let bytes: [u8; 48] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (id, secret) = bytes.split_first_chunk::<16>()?;
        Some(Self {
            id: (*id).into(),
            secret: Secret::shown(secret.try_into().ok()?),
        })
    }

    /// Whether the secret is the one behind `hash`, in constant time.
    #[must_use]
    pub fn proves(&self, hash: &[u8; 32]) -> bool {
        verify_slices_are_equal(&self.secret.hash(), hash).is_ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn cookie_is_read_back_and_proves_its_own_row_alone() {
        let (one, other) = (
            BrowserCredential::random().unwrap(),
            BrowserCredential::random().unwrap(),
        );
        let read = BrowserCredential::from_cookie(one.to_cookie().expose_secret()).unwrap();
        assert_eq!(read.id, one.id);
        assert!(read.proves(&one.secret.hash()) && !read.proves(&other.secret.hash()));
    }

    #[test]
    fn se_02_what_we_never_made_is_no_cookie() {
        let good = BrowserCredential::random().unwrap().to_cookie();
        let good = good.expose_secret();
        for bad in [
            "",
            "x",
            &good[1..],
            &format!("{good}A"),
            &format!("{good}="),
            &"A".repeat(5_000),
        ] {
            assert!(BrowserCredential::from_cookie(bad).is_none(), "{bad}");
        }
    }
}
