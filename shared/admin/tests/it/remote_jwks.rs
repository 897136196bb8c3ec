//! Keys over HTTP: what is asked, how often, and what is used when nobody answers.

use std::{
    fs,
    path::PathBuf,
    process,
    sync::{Arc, Mutex},
    time::Duration,
};

use credo_admin::{RemoteJwks, RemoteJwksSpec, VerificationKeys as _};
use credo_clock::ManualClock;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::AbortHandle,
};

use crate::support::{BASE_URL, Issuer, NOW};

const ACME: &str = "http://credo.example/t/acme";

/// auth-api as far as it matters here: it answers what it was told to and remembers the paths.
struct AuthApi {
    url: String,
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<Mutex<Vec<String>>>,
    server: AbortHandle,
}

impl AuthApi {
    async fn start(status: u16, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new((status, body.to_owned())));
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (answers, paths) = (Arc::clone(&answer), Arc::clone(&asked));
        #[allow(clippy::disallowed_methods, reason = "ended by stop()")]
        let server = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut line = String::new();
                BufReader::new(&mut stream).read_line(&mut line).await.unwrap();
                paths.lock().unwrap().push(line.split(' ').nth(1).unwrap().to_owned());
                let (status, body) = answers.lock().unwrap().clone();
                let length = body.len();
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        Self {
            url,
            answer,
            asked,
            server: server.abort_handle(),
        }
    }

    fn answers(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn stop(&self) {
        self.server.abort();
    }
}

impl Drop for AuthApi {
    fn drop(&mut self) {
        self.stop();
    }
}

fn document(issuers: &[&Issuer]) -> String {
    json!({"keys": issuers.iter().map(|issuer| issuer.jwk()).collect::<Vec<_>>()}).to_string()
}

fn remote(auth_api: &AuthApi, cache_dir: Option<PathBuf>, clock: &Arc<ManualClock>) -> RemoteJwks {
    let spec = RemoteJwksSpec {
        public_base_url: BASE_URL.to_owned(),
        auth_api_url: auth_api.url.clone(),
        cache_dir,
    };
    let clock: Arc<ManualClock> = Arc::clone(clock);
    RemoteJwks::new(spec, clock).unwrap()
}

/// A folder that is gone at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("credo-admin-{}-{name}", process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept_for_half_a_minute() {
    let (issuer, clock) = (Issuer::new("k1"), ManualClock::new(NOW));
    let auth_api = AuthApi::start(200, &document(&[&issuer])).await;
    let keys = remote(&auth_api, None, &clock);
    for _ in 0..3 {
        assert!(keys.find(ACME, "k1").await.unwrap().is_some());
    }
    clock.advance(Duration::from_secs(29));
    assert!(keys.find(ACME, "k1").await.unwrap().is_some());
    assert_eq!(*auth_api.asked.lock().unwrap(), ["/t/acme/jwks.json"]);
    clock.advance(Duration::from_secs(2));
    assert!(keys.find(ACME, "k1").await.unwrap().is_some());
    assert_eq!(auth_api.asked(), 2);
}

#[tokio::test]
async fn issuers_that_are_not_ours_cause_no_request() {
    let auth_api = AuthApi::start(200, &document(&[&Issuer::new("k1")])).await;
    let keys = remote(&auth_api, None, &ManualClock::new(NOW));
    let foreign = [
        "http://evil.example/t/acme",
        "http://credo.example.evil/t/acme",
        "http://credo.example/t/../acme",
        "http://credo.example/t/acme/../x",
        "http://credo.example/t/acme?x=/t/acme",
        "http://credo.example/t/ACME",
        "http://credo.example/acme",
        "HTTP://credo.example/t/acme",
    ];
    for issuer in foreign {
        assert!(keys.find(issuer, "k1").await.unwrap().is_none(), "{issuer}");
    }
    assert_eq!(auth_api.asked(), 0);
}

#[tokio::test]
async fn unknown_kid_fetches_again_but_not_at_once() {
    let (old, new, clock) = (Issuer::new("old"), Issuer::new("new"), ManualClock::new(NOW));
    let auth_api = AuthApi::start(200, &document(&[&old])).await;
    let keys = remote(&auth_api, None, &clock);
    assert!(keys.find(ACME, "old").await.unwrap().is_some());
    auth_api.answers(200, &document(&[&old, &new]));
    for _ in 0..20 {
        assert!(keys.find(ACME, "new").await.unwrap().is_none());
    }
    assert_eq!(auth_api.asked(), 1);
    clock.advance(Duration::from_secs(10));
    assert!(keys.find(ACME, "new").await.unwrap().is_some());
    assert_eq!(auth_api.asked(), 2);
}

#[tokio::test]
async fn tenant_that_is_gone_has_no_keys() {
    let (issuer, clock, folder) = (Issuer::new("k1"), ManualClock::new(NOW), Folder::new("gone"));
    let auth_api = AuthApi::start(200, &document(&[&issuer])).await;
    let keys = remote(&auth_api, Some(folder.0.clone()), &clock);
    assert!(keys.find(ACME, "k1").await.unwrap().is_some());
    auth_api.answers(404, "{}");
    clock.advance(Duration::from_secs(30));
    assert!(keys.find(ACME, "k1").await.unwrap().is_none());
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[tokio::test]
async fn old_keys_serve_ten_minutes_while_nobody_answers() {
    let (issuer, clock) = (Issuer::new("k1"), ManualClock::new(NOW));
    let auth_api = AuthApi::start(200, &document(&[&issuer])).await;
    let keys = remote(&auth_api, None, &clock);
    assert!(keys.find(ACME, "k1").await.unwrap().is_some());
    let failures = [
        (500, String::new()),
        (302, String::new()),
        (200, "<html>".to_owned()),
        (200, " ".repeat(65 * 1024)),
    ];
    for (status, body) in failures {
        auth_api.answers(status, &body);
        clock.advance(Duration::from_secs(30));
        assert!(keys.find(ACME, "k1").await.unwrap().is_some(), "{status}");
    }
    assert_eq!(auth_api.asked(), 5);
    auth_api.stop();
    clock.advance(Duration::from_mins(8));
    assert!(keys.find(ACME, "k1").await.is_err());
}

#[tokio::test]
async fn failing_server_is_not_asked_again_at_once() {
    let clock = ManualClock::new(NOW);
    let auth_api = AuthApi::start(503, "").await;
    let keys = remote(&auth_api, None, &clock);
    for _ in 0..5 {
        assert!(keys.find(ACME, "k1").await.is_err());
    }
    assert_eq!(auth_api.asked(), 1);
    auth_api.answers(200, &document(&[&Issuer::new("k1")]));
    clock.advance(Duration::from_secs(1));
    assert!(keys.find(ACME, "k1").await.unwrap().is_some());
}

#[tokio::test]
async fn process_that_starts_alone_takes_the_keys_from_disk() {
    let (issuer, clock, folder) = (Issuer::new("k1"), ManualClock::new(NOW), Folder::new("disk"));
    let auth_api = AuthApi::start(200, &document(&[&issuer])).await;
    remote(&auth_api, Some(folder.0.clone()), &clock)
        .find(ACME, "k1")
        .await
        .unwrap();
    auth_api.stop();

    clock.advance(Duration::from_mins(9));
    let restarted = remote(&auth_api, Some(folder.0.clone()), &clock);
    assert!(restarted.find(ACME, "k1").await.unwrap().is_some());
    assert!(restarted.find("http://credo.example/t/other", "k1").await.is_err());

    clock.advance(Duration::from_mins(2));
    let later = remote(&auth_api, Some(folder.0.clone()), &clock);
    assert!(later.find(ACME, "k1").await.is_err());

    fs::write(folder.0.join("acme.json"), "garbage").unwrap();
    assert!(
        remote(&auth_api, Some(folder.0.clone()), &clock)
            .find(ACME, "k1")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn keys_of_other_kinds_are_passed_over() {
    let good = Issuer::new("good");
    let mut wrong_use = Issuer::new("enc").jwk();
    wrong_use["use"] = json!("enc");
    let mut wrong_algorithm = Issuer::new("es384").jwk();
    wrong_algorithm["alg"] = json!("ES384");
    let mut short = Issuer::new("short").jwk();
    short["x"] = json!("AA");
    let symmetric = json!({"kty": "oct", "kid": "oct", "k": "c2VjcmV0", "alg": "HS256"});
    let unknown = json!({"kty": "AKP", "kid": "future", "pub": "AA"});
    let document = json!({"keys": [wrong_use, wrong_algorithm, short, symmetric, unknown, 7, good.jwk()]}).to_string();
    let auth_api = AuthApi::start(200, &document).await;
    let keys = remote(&auth_api, None, &ManualClock::new(NOW));
    assert!(keys.find(ACME, "good").await.unwrap().is_some());
    for kid in ["enc", "es384", "short", "oct", "future"] {
        assert!(keys.find(ACME, kid).await.unwrap().is_none(), "{kid}");
    }
}

#[tokio::test]
async fn many_callers_cause_one_fetch() {
    let issuer = Issuer::new("k1");
    let auth_api = AuthApi::start(200, &document(&[&issuer])).await;
    let keys = Arc::new(remote(&auth_api, None, &ManualClock::new(NOW)));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let keys = Arc::clone(&keys);
        callers.spawn(async move { keys.find(ACME, "k1").await.unwrap().is_some() });
    }
    assert!(callers.join_all().await.into_iter().all(|found| found));
    assert_eq!(auth_api.asked(), 1);
}
