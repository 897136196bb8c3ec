//! The test stack's Redis, as somebody sees it who can write into it.

use credo_testkit::redis_url;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

/// A connection.
pub struct Redis(BufReader<TcpStream>);

impl Redis {
    pub async fn new() -> Self {
        let url = redis_url();
        let address = url.rsplit(['/', '@']).find(|part| part.contains(':')).unwrap();
        Self(BufReader::new(TcpStream::connect(address).await.unwrap()))
    }

    /// What it answers to a command; nothing for nil.
    pub async fn ask(&mut self, words: &[&[u8]]) -> Option<Vec<u8>> {
        let mut command = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            command.extend(format!("${}\r\n", word.len()).bytes());
            command.extend(*word);
            command.extend(b"\r\n");
        }
        self.0.write_all(&command).await.unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        let (kind, rest) = line.trim_end().split_at(1);
        match kind {
            "+" | ":" => Some(rest.as_bytes().to_vec()),
            "$" if rest == "-1" => None,
            "$" => {
                let mut bytes = vec![0; rest.parse::<usize>().unwrap() + 2];
                self.0.read_exact(&mut bytes).await.unwrap();
                bytes.truncate(bytes.len() - 2);
                Some(bytes)
            }
            _ => panic!("Redis says {line}"),
        }
    }

    pub async fn get(&mut self, key: &str) -> Option<Vec<u8>> {
        self.ask(&[b"GET", key.as_bytes()]).await
    }

    pub async fn set(&mut self, key: &str, value: &[u8]) {
        self.ask(&[b"SET", key.as_bytes(), value]).await;
    }

    pub async fn delete(&mut self, key: &str) {
        self.ask(&[b"DEL", key.as_bytes()]).await;
    }

    /// Milliseconds that a key has left.
    pub async fn life(&mut self, key: &str) -> i64 {
        let answer = self.ask(&[b"PTTL", key.as_bytes()]).await.unwrap();
        String::from_utf8(answer).unwrap().parse().unwrap()
    }
}
