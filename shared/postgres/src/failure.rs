//! What an error of the database means for the caller. The only place that knows SQLSTATE codes.

use sqlx::error::DatabaseError;

/// Why a statement did not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// There is no connection, or it was lost. Whether the statement was committed is unknown.
    ConnectionLost,
    /// Every connection was busy.
    PoolTimeout,
    /// The statement ran longer than it may (57014). It changed nothing.
    StatementTimeout,
    /// A lock was not to be had in time (55P03). It changed nothing.
    LockTimeout,
    /// A deadlock or a serialisation failure (40P01, 40001). It changed nothing.
    Conflict,
    /// A row with this key exists (23505); the constraint's name.
    UniqueViolation(String),
    /// A value that cannot be stored: it does not fit its type (22), breaks a constraint (23) or is too large (54). The same
    /// statement will always be refused, and others will not.
    BadValue,
    /// The server takes no writes (25006): a standby, or one that was just demoted.
    ReadOnly,
    /// Anything else: a defect of the program or of the schema.
    Other,
}

impl Failure {
    /// Whether the same statement may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::UniqueViolation(_) | Self::BadValue | Self::Other)
    }
}

/// What `error` means.
#[must_use]
pub fn classify(error: &sqlx::Error) -> Failure {
    use sqlx::Error;
    match error {
        Error::Database(error) => of_server(error.as_ref()),
        Error::PoolTimedOut => Failure::PoolTimeout,
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::PoolClosed | Error::WorkerCrashed => {
            Failure::ConnectionLost
        }
        _ => Failure::Other,
    }
}

fn of_server(error: &dyn DatabaseError) -> Failure {
    match error.code().as_deref() {
        Some("57014") => Failure::StatementTimeout,
        Some("55P03") => Failure::LockTimeout,
        Some("40001" | "40P01") => Failure::Conflict,
        Some("23505") => Failure::UniqueViolation(error.constraint().unwrap_or_default().to_owned()),
        Some("25006") => Failure::ReadOnly,
        // Shut down, crashed, starting up, idle too long, too many connections.
        Some("57P01" | "57P02" | "57P03" | "57P05" | "53300") => Failure::ConnectionLost,
        Some(code) if code.starts_with("08") => Failure::ConnectionLost,
        Some(code) if ["22", "23", "54"].iter().any(|class| code.starts_with(class)) => Failure::BadValue,
        _ => Failure::Other,
    }
}
