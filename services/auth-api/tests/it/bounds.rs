//! Every request has a deadline and a size, and there are only so many at one time (DESIGN section 2.10).

use std::time::{Duration, Instant};

use axum::body::Body;
use credo_testkit::{eventually, sqlx};
use futures::{FutureExt as _, StreamExt as _, stream};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{Call, ReplicaSpec, World, sign_in_body};

const DEADLINE: Duration = Duration::from_secs(5);
/// The largest body that is read.
const MAX_BODY_BYTES: usize = 64 * 1_024;

/// A form whose end never comes.
fn endless(target: &str) -> Call {
    let beginning = stream::iter([Ok::<_, std::io::Error>("grant_type=client_credentials&x=")]);
    let body = Body::from_stream(beginning.chain(stream::pending()));
    Call::raw(target, "application/x-www-form-urlencoded", body)
}

#[tokio::test]
async fn more_requests_than_allowed_are_answered_at_once() {
    let world = World::new().await;
    let spec = ReplicaSpec {
        max_concurrent_requests: 2,
        ..ReplicaSpec::default()
    };
    let replica = world.replica_with(spec).await;
    let from = |last| Box::pin(replica.send_from([198, 51, 100, last], endless("/auth/token")));
    let mut held = vec![from(1), from(2)];
    for request in &mut held {
        assert!(request.now_or_never().is_none());
    }
    for call in [
        Call::form("/auth/token", [("grant_type", "client_credentials")]).client(&world.client),
        Call::get("/auth/userinfo"),
        Call::get("/t/demo/jwks.json"),
    ] {
        let began = Instant::now();
        replica.send(call).await.refuses(503, "temporarily_unavailable");
        assert!(began.elapsed() < Duration::from_secs(1));
    }
    drop(held);
    replica.client_credentials(&world.client, None).await.ok();
}

/// Heads without bodies cost nothing and hold a place each.
#[tokio::test]
async fn no_address_holds_more_than_half_of_the_places() {
    let world = World::new().await;
    let spec = ReplicaSpec {
        max_concurrent_requests: 4,
        ..ReplicaSpec::default()
    };
    let replica = world.replica_with(spec).await;
    let there = [198, 51, 100, 1];
    let mut held: Vec<_> = (0..2)
        .map(|_| Box::pin(replica.send_from(there, endless("/auth/token"))))
        .collect();
    for request in &mut held {
        assert!(request.now_or_never().is_none());
    }
    let early = replica.send_from(there, Call::get("/t/demo/jwks.json")).await;
    early.refuses(503, "temporarily_unavailable");
    replica.client_credentials(&world.client, None).await.ok();
    drop(held);
    assert_eq!(
        replica.send_from(there, Call::get("/t/demo/jwks.json")).await.status,
        200
    );
}

/// A flood of clients that go away must not leave more work behind than requests may run.
#[tokio::test]
async fn place_of_a_request_is_taken_until_its_work_is_done() {
    let world = World::new().await;
    let spec = ReplicaSpec {
        max_concurrent_requests: 1,
        ..ReplicaSpec::default()
    };
    let replica = world.replica_with(spec).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let mut transaction = world.owner().begin().await.unwrap();
    let lock = sqlx::query("SELECT id FROM session FOR UPDATE");
    lock.execute(&mut *transaction).await.unwrap();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    tokio::select! {
        answer = replica.refresh(&world.client, &tokens.refresh) => panic!("{}", answer.status),
        () = eventually(DEADLINE, async || world.number(waits).await > 0) => {}
    }
    // Its client has gone; its statement still waits.
    let early = replica.send(Call::get("/t/demo/jwks.json")).await;
    early.refuses(503, "temporarily_unavailable");
    assert_eq!(early.header("retry-after"), Some("1"));
    transaction.rollback().await.unwrap();
    eventually(DEADLINE, async || {
        replica.send(Call::get("/t/demo/jwks.json")).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn request_that_does_not_end_is_ended() {
    let world = World::new().await;
    let replica = world.replica().await;
    let before = world.footprint().await;
    let began = Instant::now();
    replica
        .send(endless("/auth/token").client(&world.client))
        .await
        .refuses(503, "temporarily_unavailable");
    let seconds = began.elapsed().as_secs_f64();
    assert!((4.7..9.0).contains(&seconds), "{seconds}");
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn queue_for_the_hash_is_bounded() {
    let world = World::new().await;
    // Checking it takes most of a second.
    let slow = "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    world.sql(&format!("UPDATE password SET hash = '{slow}'")).await;
    let replica = world.replica().await;
    replica.client_credentials(&world.client, None).await.ok();
    // Two threads, 64 waiting for each: those beyond are told so at once.
    let sign_ins = (0..2 + 128 + 10).map(|number| {
        let mut body = sign_in_body(&world.client, &world.user.email);
        if number >= 2 {
            body["email"] = json!(format!("nobody{number}@demo.example"));
        }
        Box::pin(replica.authorize(&world.client, body))
    });
    let mut waiting: futures::stream::FuturesUnordered<_> = sign_ins.collect();
    for _ in 0..10 {
        let answer = waiting.next().await.unwrap();
        answer.refuses(503, "temporarily_unavailable");
    }
}

#[tokio::test]
async fn iv_02_what_is_too_large_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let before = world.footprint().await;
    let form = "application/x-www-form-urlencoded";
    for endpoint in ["/auth/token", "/auth/introspect", "/auth/revoke", "/auth/userinfo"] {
        let body = format!("token={}", "x".repeat(MAX_BODY_BYTES));
        let answer = replica.send(Call::raw(endpoint, form, body)).await;
        assert_eq!(answer.status, 413, "{endpoint}");
        // Without a length in front, it is noticed while it is read.
        let chunks = (0..80).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1_024]));
        let body = Body::from_stream(futures::stream::iter(chunks));
        let answer = replica.send(Call::raw(endpoint, form, body)).await;
        assert_eq!(answer.status, 413, "{endpoint}");
        for count in [65, 100, 10_000] {
            let body = (0..count)
                .map(|number| format!("{number}="))
                .collect::<Vec<_>>()
                .join("&");
            let answer = replica.send(Call::raw(endpoint, form, body)).await;
            assert_eq!(answer.status, 400, "{endpoint}: {count} parameters");
        }
    }
    let long = "x".repeat(MAX_BODY_BYTES);
    for field in ["email", "state", "nonce", "client_id", "redirect_uri"] {
        let mut body = sign_in_body(&world.client, &world.user.email);
        body[field] = json!(long);
        assert_eq!(replica.authorize(&world.client, body).await.status, 413, "{field}");
    }
    let deep = "[".repeat(60_000);
    let call = Call::raw("/auth/authorize", "application/json", deep).client(&world.client);
    replica.send(call).await.refuses(400, "invalid_request");
    let many = json!(vec!["read"; 10_000]);
    let mut body = sign_in_body(&world.client, &world.user.email);
    body["scopes"] = many;
    assert!([400, 413].contains(&replica.authorize(&world.client, body).await.status));
    // Nothing is unpacked: packed bytes are no form.
    let packed = Call::raw("/auth/token", form, vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0]).header("content-encoding", "gzip");
    replica
        .send(packed.client(&world.client))
        .await
        .refuses(400, "invalid_request");
    assert_eq!(world.footprint().await, before);
}

/// Over a real connection: heads that are too large, and requests that are none.
#[tokio::test]
async fn iv_02_heads_that_are_too_large_are_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let server = replica.listen().await;
    let exchange = async |request: String| {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // The server may close before all is written.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let head = "GET /t/demo/jwks.json HTTP/1.1\r\nhost: id.example\r\nconnection: close\r\n";
    assert_eq!(exchange(format!("{head}\r\n")).await, "HTTP/1.1 200 OK");
    for bad in [
        format!("{head}x: {}\r\n\r\n", "x".repeat(1 << 20)),
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(1 << 20)),
        format!(
            "{head}{}\r\n",
            (0..1_000)
                .map(|number| format!("x{number}: y\r\n"))
                .collect::<Vec<_>>()
                .concat()
        ),
        format!("{head}bad header\r\n\r\n"),
        format!("{head}x: a\u{0}b\r\n\r\n"),
        "GARBAGE\r\n\r\n".to_owned(),
        "POST /auth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
            .to_owned(),
        "POST /auth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello".to_owned(),
    ] {
        let status = exchange(bad.clone()).await;
        let refused = status.is_empty() || status.starts_with("HTTP/1.1 4");
        assert!(refused, "{}: {status}", &bad[..bad.len().min(100)]);
    }
    assert_eq!(exchange(format!("{head}\r\n")).await, "HTTP/1.1 200 OK");
}
