//! The private cache. It keeps nothing: losing it must never matter.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::{layout::Layout, part::Part, ports::Port, probe::Probe, process::Launch, state::State};

/// How the cache starts and is asked.
///
/// # Errors
/// If its folder cannot be made.
pub fn prepare(layout: &Layout, state: &State) -> Result<(Launch, Probe)> {
    let folder = layout.file("redis");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let port = state.ports.number(Port::Redis).to_string();
    let settings = [
        "--port",
        &port,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
    ];
    let launch = Launch {
        part: Part::Redis,
        program: "redis-server".into(),
        arguments: settings
            .into_iter()
            .map(Into::into)
            .chain([folder.clone().into()])
            .collect(),
        environment: Vec::new(),
        account: None,
        log: layout.log(Part::Redis.name()),
    };
    Ok((
        launch,
        Probe::Redis {
            address: state.ports.address(Port::Redis),
            folder,
        },
    ))
}

/// Asks whether it answers and works in `folder`.
///
/// # Errors
/// If it does not.
pub async fn ask(address: &str, folder: &Path) -> Result<()> {
    let mut server = BufReader::new(TcpStream::connect(address).await.context("does not listen")?);
    server.write_all(b"CONFIG GET dir\r\n").await?;
    // an array of two bulk strings: *2 $3 dir $length path
    let mut lines = server.lines();
    let mut answer = Vec::new();
    while answer.len() < 5 {
        answer.push(lines.next_line().await?.context("it hung up")?);
        ensure!(
            answer.len() > 1 || answer.first().is_some_and(|line| line == "*2"),
            "it answered {answer:?}"
        );
    }
    let found = answer.last().map_or("", String::as_str);
    ensure!(
        Path::new(found) == folder,
        "another server answers on the port: it works in {found}"
    );
    Ok(())
}
