//! The life of a process, from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    future::pending,
    net::SocketAddr,
    process::{Command, id},
    time::Duration,
};

use credo_lifecycle::{Health, Shutdown, TaskError, Tasks, bind, management};
use prometheus::{IntCounter, Registry};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const SOON: Duration = Duration::from_secs(10);
const AT_ONCE: Duration = Duration::ZERO;

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

/// A management port, spawned as the services do it.
async fn management_port(tasks: &Tasks, shutdown: &Shutdown, health: &Health) -> SocketAddr {
    let registry = Registry::new();
    let counter = IntCounter::new("credo_test_total", "A metric of the service").unwrap();
    registry.register(Box::new(counter)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn(
        "management",
        management::serve(listener, health.clone(), registry, shutdown.clone()),
    );
    address
}

#[expect(clippy::unused_async, reason = "a task is a future")]
async fn panics() {
    panic!("on purpose");
}

#[tokio::test]
async fn task_that_ends_wrongly_ends_the_process_with_its_error() {
    type Spawn = fn(&Tasks);
    let cases: [(Spawn, TaskError); 3] = [
        (|tasks| tasks.spawn("feed", async {}), TaskError::EndedEarly("feed")),
        (
            |tasks| tasks.spawn("feed", async { Err::<(), _>("no route") }),
            TaskError::Failed {
                name: "feed",
                reason: "no route".to_owned(),
            },
        ),
        (|tasks| tasks.spawn("feed", panics()), TaskError::Panicked("feed")),
    ];
    for (spawn, expected) in cases {
        let shutdown = Shutdown::new();
        let tasks = Tasks::new(shutdown.clone());
        let other = shutdown.clone();
        tasks.spawn("other", async move { other.requested().await });
        spawn(&tasks);
        assert_eq!(timeout(SOON, tasks.wait(SOON)).await.unwrap(), Err(expected));
        assert!(shutdown.is_requested());
    }
}

#[tokio::test]
async fn shutdown_waits_for_the_work() {
    let shutdown = Shutdown::new();
    let tasks = Tasks::new(shutdown.clone());
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    tasks.spawn("work", finished);
    shutdown.request();
    let waiting = tasks.wait(SOON);
    tokio::pin!(waiting);
    tokio::select! {
        biased;
        result = &mut waiting => panic!("ended before the work: {result:?}"),
        () = tokio::task::yield_now() => {}
    }
    finish.send(()).unwrap();
    assert_eq!(waiting.await, Ok(()));
}

#[tokio::test]
async fn work_that_does_not_end_is_named() {
    let shutdown = Shutdown::new();
    let tasks = Tasks::new(shutdown.clone());
    tasks.spawn("stuck", pending::<()>());
    shutdown.request();
    assert_eq!(
        tasks.wait(AT_ONCE).await,
        Err(TaskError::NotDrained("stuck".to_owned()))
    );
}

#[tokio::test]
async fn probes_follow_health() {
    let (shutdown, health) = (Shutdown::new(), Health::new());
    let tasks = Tasks::new(shutdown.clone());
    let address = management_port(&tasks, &shutdown, &health).await;
    let probes = async |livez, readyz, startupz, when: &str| {
        for (path, expected) in [("/livez", livez), ("/readyz", readyz), ("/startupz", startupz)] {
            assert_eq!(get(address, path).await.0, expected, "{path} {when}");
        }
    };
    let postgres = health.component("postgres");
    probes(200, 503, 503, "while starting").await;
    health.started();
    probes(200, 503, 200, "before anything is known of a component").await;
    postgres.up();
    probes(200, 200, 200, "when all is well").await;
    let redis = health.component("redis");
    redis.degraded("slow");
    probes(200, 200, 200, "while a component is degraded").await;
    postgres.down("refused");
    probes(200, 503, 200, "while a component is down").await;
    let (status, body) = get(address, "/readyz?verbose").await;
    assert_eq!(status, 503);
    for part in [
        r#""ready":false"#,
        r#""postgres":{"state":"down","reason":"refused"}"#,
        r#""redis":{"state":"degraded""#,
    ] {
        assert!(body.contains(part), "{body}");
    }
    postgres.up();
    health.draining();
    probes(200, 503, 200, "while draining").await;
    assert_eq!(get(address, "/nowhere").await.0, 404);
}

#[tokio::test]
async fn management_port_says_draining_until_the_work_is_done() {
    let (shutdown, health) = (Shutdown::new(), Health::new());
    let tasks = Tasks::new(shutdown.clone());
    let address = management_port(&tasks, &shutdown, &health).await;
    health.started();
    assert_eq!(get(address, "/readyz").await.0, 200);
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    tasks.spawn("work", finished);

    shutdown.request();
    let waiting = tasks.wait(SOON);
    tokio::pin!(waiting);
    let look = async {
        // The server learns of the request at its own pace.
        while get(address, "/readyz").await.0 != 503 {}
        get(address, "/readyz?verbose").await.1
    };
    let report = tokio::select! {
        result = &mut waiting => panic!("ended before the work: {result:?}"),
        report = timeout(SOON, look) => report.unwrap(),
    };
    assert!(report.contains(r#""phase":"draining""#), "{report}");
    finish.send(()).unwrap();
    assert_eq!(timeout(SOON, waiting).await.unwrap(), Ok(()));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn metrics_hold_those_of_the_service_and_of_the_process() {
    let (shutdown, health) = (Shutdown::new(), Health::new());
    let tasks = Tasks::new(shutdown.clone());
    let address = management_port(&tasks, &shutdown, &health).await;
    let (status, body) = get(address, "/metrics").await;
    assert_eq!(status, 200);
    assert!(
        body.contains("credo_test_total 0") && body.contains("process_resident_memory_bytes"),
        "{body}"
    );
}

#[tokio::test]
async fn taken_address_is_reported_with_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = bind("http.listen", taken.local_addr().unwrap()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("http.listen: cannot listen on 127.0.0.1:"),
        "{error}"
    );
}

#[tokio::test]
async fn sigterm_requests_shutdown() {
    let shutdown = Shutdown::on_signals().unwrap();
    assert!(!shutdown.is_requested());
    assert!(
        Command::new("kill")
            .args(["-TERM", &id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    timeout(SOON, shutdown.requested()).await.unwrap();
}
