//! A replica behind a real socket, as in production.

use std::{net::SocketAddr, sync::Arc};

use auth_api::http;
use tokio::{net::TcpListener, task::JoinSet};

use super::Replica;

/// Serves until it is dropped.
pub struct Listener {
    pub address: SocketAddr,
    _tasks: JoinSet<std::io::Result<()>>,
}

impl Replica {
    pub async fn listen(&self) -> Listener {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = http::router(Arc::clone(&self.app)).into_make_service_with_connect_info::<SocketAddr>();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await });
        Listener { address, _tasks: tasks }
    }
}
