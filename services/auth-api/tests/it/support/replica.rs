//! The service in this process, wired as in production.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use auth_api::{
    app::App,
    http,
    keys::{KeySettings, MasterKeys},
    passwords::Cost,
    settings::Settings,
};
use axum::{Router, extract::ConnectInfo};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_clock::{ManualClock, SharedClock};
use credo_lifecycle::{Health, Shutdown, Tasks};
use credo_testkit::eventually;
use serde_json::json;
use time::OffsetDateTime;
use tower::ServiceExt as _;

use super::{Answer, Call};

pub const BASE_URL: &str = "https://id.example";
const READY_DEADLINE: Duration = Duration::from_secs(10);

/// How a replica differs from the usual one.
#[derive(Clone)]
pub struct ReplicaSpec {
    /// Stands still by default, so that nothing grows old by itself.
    pub clock: Option<SharedClock>,
    pub max_concurrent_requests: usize,
    pub hot_connections: u32,
    pub cold_connections: u32,
    /// Lines of the master keys file.
    pub master_keys: String,
    pub redis_url: Option<String>,
    pub attempts_per_address: u32,
    /// Nothing by default: the fixtures hash for nothing.
    pub rehash_below: Cost,
    /// How long keys live; not checked, so that a test can see what goes wrong.
    pub keys: KeySettings,
}

impl Default for ReplicaSpec {
    fn default() -> Self {
        Self {
            clock: None,
            max_concurrent_requests: 256,
            hot_connections: 2,
            cold_connections: 1,
            master_keys: Self::master_key(1, ""),
            redis_url: None,
            attempts_per_address: 100_000,
            rehash_below: Cost {
                memory_kib: 0,
                passes: 0,
            },
            keys: KeySettings::default(),
        }
    }
}

impl ReplicaSpec {
    /// A line of the master keys file.
    pub fn master_key(id: u8, note: &str) -> String {
        format!("{id} {} {note}\n", URL_SAFE_NO_PAD.encode([id; 32]))
    }
}

/// One replica. It stops when it is dropped.
pub struct Replica {
    pub app: Arc<App>,
    pub router: Router,
    /// The clock, unless the test brought one of its own.
    pub clock: Arc<ManualClock>,
    pub health: Health,
    shutdown: Shutdown,
}

impl Replica {
    /// Starts a replica over the database at `url`, and waits until it has read the feed.
    pub async fn start(url: String, spec: ReplicaSpec) -> Self {
        let mut settings: Settings = serde_json::from_value(json!({
            "public_base_url": BASE_URL,
            "master_keys_path": "/nowhere",
            "http": { "max_concurrent_requests": spec.max_concurrent_requests },
            "database": { "url": url, "hot_connections": spec.hot_connections, "cold_connections": spec.cold_connections },
            "redis": { "url": spec.redis_url },
            "password": { "hash_threads": 2, "attempts_per_address_per_minute": spec.attempts_per_address },
        }))
        .unwrap();
        settings.password.rehash_below = spec.rehash_below;
        settings.validate().unwrap();
        settings.keys = spec.keys;
        let manual = ManualClock::new(OffsetDateTime::now_utc());
        let clock = spec.clock.unwrap_or_else(|| Arc::clone(&manual) as SharedClock);
        let shutdown = Shutdown::new();
        let (tasks, health) = (Tasks::new(shutdown.clone()), Health::new());
        let masters = MasterKeys::parse(&spec.master_keys).unwrap();
        let app = App::build(settings, masters, clock, (&tasks, &shutdown, &health)).unwrap();
        eventually(READY_DEADLINE, || async { app.feed.age().is_some() }).await;
        health.started();
        Self {
            router: http::router(Arc::clone(&app)),
            app,
            clock: manual,
            health,
            shutdown,
        }
    }

    /// Sends a request as a client at 192.0.2.1 does.
    pub async fn send(&self, call: Call) -> Answer {
        self.send_from([192, 0, 2, 1], call).await
    }

    /// Sends a request as a client at that address does.
    pub async fn send_from(&self, address: [u8; 4], call: Call) -> Answer {
        let mut request = call.into_request();
        let peer = SocketAddr::from((address, 40_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        let described = format!("{} {}", request.method(), request.uri());
        let answer = Answer::take(self.router.clone().oneshot(request).await.unwrap()).await;
        answer.check(&described);
        answer
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}
