//! TLS of the gRPC servers, and the certificates that clients must have.
//!
//! A client's certificate is the outer wall: it says that a machine may connect. Who calls, the token says.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

const CERT_FILE: &str = "grpc.tls.cert_file";
const KEY_FILE: &str = "grpc.tls.key_file";
const CLIENT_CA_FILE: &str = "grpc.tls.client_ca_file";
/// Longest time from a connection's first byte to its last of the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The settings `grpc.tls`. With none of them the server speaks plain HTTP/2.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrpcTls {
    /// PEM: the server's certificate, then those between it and the root.
    #[serde(rename = "cert_file")]
    pub certificate: Option<PathBuf>,
    /// PEM: the certificate's private key.
    #[serde(rename = "key_file")]
    pub key: Option<PathBuf>,
    /// PEM: the roots of clients' certificates. With it, no connection without such a certificate.
    #[serde(rename = "client_ca_file")]
    pub client_ca: Option<PathBuf>,
}

/// TLS settings that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One without the other.
    #[error("{CERT_FILE} and {KEY_FILE} belong together: set both or neither")]
    Half,
    /// Nobody can ask for clients' certificates in plain text.
    #[error("{CLIENT_CA_FILE} needs {CERT_FILE} and {KEY_FILE}")]
    ClientCaAlone,
    /// A file cannot be read.
    #[error("{key}: {}: {source}", .path.display())]
    Unreadable {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The files are no certificate and its key.
    #[error("{CERT_FILE}, {KEY_FILE}: not a certificate and its private key in PEM: {0}")]
    Identity(String),
    /// The file holds no certificate.
    #[error("{CLIENT_CA_FILE}: no certificates in PEM: {0}")]
    ClientCa(String),
}

impl GrpcTls {
    /// Whether a connection needs TLS.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.certificate.is_some()
    }

    /// `server` with this TLS.
    pub(super) fn apply(&self, server: Server) -> Result<Server, TlsError> {
        let (certificate, key) = match (&self.certificate, &self.key, &self.client_ca) {
            (Some(certificate), Some(key), _) => (certificate, key),
            (None, None, None) => return Ok(server),
            (None, None, Some(_)) => return Err(TlsError::ClientCaAlone),
            _ => return Err(TlsError::Half),
        };
        let identity = Identity::from_pem(read(CERT_FILE, certificate)?, read(KEY_FILE, key)?);
        let config = ServerTlsConfig::new().identity(identity).timeout(HANDSHAKE_TIMEOUT);
        let without_clients = server
            .clone()
            .tls_config(config.clone())
            .map_err(|error| TlsError::Identity(innermost(&error)))?;
        let Some(client_ca) = &self.client_ca else {
            return Ok(without_clients);
        };
        let roots = Certificate::from_pem(read(CLIENT_CA_FILE, client_ca)?);
        server
            .tls_config(config.client_ca_root(roots))
            .map_err(|error| TlsError::ClientCa(innermost(&error)))
    }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Unreadable {
        key,
        path: path.to_owned(),
        source,
    })
}

/// The transport's own error says nothing; its cause does. Never a part of the files.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
