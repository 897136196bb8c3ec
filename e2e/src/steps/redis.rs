//! What happens to Redis, and what auth-api says of it.

use std::time::Duration;

use anyhow::Context as _;
use cucumber::{then, when};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use uuid::Uuid;

use crate::{failure::Result, patience::eventually, world::CredoWorld};

/// Within this a count shows what happened.
const COUNT_TIME: Duration = Duration::from_secs(10);

/// Gives each command its turn; every one must be taken.
async fn command(world: &CredoWorld, commands: &[String]) -> anyhow::Result<()> {
    let address = world.stack.redis.url.rsplit(['/', '@']).find(|part| part.contains(':'));
    let mut stream = BufReader::new(TcpStream::connect(address.context("the Redis URL names no address")?).await?);
    for command in commands {
        stream.write_all(format!("{command}\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_line(&mut answer).await?;
        anyhow::ensure!(answer.starts_with(['+', ':']), "Redis says {answer} to {command}");
    }
    Ok(())
}

#[when(regex = r"^redis (is full|has room again|gives no answer for a while)$")]
pub async fn changes(world: &mut CredoWorld, how: String) -> Result {
    let commands: &[&str] = match how.as_str() {
        "is full" => &["CONFIG SET maxmemory-policy noeviction", "CONFIG SET maxmemory 1"],
        "has room again" => &["CONFIG SET maxmemory 0"],
        _ => &["CLIENT PAUSE 3000 ALL"],
    };
    let commands: Vec<_> = commands.iter().map(ToString::to_string).collect();
    Ok(command(world, &commands).await?)
}

/// Under the keys of what a person and a client have: text, another type, and nothing else.
#[when(regex = r"^redis holds what others wrote of (\w+) at (\w+)$")]
pub async fn is_planted(world: &mut CredoWorld, user: String, client: String) -> Result {
    let (user, client) = (world.user(&user)?, world.client(&client)?);
    let order = ["9".repeat(19), "9".repeat(19), "9".repeat(19), "9".repeat(19)].join(".");
    let forged = format!("1.{order}.1.{}.{{}}", "A".repeat(43));
    let (client, user) = (
        format!("client:{}", client.id),
        format!("user:{}:{}", client.tenant_id, user.id),
    );
    let commands = [
        format!("SET {client} {forged}"),
        format!("DEL {user}"),
        format!("RPUSH {user} {forged}"),
    ];
    Ok(command(world, &commands).await?)
}

/// What all replicas counted of looks for clients in Redis that came to `result`.
async fn count(world: &CredoWorld, result: &str) -> anyhow::Result<f64> {
    let mut sum = 0.0;
    for (name, service) in world.stack.services() {
        if name.starts_with("auth-api") {
            let text = reqwest::get(format!("{}/metrics", service.management))
                .await?
                .text()
                .await?;
            let series = format!(r#"credo_cache_reads_total{{cache="client",level="redis",result="{result}"}} "#);
            let value = text.lines().find_map(|line| line.strip_prefix(&series));
            sum += value
                .with_context(|| format!("{name} counts no {result}"))?
                .parse::<f64>()?;
        }
    }
    Ok(sum)
}

#[then(regex = r"^a client that nobody kept is counted as a (miss|fallback)$")]
pub async fn is_counted(world: &mut CredoWorld, result: String) -> Result {
    let before = count(world, &result).await?;
    let looked = async || {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret=x",
            Uuid::now_v7()
        );
        let request = reqwest::Client::new()
            .post(format!("{}/auth/token", world.stack.base_url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = request.send().await?;
        anyhow::ensure!(
            answer.status() == 401,
            "an unknown client is answered {}",
            answer.status()
        );
        let after = count(world, &result).await?;
        anyhow::ensure!(after > before, "still {after} looks into Redis that were a {result}");
        Ok(())
    };
    Ok(eventually(COUNT_TIME, looked).await?)
}
