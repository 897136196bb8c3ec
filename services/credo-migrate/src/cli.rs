//! The command line.

use clap::{Parser, Subcommand, ValueEnum};
use credo_config::Flags;
use credo_postgres::schema::Database;

/// Prepares Credo's databases.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Settings: CREDO_MIGRATE_AUTH_DATABASE_URL and CREDO_MIGRATE_AUDIT_DATABASE_URL are \
    the owners' URLs; CREDO_MIGRATE_ROLES_<ROLE>_PASSWORD sets a serving role's password. Each takes the suffix _FILE."
)]
pub struct Cli {
    /// Where settings come from.
    #[command(flatten)]
    pub flags: Flags,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Command {
    /// Makes the serving roles that are missing and applies the migrations that are missing. May be repeated.
    Up {
        /// Which database.
        #[arg(value_enum, default_value_t = Target::All)]
        target: Target,
    },
    /// Lists the migrations of both databases and whether each is applied. Changes nothing.
    Status,
    /// Makes the tenant `system` and its first admin client, and prints the client's secret, once, as one line of JSON.
    /// Exits with 3 if that was done before.
    Bootstrap {
        /// Deletes the client's secrets, ends what was issued with them and makes a new one.
        #[arg(long)]
        replace: bool,
    },
}

/// Which databases are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// Tenants, clients, users, sessions and the outbox.
    Auth,
    /// The audit trail.
    Audit,
    /// Both.
    All,
}

impl Target {
    /// The databases, in the order in which they are prepared.
    pub fn databases(self) -> &'static [Database] {
        match self {
            Self::Auth => &[Database::Auth],
            Self::Audit => &[Database::Audit],
            Self::All => &[Database::Auth, Database::Audit],
        }
    }
}
