//! A connection to an admin API, with TLS as the context says.

use std::{path::PathBuf, time::Duration};

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint as Address, Identity};

use crate::{
    context::Endpoint,
    failure::{Failure, Result},
    http::tls::{identity, read_certificates},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Where distributions keep the certificates that the machine believes.
const SYSTEM_BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// A channel that connects when it is first used.
///
/// # Errors
/// If the address is none, or a certificate cannot be read.
pub fn connect(endpoint: &Endpoint) -> Result<Channel> {
    let bad = |error: &dyn std::error::Error| Failure::usage(format!("{}: {error}", endpoint.url));
    let mut address = Address::from_shared(endpoint.url.clone())
        .map_err(|error| bad(&error))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE)
        .user_agent(concat!("credoctl/", env!("CARGO_PKG_VERSION")))
        .map_err(|error| bad(&error))?;
    if address.uri().scheme_str() == Some("https") {
        address = address.tls_config(tls(endpoint)?).map_err(|error| bad(&error))?;
    }
    Ok(address.connect_lazy())
}

fn tls(endpoint: &Endpoint) -> Result<ClientTlsConfig> {
    let believed = endpoint
        .ca_file
        .clone()
        .or_else(|| SYSTEM_BUNDLES.iter().map(PathBuf::from).find(|path| path.is_file()))
        .ok_or_else(|| {
            Failure::usage(format!("{}: no certificates are believed", endpoint.url)).next("set its CA file")
        })?;
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read_certificates(&believed)?));
    if let Some((certificate, key)) = identity(endpoint)? {
        tls = tls.identity(Identity::from_pem(certificate, key));
    }
    if let Some(name) = &endpoint.server_name {
        tls = tls.domain_name(name);
    }
    Ok(tls)
}
