//! Where a browser brings the answer back (RFC 8252 section 7.3): one request on a free port of 127.0.0.1.
//!
//! Refuses every path but the callback, and reads no more than a request line needs. Whoever connects and says nothing, as
//! browsers do to be quick and strangers to be in the way, keeps nobody else waiting.

use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use url::Url;

use crate::failure::{Failure, Result};

const PATH: &str = "/callback";
/// Longer than any answer of ours.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Connections that are listened to at once.
const MAX_CONNECTIONS: usize = 16;
/// A browser on this machine sends its request at once.
const PATIENCE: Duration = Duration::from_secs(5);
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>credoctl</title>\
    <p>Back to the terminal: credoctl has its answer. This page can be closed.";

/// A port that waits.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    port: u16,
}

impl Loopback {
    /// Takes a free port.
    ///
    /// # Errors
    /// If there is none.
    pub async fn open() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// What the browser is sent back to.
    pub fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// The parameters of the first request for the callback.
    ///
    /// # Errors
    /// If the port fails.
    pub async fn answer(self) -> Result<Vec<(String, String)>> {
        let mut open = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if open.len() < MAX_CONNECTIONS => {
                    let (stream, _) = accepted?;
                    open.push(timeout(PATIENCE, serve(stream)));
                }
                Some(served) = open.next() => {
                    if let Ok(Some(parameters)) = served {
                        return Ok(parameters);
                    }
                }
            }
        }
    }
}

/// Answers one connection; gives the parameters if it was the callback.
async fn serve(mut stream: TcpStream) -> Option<Vec<(String, String)>> {
    let parameters = read(&mut stream).await;
    match &parameters {
        Some(_) => respond(&mut stream, "200 OK", PAGE).await,
        None => respond(&mut stream, "404 Not Found", "").await,
    }
    parameters
}

async fn read(stream: &mut TcpStream) -> Option<Vec<(String, String)>> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut chunk).await.ok()?;
        head.extend_from_slice(chunk.get(..read)?);
        if read == 0 || head.len() > MAX_HEAD_BYTES {
            return None;
        }
    }
    callback(std::str::from_utf8(&head).ok()?.lines().next()?).ok()
}

/// The parameters of a request line.
fn callback(line: &str) -> Result<Vec<(String, String)>> {
    let no_callback = || Failure::error("no callback");
    let target = line
        .strip_prefix("GET ")
        .and_then(|rest| rest.split(' ').next())
        .ok_or_else(no_callback)?;
    let url = Url::parse("http://127.0.0.1")
        .and_then(|base| base.join(target))
        .map_err(|_| no_callback())?;
    if url.path() != PATH || url.query().is_none() || url.host_str() != Some("127.0.0.1") {
        return Err(no_callback());
    }
    Ok(url.query_pairs().into_owned().collect())
}

async fn respond(stream: &mut TcpStream, status: &str, page: &str) {
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         referrer-policy: no-referrer\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    // Whoever hung up has no use for it.
    drop(stream.write_all(answer.as_bytes()).await);
    drop(stream.shutdown().await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_callback_is_read() {
        let pairs = callback("GET /callback?code=a%20b&state=s HTTP/1.1").unwrap();
        assert_eq!(
            pairs,
            [
                ("code".to_owned(), "a b".to_owned()),
                ("state".to_owned(), "s".to_owned())
            ]
        );
        for line in [
            "POST /callback?code=a HTTP/1.1",
            "GET / HTTP/1.1",
            "GET /callback HTTP/1.1",
            "GET //evil.example/callback?a=b H",
            "",
        ] {
            assert!(callback(line).is_err(), "{line}");
        }
    }

    #[tokio::test]
    async fn browser_is_answered_and_strangers_are_not() {
        let loopback = Loopback::open().await.unwrap();
        let base = loopback.redirect_uri();
        let ask = async {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let stranger = http.get(base.replace("callback", "favicon.ico")).send().await.unwrap();
            assert_eq!(stranger.status(), 404);
            let back = http.get(format!("{base}?code=c&state=s")).send().await.unwrap();
            assert_eq!(back.status(), 200);
        };
        let (answer, ()) = tokio::join!(loopback.answer(), ask);
        assert_eq!(answer.unwrap()[0], ("code".to_owned(), "c".to_owned()));
    }

    #[tokio::test]
    async fn silent_connections_keep_nobody_waiting() {
        let loopback = Loopback::open().await.unwrap();
        let (port, base) = (loopback.port, loopback.redirect_uri());
        let ask = async {
            let mut silent = Vec::new();
            for _ in 0..MAX_CONNECTIONS - 1 {
                silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
            }
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let back = http.get(format!("{base}?code=c&state=s")).send().await.unwrap();
            assert_eq!(back.status(), 200);
        };
        let both = async { tokio::join!(loopback.answer(), ask) };
        let (answer, ()) = timeout(PATIENCE * 4 / 5, both)
            .await
            .expect("it waited for a silent one");
        assert_eq!(answer.unwrap()[0], ("code".to_owned(), "c".to_owned()));
    }
}
