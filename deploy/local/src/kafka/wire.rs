//! The one request of Kafka's protocol that tells whether a broker serves: Metadata, version 2, for no topic. An open
//! port says nothing.

use std::str;

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Longer answers are not from a broker of ours.
const MAX_ANSWER_BYTES: usize = 4096;

/// Asks whether the broker serves and belongs to the cluster.
///
/// # Errors
/// If it does not.
pub async fn ask(address: &str, cluster_id: &str) -> Result<()> {
    let mut broker = TcpStream::connect(address).await.context("does not listen")?;
    broker.write_all(&request()).await?;
    let length = usize::try_from(broker.read_u32().await.context("it hung up")?)?;
    ensure!(
        length <= MAX_ANSWER_BYTES,
        "something else than Kafka answers on the port"
    );
    let mut answer = vec![0; length];
    broker.read_exact(&mut answer).await.context("it hung up")?;
    let (brokers, found) = parse(&answer).context("something else than Kafka answers on the port")?;
    ensure!(found == cluster_id, "another cluster answers on the port: {found}");
    ensure!(brokers > 0, "no broker has registered yet");
    Ok(())
}

fn request() -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(3_i16.to_be_bytes()); // Metadata
    body.extend(2_i16.to_be_bytes()); // version
    body.extend(1_i32.to_be_bytes()); // correlation id
    body.extend((-1_i16).to_be_bytes()); // no client id
    body.extend(0_i32.to_be_bytes()); // no topics
    let mut request = u32::try_from(body.len()).unwrap_or_default().to_be_bytes().to_vec();
    request.extend(body);
    request
}

/// The number of brokers and the cluster's id.
fn parse(mut answer: &[u8]) -> Option<(i32, String)> {
    let rest = &mut answer;
    let _correlation_id = take_i32(rest)?;
    let brokers = take_i32(rest)?;
    for _ in 0..brokers {
        let _node_id = take_i32(rest)?;
        let _host = take_string(rest)?;
        let _port = take_i32(rest)?;
        let _rack = take_string(rest)?;
    }
    Some((brokers, take_string(rest)?))
}

fn take_i32(rest: &mut &[u8]) -> Option<i32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i32::from_be_bytes(*bytes))
}

/// A string; one that is null reads as empty.
fn take_string(rest: &mut &[u8]) -> Option<String> {
    let (length, after) = rest.split_first_chunk()?;
    let length = usize::try_from(i16::from_be_bytes(*length)).unwrap_or_default();
    let (text, after) = after.split_at_checked(length)?;
    *rest = after;
    str::from_utf8(text).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_answer_is_read() {
        let mut answer = [
            0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, b'h', 0, 0, 0x23, 0x84, 0xff, 0xff,
        ]
        .to_vec();
        answer.extend([0, 3, b'a', b'b', b'c', 0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(parse(&answer), Some((1, "abc".to_owned())));
        assert_eq!(parse(&answer[..12]), None);
        assert_eq!(parse(b"HTTP/1.1 400 Bad Request"), None);
    }
}
