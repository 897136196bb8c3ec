//! A listener and clients that mean it no good, over real connections.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::Cursor,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, routing::get};
use credo_lifecycle::{ConnectionMetrics, HttpLimits, HttpServer, Shutdown};
use prometheus::{Registry, TextEncoder};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
    time::timeout,
};

const SOON: Duration = Duration::from_secs(20);
const HEAD: &str = "GET /quick HTTP/1.1\r\nhost: x\r\n";
/// So little that a test can wait for it; what is not tried is long.
const QUICK: HttpLimits = HttpLimits {
    head: Duration::from_millis(300),
    idle: Duration::from_mins(1),
    exchange: Duration::from_mins(1),
    write: Duration::from_mins(1),
    ..HttpLimits::PUBLIC
};

struct Server {
    address: SocketAddr,
    registry: Registry,
    shutdown: Shutdown,
    /// Lets the answer of `/held` go.
    release: Arc<Notify>,
    serving: JoinHandle<()>,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "the test waits for its end")]
    async fn start(limits: HttpLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, registry, shutdown) = (listener.local_addr().unwrap(), Registry::new(), Shutdown::new());
        let release = Arc::new(Notify::new());
        let held = Arc::clone(&release);
        let router = Router::new()
            .route("/quick", get(async || "quick"))
            .route(
                "/held",
                get(async move || {
                    held.notified().await;
                    "held"
                }),
            )
            .route("/large", get(async || Body::from(vec![b'x'; 64 << 20])));
        let metrics = ConnectionMetrics::new(&registry).unwrap();
        let server = HttpServer::new(listener, limits).observed_by(&metrics);
        let stopped = shutdown.clone();
        let serving = tokio::spawn(server.serve(router, async move { stopped.requested().await }));
        Self {
            address,
            registry,
            shutdown,
            release,
            serving,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn send(&self, text: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// The value of a series, as it stands in the text of the metrics.
    fn metric(&self, series: &str) -> u64 {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap().parse().unwrap()
    }

    fn ended(&self, reason: &str) -> u64 {
        self.metric(&format!("credo_http_connections_ended_total{{reason=\"{reason}\"}}"))
    }

    async fn stop(self) {
        self.shutdown.request();
        timeout(SOON, self.serving).await.unwrap().unwrap();
    }
}

/// What comes until the server closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset ends it too.
    let _ = timeout(SOON, stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer of a connection that stays open.
async fn answer(stream: &mut TcpStream, body: &str) {
    let mut bytes = Vec::new();
    while !bytes.ends_with(body.as_bytes()) {
        let read = timeout(SOON, stream.read_buf(&mut bytes)).await.unwrap().unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&bytes));
    }
    assert!(
        bytes.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&bytes)
    );
}

#[tokio::test]
async fn fi_16_clients_that_do_not_end_a_head_are_let_go() {
    let server = Server::start(QUICK).await;
    let silent = server.connect().await;
    let half = server.send(HEAD).await;
    let half_preface = server.send("PRI * HTTP/2").await;
    for stream in [silent, half, half_preface] {
        assert_eq!(rest(stream).await, "");
    }
    // Byte by byte is no better: what counts is the head's end.
    let (mut reader, mut writer) = server.connect().await.into_split();
    let drip = async {
        loop {
            if writer.write_all(b"GET / HTTP/1.1\r\nx: ").await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let gone = async { reader.read_to_end(&mut Vec::new()).await };
    tokio::select! {
        _ = gone => {}
        () = drip => {}
        () = tokio::time::sleep(SOON) => panic!("it is held"),
    }
    assert_eq!(server.ended("head"), 4);
    // The second head of a connection has its time too.
    let mut kept = server.send(&format!("{HEAD}\r\n")).await;
    answer(&mut kept, "quick").await;
    kept.write_all(HEAD.as_bytes()).await.unwrap();
    assert_eq!(rest(kept).await, "");
    assert_eq!(server.ended("head"), 5);
    server.stop().await;
}

#[tokio::test]
async fn connections_without_requests_are_ended() {
    let server = Server::start(HttpLimits {
        idle: Duration::from_millis(300),
        head: Duration::from_mins(1),
        ..QUICK
    })
    .await;
    let mut kept = server.send(&format!("{HEAD}\r\n")).await;
    answer(&mut kept, "quick").await;
    kept.write_all(format!("{HEAD}\r\n").as_bytes()).await.unwrap();
    answer(&mut kept, "quick").await;
    assert_eq!(rest(kept).await, "");
    assert_eq!((server.ended("idle"), server.ended("head")), (1, 0));
    server.stop().await;
}

#[tokio::test]
async fn fi_16_clients_that_do_not_take_their_answer_are_let_go() {
    let server = Server::start(HttpLimits {
        write: Duration::from_millis(300),
        head: Duration::from_millis(300),
        ..QUICK
    })
    .await;
    let reader = server.send("GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let began = Instant::now();
    while server.ended("write") == 0 {
        assert!(began.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(server.metric("credo_http_connections"), 0);
    assert!(rest(reader).await.len() < 64 << 20);
    let request = format!("{HEAD}connection: close\r\n\r\n");
    assert!(rest(server.send(&request).await).await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}

/// Over HTTP/2 the socket never stalls: each answer waits for its stream's window.
#[tokio::test]
async fn fi_16_clients_without_a_window_are_let_go() {
    let server = Server::start(HttpLimits {
        exchange: Duration::from_millis(300),
        head: Duration::from_millis(300),
        ..QUICK
    })
    .await;
    let mut stream = server.connect().await;
    let start = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice();
    // SETTINGS: a stream's window is one byte.
    let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1];
    // HEADERS of stream 1, whole: GET, http, /quick and an authority.
    let get = [
        &[0, 0, 13, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 4, 6],
        b"/quick".as_slice(),
        &[1, 1, b'x'],
    ]
    .concat();
    stream.write_all(&[start, &settings, &get].concat()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut bytes)).await.unwrap();
    assert_eq!(server.ended("exchange"), 1);
    server.stop().await;
}

#[tokio::test]
async fn who_takes_nothing_does_not_hold_up_the_end() {
    let server = Server::start(HttpLimits {
        exchange: Duration::from_millis(500),
        ..QUICK
    })
    .await;
    let reader = server.send("GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.stop().await;
    assert!(rest(reader).await.len() < 64 << 20);
}

#[tokio::test]
async fn an_exchange_has_its_time() {
    let server = Server::start(HttpLimits {
        exchange: Duration::from_millis(300),
        ..QUICK
    })
    .await;
    let held = server.send("GET /held HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(rest(held).await, "");
    assert_eq!(server.ended("exchange"), 1);
    server.stop().await;
}

#[tokio::test]
async fn fi_16_connections_beyond_the_limit_are_told_so() {
    for (limits, reason) in [
        (
            HttpLimits {
                connections: 2,
                ..QUICK
            },
            "total",
        ),
        (
            HttpLimits {
                connections_per_address: 2,
                ..QUICK
            },
            "address",
        ),
    ] {
        let limits = HttpLimits { head: SOON, ..limits };
        let server = Server::start(limits).await;
        let mut kept = server.send(&format!("{HEAD}\r\n")).await;
        answer(&mut kept, "quick").await;
        let other = server.send(HEAD).await;
        let refused = rest(server.connect().await).await;
        assert!(
            refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1"),
            "{refused}"
        );
        let series = format!("credo_http_connections_refused_total{{reason=\"{reason}\"}}");
        assert_eq!(server.metric(&series), 1);
        assert_eq!(server.metric("credo_http_connections"), 2);
        drop(other);
        // Who was there is served all the time, and a place that is free is given away.
        kept.write_all(format!("{HEAD}\r\n").as_bytes()).await.unwrap();
        answer(&mut kept, "quick").await;
        let request = format!("{HEAD}connection: close\r\n\r\n");
        let began = Instant::now();
        loop {
            let mut stream = server.connect().await;
            let _ = stream.write_all(request.as_bytes()).await;
            if rest(stream).await.starts_with("HTTP/1.1 200") {
                break;
            }
            assert!(began.elapsed() < SOON);
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused_with_431() {
    let server = Server::start(QUICK).await;
    let large = format!("{HEAD}x: {}\r\n\r\n", "x".repeat(40 << 10));
    assert!(rest(server.send(&large).await).await.starts_with("HTTP/1.1 431"));
    let fits = format!("{HEAD}connection: close\r\nx: {}\r\n\r\n", "x".repeat(16 << 10));
    assert!(rest(server.send(&fits).await).await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}

#[tokio::test]
async fn no_request_fails_when_the_server_stops() {
    let server = Server::start(HttpLimits { head: SOON, ..QUICK }).await;
    let mut idle = server.send(&format!("{HEAD}\r\n")).await;
    answer(&mut idle, "quick").await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(server.send("GET /held HTTP/1.1\r\nhost: x\r\n\r\n").await);
    }
    let mut beginning = server.send(HEAD).await;
    while server.metric("credo_http_connections") < 5 {
        tokio::task::yield_now().await;
    }
    server.shutdown.request();
    // Who waits is let go at once; who has asked is answered, and told that this was all.
    assert_eq!(rest(idle).await, "");
    assert!(TcpStream::connect(server.address).await.is_err());
    beginning.write_all(b"\r\n").await.unwrap();
    let last = rest(beginning).await;
    assert!(
        last.starts_with("HTTP/1.1 200") && last.contains("connection: close"),
        "{last}"
    );
    for stream in held {
        server.release.notify_one();
        assert!(rest(stream).await.ends_with("held"));
    }
    server.stop().await;
}

/// The frames of a client's first words, without a request.
fn preface() -> Vec<u8> {
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(),
        &[0, 0, 0, 4, 0, 0, 0, 0, 0],
    ]
    .concat()
}

#[tokio::test]
async fn http_2_says_its_bounds_and_ends_who_sends_no_request() {
    let server = Server::start(QUICK).await;
    let mut stream = server.connect().await;
    stream.write_all(&preface()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut bytes)).await.unwrap();
    // The first frame is SETTINGS: pairs of a name in two bytes and a value in four.
    let length = usize::from(bytes[1]) << 8 | usize::from(bytes[2]);
    let mut settings = Cursor::new(&bytes[9..9 + length]);
    let mut seen = Vec::new();
    while let (Ok(name), Ok(value)) = (settings.read_u16().await, settings.read_u32().await) {
        seen.push((name, value));
    }
    assert!(seen.contains(&(3, 128)), "concurrent streams: {seen:?}");
    assert!(seen.contains(&(6, 32 << 10)), "header list: {seen:?}");
    assert_eq!(server.ended("head"), 1);
    server.stop().await;
}
