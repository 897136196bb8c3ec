//! The settings of auth-api, checked as a whole before anything starts.

use std::{net::SocketAddr, path::PathBuf};

use credo_admin::GrpcTls;
use credo_config::Spec;
use credo_lifecycle::HttpLimits;
use credo_telemetry::TelemetrySettings;
use secrecy::SecretString;
use serde::Deserialize;
use url::{Host, Url};

use crate::{
    http::TrustedProxies,
    keys::{InvalidKeySettings, KeySettings},
    memory,
    passwords::Cost,
};

/// Every name that auth-api knows.
pub const SPEC: Spec = Spec {
    service: "auth-api",
    env_prefix: "CREDO_AUTH_API_",
    shared: &[
        ("CREDO_PUBLIC_BASE_URL", "public_base_url"),
        ("CREDO_MASTER_KEYS_FILE", "master_keys_path"),
        ("CREDO_TRUSTED_PROXIES", "trusted_proxies"),
    ],
    keys: &[
        "http.listen",
        "http.max_concurrent_requests",
        "http.max_connections",
        "http.max_connections_per_address",
        "grpc.listen",
        "grpc.tls.cert_file",
        "grpc.tls.key_file",
        "grpc.tls.client_ca_file",
        "management.listen",
        "database.url",
        "database.batch_connections",
        "database.hot_connections",
        "database.cold_connections",
        "redis.url",
        "keys.rotate_every",
        "keys.pending_min",
        "password.hash_threads",
        "password.attempts_per_address_per_minute",
        "telemetry.log",
        "telemetry.format",
        "telemetry.otlp_endpoint",
        "telemetry.trace_sample_ratio",
        "telemetry.trust_incoming_traceparent",
    ],
};

/// Descriptors that connections of the public leave to the rest: management, gRPC, Redis, files, the runtime.
const OWN_DESCRIPTORS: u64 = 512;

/// Everything that can be set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What clients reach the server by, such as `https://id.example.com`; the issuers begin with it.
    pub public_base_url: String,
    /// The file of master keys.
    pub master_keys_path: PathBuf,
    /// Networks whose forwarding headers are believed.
    #[serde(default)]
    pub trusted_proxies: TrustedProxies,
    /// Public HTTP.
    #[serde(default)]
    pub http: Http,
    /// Admin gRPC.
    #[serde(default)]
    pub grpc: Grpc,
    /// Health and metrics.
    #[serde(default)]
    pub management: Management,
    /// Postgres.
    pub database: Database,
    /// Redis.
    #[serde(default)]
    pub redis: Redis,
    /// Passwords.
    #[serde(default)]
    pub password: Passwords,
    /// Signing keys.
    #[serde(default)]
    pub keys: KeySettings,
    /// Logs and traces.
    #[serde(default)]
    pub telemetry: TelemetrySettings,
}

/// Public HTTP.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address and port.
    pub listen: SocketAddr,
    /// Requests at one time; more get 503 at once.
    pub max_concurrent_requests: usize,
    /// Connections at one time; more are closed at once. Without it as many as the default of the listener and the
    /// descriptors of the process allow.
    pub max_connections: Option<usize>,
    /// Those of one address (of one /64 of IPv6), unless it is a trusted proxy.
    pub max_connections_per_address: usize,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            max_concurrent_requests: 1_024,
            max_connections: None,
            max_connections_per_address: HttpLimits::PUBLIC.connections_per_address,
        }
    }
}

/// Admin gRPC.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grpc {
    /// Address and port.
    pub listen: SocketAddr,
    /// TLS; without it, whoever reaches the port reads along.
    pub tls: GrpcTls,
}

impl Default for Grpc {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9090)),
            tls: GrpcTls::default(),
        }
    }
}

/// Health and metrics.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Management {
    /// Address and port.
    pub listen: SocketAddr,
}

impl Default for Management {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9000)),
        }
    }
}

/// Postgres.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `postgres://credo_auth_api:…@host/credo_auth`.
    pub url: SecretString,
    /// Connections for statements that requests share; each has a worker.
    #[serde(default = "default_batch_connections")]
    pub batch_connections: usize,
    /// Connections for statements that one request waits for alone.
    #[serde(default = "default_hot_connections")]
    pub hot_connections: u32,
    /// Connections for administration and look-ups.
    #[serde(default = "default_cold_connections")]
    pub cold_connections: u32,
}

const fn default_batch_connections() -> usize {
    4
}

const fn default_hot_connections() -> u32 {
    16
}

const fn default_cold_connections() -> u32 {
    8
}

/// Redis.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// `redis://host:port`; without it there is none.
    pub url: Option<SecretString>,
}

/// Passwords.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Passwords {
    /// Hashes at one time; each takes a core and 19 MiB.
    pub hash_threads: usize,
    /// Passwords that one address may try with one tenant in a minute; each replica counts for itself.
    pub attempts_per_address_per_minute: u32,
    /// A hash that cost less is replaced at the next sign-in. Not for operators to set: tests hash for nothing.
    #[serde(skip)]
    pub rehash_below: Cost,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            hash_threads: std::thread::available_parallelism()
                .map_or(2, usize::from)
                .min(memory::available().map_or(usize::MAX, Self::fitting)),
            attempts_per_address_per_minute: 100,
            rehash_below: Cost::TODAY,
        }
    }
}

impl Passwords {
    /// Hashes that fit into half of so much memory; one is tried in any case.
    fn fitting(available: u64) -> usize {
        let threads = (available / 2 / Cost::TODAY.bytes()).saturating_sub(1).max(1);
        usize::try_from(threads).unwrap_or(usize::MAX)
    }

    /// Whether so many hashes fit into the memory that there is.
    fn fit(&self, available: u64) -> Result<(), InvalidSettings> {
        let at_most = Self::fitting(available);
        if self.hash_threads > at_most {
            return Err(InvalidSettings::HashMemory { at_most, available });
        }
        Ok(())
    }
}

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// `CREDO_PUBLIC_BASE_URL`.
    #[error(
        "CREDO_PUBLIC_BASE_URL must be an https URL without path, query and slash at its end, such as https://id.example.com; http is accepted for loopback addresses alone"
    )]
    PublicBaseUrl,
    /// How long keys live.
    #[error(transparent)]
    Keys(#[from] InvalidKeySettings),
    /// What the descriptors of the process do not allow.
    #[error(
        "CREDO_AUTH_API_HTTP_MAX_CONNECTIONS must be at most {at_most}: the process may have {descriptors} descriptors, and needs some for itself (raise the limit, such as with `ulimit -n`)"
    )]
    Connections {
        /// What it may be.
        at_most: u64,
        /// What the process may have.
        descriptors: u64,
    },
    /// What memory does not allow.
    #[error(
        "CREDO_AUTH_API_PASSWORD_HASH_THREADS must be at most {at_most}: each hash takes 19 MiB, and all of them half of the memory at most ({available} bytes)"
    )]
    HashMemory {
        /// What it may be.
        at_most: usize,
        /// What the process may have.
        available: u64,
    },
    /// A number that must not be zero.
    #[error("{0} must be at least 1")]
    Zero(&'static str),
}

impl Http {
    /// The bounds of the listener, in a process that may have so many descriptors and needs `reserved` for itself.
    ///
    /// # Errors
    /// If as many connections as were asked for cannot be.
    pub fn limits(&self, descriptors: u64, reserved: u64) -> Result<HttpLimits, InvalidSettings> {
        let at_most = descriptors.saturating_sub(reserved).max(1);
        let possible = usize::try_from(at_most).unwrap_or(usize::MAX);
        let connections = match self.max_connections {
            Some(asked) if asked > possible => return Err(InvalidSettings::Connections { at_most, descriptors }),
            Some(asked) => asked,
            None => HttpLimits::PUBLIC.connections.min(possible),
        };
        Ok(HttpLimits {
            connections,
            connections_per_address: self.max_connections_per_address,
            ..HttpLimits::PUBLIC
        })
    }
}

impl Settings {
    /// The bounds of public HTTP, in a process that may have so many descriptors.
    ///
    /// # Errors
    /// If they cannot be kept.
    pub fn http_limits(&self, descriptors: u64) -> Result<HttpLimits, InvalidSettings> {
        let pools = u64::from(self.database.hot_connections)
            + u64::from(self.database.cold_connections)
            + self.database.batch_connections as u64;
        self.http.limits(descriptors, OWN_DESCRIPTORS + pools)
    }

    /// Checks what no single value can tell.
    ///
    /// # Errors
    /// The first setting that cannot be.
    pub fn validate(&self) -> Result<(), InvalidSettings> {
        let url = Url::parse(&self.public_base_url).map_err(|_| InvalidSettings::PublicBaseUrl)?;
        let origin = url.origin().ascii_serialization();
        if origin != self.public_base_url || !(url.scheme() == "https" || self.is_loopback()) {
            return Err(InvalidSettings::PublicBaseUrl);
        }
        for (name, value) in [
            (
                "CREDO_AUTH_API_HTTP_MAX_CONCURRENT_REQUESTS",
                self.http.max_concurrent_requests,
            ),
            (
                "CREDO_AUTH_API_HTTP_MAX_CONNECTIONS",
                self.http.max_connections.unwrap_or(HttpLimits::PUBLIC.connections),
            ),
            (
                "CREDO_AUTH_API_HTTP_MAX_CONNECTIONS_PER_ADDRESS",
                self.http.max_connections_per_address,
            ),
            ("CREDO_AUTH_API_PASSWORD_HASH_THREADS", self.password.hash_threads),
            (
                "CREDO_AUTH_API_PASSWORD_ATTEMPTS_PER_ADDRESS_PER_MINUTE",
                self.password.attempts_per_address_per_minute as usize,
            ),
            (
                "CREDO_AUTH_API_DATABASE_BATCH_CONNECTIONS",
                self.database.batch_connections,
            ),
            (
                "CREDO_AUTH_API_DATABASE_HOT_CONNECTIONS",
                self.database.hot_connections as usize,
            ),
            (
                "CREDO_AUTH_API_DATABASE_COLD_CONNECTIONS",
                self.database.cold_connections as usize,
            ),
        ] {
            if value == 0 {
                return Err(InvalidSettings::Zero(name));
            }
        }
        if let Some(available) = memory::available() {
            self.password.fit(available)?;
        }
        self.keys.validate()?;
        Ok(())
    }

    /// Whether the server can be reached from its own machine alone.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match Url::parse(&self.public_base_url)
            .ok()
            .and_then(|url| url.host().map(|host| host.to_owned()))
        {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn hashes_that_do_not_fit_into_memory_are_refused_by_name() {
        let passwords = |hash_threads| Passwords {
            hash_threads,
            ..Passwords::default()
        };
        // Half of 190 MiB are five hashes, of which one is the administrators'.
        assert!(passwords(4).fit(190 << 20).is_ok());
        let refused = passwords(5).fit(190 << 20).unwrap_err().to_string();
        assert!(
            refused.starts_with("CREDO_AUTH_API_PASSWORD_HASH_THREADS must be at most 4"),
            "{refused}"
        );
        assert!(passwords(1).fit(1 << 20).is_ok());
    }

    #[test]
    fn connections_that_have_no_descriptors_are_refused_by_name() {
        let http = |max_connections| Http {
            max_connections,
            ..Http::default()
        };
        assert_eq!(http(None).limits(1_024, 512).unwrap().connections, 512);
        assert_eq!(
            http(None).limits(1 << 20, 512).unwrap().connections,
            HttpLimits::PUBLIC.connections
        );
        assert_eq!(http(Some(512)).limits(1_024, 512).unwrap().connections, 512);
        let refused = http(Some(513)).limits(1_024, 512).unwrap_err().to_string();
        assert!(
            refused.starts_with("CREDO_AUTH_API_HTTP_MAX_CONNECTIONS must be at most 512"),
            "{refused}"
        );
    }
}
