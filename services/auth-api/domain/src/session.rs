//! A session: one authorization and all that it issues.

use credo_ids::{ClientId, DeviceId, SessionId};
use time::OffsetDateTime;

/// The epochs that a token was issued under: a rise of any one ends it (DESIGN section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epochs {
    /// Of the tenant.
    pub tenant: i64,
    /// Of the client.
    pub client: i64,
    /// Of the user; absent in a token that a client got for itself.
    pub user: Option<i64>,
}

/// Why a session ended, as the row stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// A token of it was used twice.
    Replay = 1,
    /// Its client revoked it.
    Client = 2,
    /// The person revoked it.
    Person = 3,
    /// An administrator revoked it.
    Administrator = 4,
}

impl EndReason {
    /// The reason that a row stores.
    #[must_use]
    pub fn of_number(number: i16) -> Option<Self> {
        let all = [Self::Replay, Self::Client, Self::Person, Self::Administrator];
        all.into_iter().find(|reason| *reason as i16 == number)
    }

    /// As administrators read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Client => "client",
            Self::Person => "user",
            Self::Administrator => "administrator",
        }
    }
}

/// What a session is worth now, computed when it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its code is not redeemed.
    Pending,
    /// It can be refreshed, or its access tokens are good.
    Active,
    /// It was revoked, or ended with its user, client or tenant.
    Revoked,
    /// Its code, or it, is too old.
    Expired,
}

/// What an attempt to end a session came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// It was alive and is no more.
    Revoked,
    /// It had ended before.
    AlreadyEnded,
    /// It belongs to another client or another person; nothing changed.
    WrongOwner,
    /// There is none.
    Unknown,
}

impl Revocation {
    /// The outcome of that name in the statement.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        match name {
            "Revoked" => Some(Self::Revoked),
            "AlreadyEnded" => Some(Self::AlreadyEnded),
            "WrongOwner" => Some(Self::WrongOwner),
            _ => None,
        }
    }
}

/// A live session with an app, as the person sees it among their browsers.
#[derive(Clone, Debug)]
pub struct AppSession {
    /// The `sid`.
    pub id: SessionId,
    /// The client's name.
    pub client_name: String,
    /// As the browser that authorized it names itself, if one did.
    pub user_agent: Option<String>,
    /// When the person signed in.
    pub created_at: OffsetDateTime,
    /// When it was last refreshed.
    pub last_used_at: OffsetDateTime,
}

/// A live session as its owner sees it.
#[derive(Clone, Debug)]
pub struct LiveSession {
    /// The `sid`.
    pub id: SessionId,
    /// The client that it was made for.
    pub client_id: ClientId,
    /// The client's name.
    pub client_name: String,
    /// The device that it was made on.
    pub device_id: DeviceId,
    /// When the person signed in.
    pub created_at: OffsetDateTime,
    /// When it was last refreshed.
    pub last_used_at: OffsetDateTime,
    /// When it ends at the latest.
    pub expires_at: OffsetDateTime,
}
