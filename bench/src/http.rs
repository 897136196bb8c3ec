//! A client that costs little: HTTP/1.1 over one kept connection, one request at a time, the same buffers for all.

use std::io::Write as _;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use url::Url;

/// More than any answer that is asked for here.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A kept connection.
pub struct Connection {
    stream: TcpStream,
    host: String,
    request: Vec<u8>,
    answer: Vec<u8>,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'static str,
    pub path: &'a str,
    /// The value of the header `authorization`; empty: none.
    pub authorization: &'a str,
    /// Empty: no body.
    pub content_type: &'static str,
    pub body: &'a str,
}

/// What came back.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a str,
}

impl Connection {
    /// Connects to the server of a URL.
    pub async fn open(base_url: &str) -> Result<Self> {
        let url: Url = base_url.parse()?;
        let host = format!(
            "{}:{}",
            url.host_str().context("no host")?,
            url.port_or_known_default().context("no port")?
        );
        Ok(Self {
            stream: connect(&host).await?,
            host,
            request: Vec::with_capacity(4_096),
            answer: Vec::with_capacity(4_096),
        })
    }

    /// Connects anew: servers close what idles.
    pub async fn reopen(&mut self) -> Result<()> {
        self.stream = connect(&self.host).await?;
        Ok(())
    }

    /// Sends a request and waits for the whole answer.
    pub async fn send(&mut self, request: Request<'_>) -> Result<Answer<'_>> {
        let Request { method, path, .. } = request;
        self.request.clear();
        write!(self.request, "{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.host)?;
        if !request.authorization.is_empty() {
            write!(self.request, "authorization: {}\r\n", request.authorization)?;
        }
        if !request.content_type.is_empty() {
            let (content_type, length) = (request.content_type, request.body.len());
            write!(
                self.request,
                "content-type: {content_type}\r\ncontent-length: {length}\r\n"
            )?;
        }
        write!(self.request, "\r\n{}", request.body)?;
        self.stream.write_all(&self.request).await?;
        self.answer.clear();
        let (head, length) = loop {
            self.read().await?;
            if let Some(head) = find(&self.answer, b"\r\n\r\n") {
                break (head + 4, content_length(&self.answer[..head])?);
            }
        };
        while self.answer.len() < head + length {
            self.read().await?;
        }
        let status = std::str::from_utf8(self.answer.get(9..12).context("no status")?)?.parse()?;
        let body = std::str::from_utf8(&self.answer[head..head + length])?;
        Ok(Answer { status, body })
    }

    async fn read(&mut self) -> Result<()> {
        ensure!(self.answer.len() < MAX_ANSWER_BYTES, "an endless answer");
        if self.stream.read_buf(&mut self.answer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

impl<'a> Answer<'a> {
    /// A string of the JSON object, which must need no unescaping: tokens and codes do not.
    pub fn field(&self, name: &str) -> Result<&'a str> {
        let mut rest = self.body;
        while let Some(at) = rest.find(name) {
            let before = rest[..at].ends_with('"');
            rest = &rest[at + name.len()..];
            if before && let Some(value) = rest.strip_prefix("\":\"") {
                return value.split('"').next().context("an unfinished string");
            }
        }
        bail!("the answer has no {name}")
    }
}

async fn connect(host: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn content_length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head)?;
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    Ok(length.context("no content-length")?.1.parse()?)
}
