//! The class of an event, as records name it.

use std::{fmt, str::FromStr};

/// How durable an event is. The numbers are the outbox's and the store's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventClass {
    /// In the business transaction, always.
    Compliance = 1,
    /// In the business transaction where there is one.
    Security = 2,
    /// Sampled.
    Ops = 3,
}

/// A number or a name of no class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such event class")]
pub struct UnknownClass;

impl EventClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Compliance, Self::Security, Self::Ops];

    /// The number that the databases store.
    #[must_use]
    pub const fn as_i16(self) -> i16 {
        self as i16
    }

    /// The name that records and answers carry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compliance => "compliance",
            Self::Security => "security",
            Self::Ops => "ops",
        }
    }
}

impl TryFrom<i16> for EventClass {
    type Error = UnknownClass;

    fn try_from(number: i16) -> Result<Self, UnknownClass> {
        Self::ALL
            .into_iter()
            .find(|class| class.as_i16() == number)
            .ok_or(UnknownClass)
    }
}

impl FromStr for EventClass {
    type Err = UnknownClass;

    fn from_str(name: &str) -> Result<Self, UnknownClass> {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == name)
            .ok_or(UnknownClass)
    }
}

impl fmt::Display for EventClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
