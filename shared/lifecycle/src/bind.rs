//! Listening sockets, with an error that names the setting to change.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: cannot listen on {address}: {source}")]
pub struct BindError {
    setting: &'static str,
    address: SocketAddr,
    source: io::Error,
}

/// Listens on `address`, which the operator gave as `setting` (such as `http.listen`).
///
/// # Errors
/// When the address is taken, not local, or not allowed.
pub async fn bind(setting: &'static str, address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| BindError {
        setting,
        address,
        source,
    })
}
