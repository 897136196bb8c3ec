//! HTTP listeners: who may connect, how long a client may take, how the server lets go.
//!
//! Owns the accept loop and the bounds of a connection; what a request may cost is its router's. A full server says so at
//! once, a slow client is let go, a process without descriptors waits for one: none of them ends the loop or spins.

mod activity;
mod connection;
mod metrics;
mod slots;
mod watched;

use std::{
    future::Future,
    io::{self, ErrorKind, Write as _},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    connection::{Terms, protocols},
    metrics::NO_DESCRIPTOR,
};
pub use self::{
    metrics::ConnectionMetrics,
    slots::{Full, Slot, Slots},
};

/// How long a listener waits for a descriptor before it tries again.
const DESCRIPTOR_PAUSE: Duration = Duration::from_millis(100);
/// What a connection is told for which there is no room.
const NO_ROOM: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The bounds of a listener.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// Connections at one time.
    pub connections: usize,
    /// Connections of one address (of one /64 of IPv6) at one time.
    pub connections_per_address: usize,
    /// From a connection's beginning, or a head's first byte, to the head's end.
    pub head: Duration,
    /// Without a request.
    pub idle: Duration,
    /// From a request's head to the last byte of its answer. More than any request may take by itself.
    pub exchange: Duration,
    /// While the client takes nothing of what is written.
    pub write: Duration,
}

impl HttpLimits {
    /// For the public.
    pub const PUBLIC: Self = Self {
        connections: 8_192,
        connections_per_address: 1_024,
        head: Duration::from_secs(10),
        idle: Duration::from_mins(1),
        exchange: Duration::from_secs(15),
        write: Duration::from_secs(10),
    };
    /// For probes and scrapes: few, near and quick.
    pub const MANAGEMENT: Self = Self {
        connections: 256,
        connections_per_address: 64,
        head: Duration::from_secs(5),
        ..Self::PUBLIC
    };
}

type Shared = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// A listener that will serve.
pub struct HttpServer {
    listener: TcpListener,
    limits: HttpLimits,
    is_shared: Shared,
    metrics: Option<ConnectionMetrics>,
}

impl HttpServer {
    /// A server on `listener`, within `limits`.
    #[must_use]
    pub fn new(listener: TcpListener, limits: HttpLimits) -> Self {
        Self {
            listener,
            limits,
            is_shared: Arc::new(|_| false),
            metrics: None,
        }
    }

    /// Counts only towards the total the connections of addresses that many people share, such as proxies.
    #[must_use]
    pub fn sharing(self, is_shared: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self {
            is_shared: Arc::new(is_shared),
            ..self
        }
    }

    /// Counts its connections there.
    #[must_use]
    pub fn observed_by(self, metrics: &ConnectionMetrics) -> Self {
        Self {
            metrics: Some(metrics.clone()),
            ..self
        }
    }

    /// Serves until `stopped` returns and every connection is done with: those that wait are ended, the others after the
    /// answer under way, and who connected before that moment is still served.
    pub async fn serve(self, router: Router, stopped: impl Future<Output = ()>) {
        let (connections, stop) = (TaskTracker::new(), CancellationToken::new());
        let slots = Slots::new(self.limits.connections, self.limits.connections_per_address);
        let protocols = protocols();
        let terms = Terms {
            limits: self.limits,
            metrics: self.metrics.clone(),
            stopped: stop.clone(),
        };
        let admit = |(stream, peer): (TcpStream, SocketAddr)| {
            let slot = match slots.take(peer.ip(), (self.is_shared)(peer.ip())) {
                Ok(slot) => slot,
                Err(full) => {
                    self.refused(full.name());
                    tell_no_room(stream);
                    return;
                }
            };
            let serving = connection::serve((stream, peer), router.clone(), protocols.clone(), terms.clone());
            let open = Open::new(self.metrics.as_ref());
            connections.spawn(async move {
                serving.await;
                drop((slot, open));
            });
        };
        let accepting = async {
            loop {
                admit(self.accept().await);
            }
        };
        tokio::select! {
            () = stopped => {}
            () = accepting => {}
        }
        // Those whom the system has accepted already; ended by the first moment without one.
        while let Ok(Ok(accepted)) = timeout(Duration::ZERO, self.listener.accept()).await {
            admit(accepted);
        }
        drop(self.listener);
        stop.cancel();
        connections.close();
        connections.wait().await;
    }

    /// The next connection. An error of one is not an error of the listener.
    async fn accept(&self) -> (TcpStream, SocketAddr) {
        let mut is_short = false;
        loop {
            let error = match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => error,
            };
            if matches!(
                error.kind(),
                ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
            ) {
                continue;
            }
            if !is_short {
                is_short = true;
                self.refused(NO_DESCRIPTOR);
                tracing::warn!(%error, "connections wait: none can be accepted");
            }
            sleep(DESCRIPTOR_PAUSE).await;
        }
    }

    fn refused(&self, reason: &str) {
        if let Some(metrics) = &self.metrics {
            metrics.refused(reason);
        }
    }
}

/// Raises the number of descriptors that the process may have as far as it may, and says how many that is.
///
/// # Errors
/// If the system refuses.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised)?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// Best effort, and never waits.
fn tell_no_room(stream: TcpStream) {
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(NO_ROOM);
    }
}

/// One connection in the gauge.
struct Open(Option<ConnectionMetrics>);

impl Open {
    fn new(metrics: Option<&ConnectionMetrics>) -> Self {
        if let Some(metrics) = metrics {
            metrics.open.inc();
        }
        Self(metrics.cloned())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(metrics) = &self.0 {
            metrics.open.dec();
        }
    }
}
