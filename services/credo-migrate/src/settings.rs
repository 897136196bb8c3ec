//! The settings: whose databases, and the passwords of the serving roles.

use credo_config::Spec;
use credo_postgres::{roles, schema::Database};
use credo_telemetry::TelemetrySettings;
use secrecy::SecretString;
use serde::Deserialize;

/// The names that this program knows.
pub const SPEC: Spec = Spec {
    service: "credo-migrate",
    env_prefix: "CREDO_MIGRATE_",
    shared: &[],
    keys: &[
        "auth.database_url",
        "audit.database_url",
        "roles.auth_api_password",
        "roles.outbox_relay_password",
        "roles.audit_consumer_password",
        "roles.audit_reader_password",
        "telemetry.log",
        "telemetry.format",
    ],
};

/// All settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    auth: DatabaseSettings,
    audit: DatabaseSettings,
    roles: RoleSettings,
    /// Logs.
    pub telemetry: TelemetrySettings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DatabaseSettings {
    database_url: Option<SecretString>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the fields are the names of the settings")]
struct RoleSettings {
    auth_api_password: Option<SecretString>,
    outbox_relay_password: Option<SecretString>,
    audit_consumer_password: Option<SecretString>,
    audit_reader_password: Option<SecretString>,
}

impl Settings {
    /// The URL of the database's owner, and the variable that sets it.
    pub fn owner_url(&self, database: Database) -> (Option<&SecretString>, &'static str) {
        match database {
            Database::Auth => (self.auth.database_url.as_ref(), "CREDO_MIGRATE_AUTH_DATABASE_URL"),
            Database::Audit => (self.audit.database_url.as_ref(), "CREDO_MIGRATE_AUDIT_DATABASE_URL"),
        }
    }

    /// The serving roles of `database` with the passwords that were given.
    pub fn roles_of(&self, database: Database) -> Vec<roles::Role> {
        let with_password = |&name| roles::Role {
            name,
            password: self.password_of(name).cloned(),
        };
        database.roles().iter().map(with_password).collect()
    }

    fn password_of(&self, role: &str) -> Option<&SecretString> {
        let passwords = &self.roles;
        match role {
            roles::AUTH_API => passwords.auth_api_password.as_ref(),
            roles::OUTBOX_RELAY => passwords.outbox_relay_password.as_ref(),
            roles::AUDIT_CONSUMER => passwords.audit_consumer_password.as_ref(),
            roles::AUDIT_READER => passwords.audit_reader_password.as_ref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_in_messages_are_those_that_are_read() {
        let settings = Settings::default();
        for (database, key) in [
            (Database::Auth, "auth.database_url"),
            (Database::Audit, "audit.database_url"),
        ] {
            assert_eq!(settings.owner_url(database).1, SPEC.variable(key));
        }
    }
}
