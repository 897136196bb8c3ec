//! The settings of audit-consumer.

use std::{net::SocketAddr, path::PathBuf};

use credo_admin::GrpcTls;
use credo_config::Spec;
use credo_kafka::KafkaSettings;
use credo_telemetry::TelemetrySettings;
use secrecy::SecretString;
use serde::Deserialize;

/// Every name that audit-consumer knows.
pub const SPEC: Spec = Spec {
    service: "audit-consumer",
    env_prefix: "CREDO_AUDIT_CONSUMER_",
    shared: &[("CREDO_PUBLIC_BASE_URL", "public_base_url")],
    keys: &[
        "grpc.listen",
        "grpc.tls.cert_file",
        "grpc.tls.key_file",
        "grpc.tls.client_ca_file",
        "management.listen",
        "database.url",
        "database.reader_url",
        "kafka.brokers",
        "kafka.topic",
        "kafka.mode",
        "admin.auth_api_url",
        "admin.jwks_cache_dir",
        "telemetry.log",
        "telemetry.format",
        "telemetry.otlp_endpoint",
        "telemetry.trace_sample_ratio",
    ],
};

/// Everything that can be set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What the issuers of admin tokens begin with.
    pub public_base_url: String,
    /// Admin gRPC.
    #[serde(default)]
    pub grpc: Grpc,
    /// Health and metrics.
    #[serde(default)]
    pub management: Management,
    /// The audit database.
    pub database: Database,
    /// Kafka.
    pub kafka: KafkaSettings,
    /// Where admin tokens are checked.
    #[serde(default)]
    pub admin: Admin,
    /// Logs and traces.
    #[serde(default)]
    pub telemetry: TelemetrySettings,
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
            listen: SocketAddr::from(([127, 0, 0, 1], 9092)),
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
            listen: SocketAddr::from(([127, 0, 0, 1], 9002)),
        }
    }
}

/// The audit database.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `postgres://credo_audit_consumer:…@host/credo_audit`.
    pub url: SecretString,
    /// `postgres://credo_audit_reader:…@host/credo_audit`: queries see one tenant at a time.
    pub reader_url: SecretString,
}

/// Where admin tokens are checked.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// Where auth-api answers to services.
    pub auth_api_url: String,
    /// Keys are kept here, so that a restart needs no auth-api.
    pub jwks_cache_dir: Option<PathBuf>,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            auth_api_url: "http://127.0.0.1:8080".to_owned(),
            jwks_cache_dir: None,
        }
    }
}
