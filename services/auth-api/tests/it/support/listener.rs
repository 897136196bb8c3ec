//! A replica behind a real socket, as in production.

use std::{net::SocketAddr, sync::Arc};

use auth_api::http;
use credo_lifecycle::Shutdown;
use tokio::{net::TcpListener, task::JoinSet};

use super::Replica;

/// Serves until it is stopped or dropped.
pub struct Listener {
    pub address: SocketAddr,
    shutdown: Shutdown,
    tasks: JoinSet<()>,
}

impl Listener {
    /// Returns when every connection that was taken is done with.
    pub async fn stop(mut self) {
        self.shutdown.request();
        self.tasks.join_next().await.unwrap().unwrap();
    }
}

impl Replica {
    pub async fn listen(&self) -> Listener {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = http::server(&self.app, listener, self.app.settings.http_limits(u64::MAX).unwrap());
        let router = http::router(Arc::clone(&self.app));
        let (shutdown, mut tasks) = (Shutdown::new(), JoinSet::new());
        let stopped = shutdown.clone();
        tasks.spawn(server.serve(router, async move { stopped.requested().await }));
        Listener {
            address,
            shutdown,
            tasks,
        }
    }
}
