//! Benchmarks: what a request costs on this machine, beside the least that a durable commit can cost on it.
//!
//! Runs as the command of `credo-local bench`, on a fresh stack. Rounds are interleaved, ratios are taken inside a round, and a
//! round with an error has none. One thread: what the load costs is not the servers'.

use std::{fs, io::Write as _};

use anyhow::{Context as _, Result};

use crate::{bench::Bench, plan::Plan};

mod actor;
mod bench;
mod cost;
mod endpoint;
mod flood;
mod floor;
mod goals;
mod http;
mod load;
mod plan;
mod prepare;
mod report;
mod scale;
mod seed_shape;
mod shared;
mod stack;
mod statement;

/// Where the figures go.
const RESULT: &str = ".credo/bench/latest.json";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == seed_shape::ARGUMENT) {
        return seed_shape::serve(arguments.get(1).context("no database")?).await;
    }
    bench().await
}

async fn bench() -> Result<()> {
    let plan = Plan::new(std::env::args().any(|argument| argument == "--quick"));
    let mut bench = Bench::prepare(plan).await?;
    for (connections, rounds) in plan.rounds() {
        for round in 1..=rounds {
            say(&format!("{connections} connections, round {round} of {rounds}"))?;
            bench.round(connections, round).await?;
        }
    }
    let beyond = bench.beyond().await?;
    let summaries = bench.rounds.summaries();
    fs::write(RESULT, serde_json::to_vec_pretty(&summaries)?)?;
    say(&report::table(&summaries))?;
    say(&goals::table(&bench.rounds, &beyond))?;
    say(&format!("written to {RESULT}"))
}

/// To a person.
fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
