//! Classes of requests that are limited, and the limits that hold where nobody set another (DESIGN section 10).

/// What is counted, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateClass {
    /// Sign-in, by account.
    Auth = 1,
    /// Refresh, exchange, revocation, by session; `client_credentials`, by client.
    Sensitive = 2,
    /// userinfo, introspection and the session endpoints, by session.
    Read = 3,
    /// Sign-in, by address: an address has one count with each tenant.
    Address = 4,
}

/// Fewest and most requests a minute that can be set.
pub const BOUNDS: std::ops::RangeInclusive<i32> = 1..=1_000_000;

impl RateClass {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auth, Self::Sensitive, Self::Read, Self::Address];

    /// The class that a row stores.
    #[must_use]
    pub fn of_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|class| *class as i16 == number)
    }

    /// As events and tables name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Sensitive => "sensitive",
            Self::Read => "read",
            Self::Address => "address",
        }
    }

    /// Requests a minute where nothing else is set; nothing for what this server's own settings say.
    #[must_use]
    pub fn default_per_minute(self) -> Option<i32> {
        match self {
            Self::Auth => Some(10),
            Self::Sensitive => Some(30),
            Self::Read => Some(100),
            Self::Address => None,
        }
    }

    /// Whether one client can have a limit of its own.
    #[must_use]
    pub fn is_per_client(self) -> bool {
        self != Self::Address
    }
}
