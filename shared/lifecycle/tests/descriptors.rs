//! A process that has no descriptor left. Alone in its program: the limit is of the whole process.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use credo_lifecycle::{ConnectionMetrics, HttpLimits, HttpServer, Shutdown};
use prometheus::{Registry, TextEncoder};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

const SOON: Duration = Duration::from_secs(20);
/// More than the runtime has by itself.
const DESCRIPTORS: u64 = 96;

/// Time that the process has had of all CPUs.
fn cpu_time() -> Duration {
    let usage = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(usage.tv_sec.try_into().unwrap(), usage.tv_nsec.try_into().unwrap())
}

async fn ask(stream: &mut TcpStream) -> String {
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    timeout(SOON, stream.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    answer
}

#[expect(clippy::disallowed_methods, reason = "the test waits for its end")]
#[tokio::test]
async fn fi_16_without_descriptors_a_listener_waits_and_goes_on() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(DESCRIPTORS);
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, registry, shutdown): (SocketAddr, _, _) =
        (listener.local_addr().unwrap(), Registry::new(), Shutdown::new());
    let metrics = ConnectionMetrics::new(&registry).unwrap();
    let server = HttpServer::new(
        listener,
        HttpLimits {
            head: SOON,
            ..HttpLimits::PUBLIC
        },
    )
    .observed_by(&metrics);
    let stopped = shutdown.clone();
    let router = Router::new().route("/", get(async || "here"));
    let serving = tokio::spawn(server.serve(router, async move { stopped.requested().await }));
    // Descriptors are taken from both ends until there is none; the last connections wait in the system's queue.
    let mut clients = Vec::new();
    while let Ok(stream) = TcpStream::connect(address).await {
        clients.push(stream);
    }
    let text = || TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    let began = Instant::now();
    while !text().contains("refused_total{reason=\"descriptors\"} 1\n") {
        assert!(began.elapsed() < SOON, "{}", text());
        sleep(Duration::from_millis(10)).await;
    }
    let (began, before) = (Instant::now(), cpu_time());
    sleep(Duration::from_millis(500)).await;
    assert!(cpu_time().saturating_sub(before) < began.elapsed() / 2, "it spins");
    assert!(!serving.is_finished());
    let mut last = clients.pop().unwrap();
    drop(clients);
    assert!(ask(&mut last).await.ends_with("here"));
    shutdown.request();
    timeout(SOON, serving).await.unwrap().unwrap();
}
