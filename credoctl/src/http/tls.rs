//! Whom we believe and who we are, for HTTP. Keys are read from files that only their owner may read.

use std::{fs, path::Path};

use reqwest::{Certificate, ClientBuilder, Identity};

use crate::{
    context::{Endpoint, read_private},
    failure::{Failure, Result},
};

/// Applies an endpoint's certificates.
///
/// # Errors
/// If a file cannot be read or holds something else.
pub fn configure(mut builder: ClientBuilder, endpoint: &Endpoint) -> Result<ClientBuilder> {
    if let Some(path) = &endpoint.ca_file {
        let pem = read_certificates(path)?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| bad(path, &error))?;
        builder = builder.tls_certs_only(certificates);
    }
    if let Some((certificate, key)) = identity(endpoint)? {
        let pem = [certificate.as_slice(), b"\n", key.as_bytes()].concat();
        builder =
            builder.identity(Identity::from_pem(&pem).map_err(|error| bad("the client certificate".as_ref(), &error))?);
    }
    Ok(builder)
}

/// Our certificate and key, if there are.
///
/// # Errors
/// If only one of the two is set, or one cannot be read.
pub fn identity(endpoint: &Endpoint) -> Result<Option<(Vec<u8>, String)>> {
    match (&endpoint.certificate_file, &endpoint.key_file) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            let pem = read_private(key)?.ok_or_else(|| Failure::usage(format!("{} is not there", key.display())))?;
            Ok(Some((read_certificates(certificate)?, pem)))
        }
        _ => Err(Failure::usage(
            "a client certificate needs its key, and a key its certificate",
        )),
    }
}

/// A PEM file of certificates.
///
/// # Errors
/// If it cannot be read.
pub fn read_certificates(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| bad(path, &error))
}

fn bad(path: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()))
}
