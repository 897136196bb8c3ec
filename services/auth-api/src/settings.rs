//! The settings of auth-api, checked as a whole before anything starts.

use std::{net::SocketAddr, path::PathBuf};

use credo_admin::GrpcTls;
use credo_config::Spec;
use credo_telemetry::TelemetrySettings;
use secrecy::SecretString;
use serde::Deserialize;
use url::{Host, Url};

use crate::{
    http::TrustedProxies,
    keys::{InvalidKeySettings, KeySettings},
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
        "grpc.listen",
        "grpc.tls.cert_file",
        "grpc.tls.key_file",
        "grpc.tls.client_ca_file",
        "management.listen",
        "database.url",
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
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            max_concurrent_requests: 1_024,
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
    /// Connections for statements that requests wait for.
    #[serde(default = "default_hot_connections")]
    pub hot_connections: u32,
    /// Connections for administration and look-ups.
    #[serde(default = "default_cold_connections")]
    pub cold_connections: u32,
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
            hash_threads: std::thread::available_parallelism().map_or(2, usize::from),
            attempts_per_address_per_minute: 100,
            rehash_below: Cost::TODAY,
        }
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
    /// A number that must not be zero.
    #[error("{0} must be at least 1")]
    Zero(&'static str),
}

impl Settings {
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
            ("CREDO_AUTH_API_PASSWORD_HASH_THREADS", self.password.hash_threads),
            (
                "CREDO_AUTH_API_PASSWORD_ATTEMPTS_PER_ADDRESS_PER_MINUTE",
                self.password.attempts_per_address_per_minute as usize,
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
