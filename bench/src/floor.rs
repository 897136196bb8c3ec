//! The floor: `pgbench` with one durable single-row insert a transaction, over as many connections.

use std::{
    io::{Seek as _, SeekFrom, Write as _},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use sqlx::{Connection as _, PgConnection};
use tokio::process::Command;

use crate::{cost::Meter, prepare::DATABASE, stack::Stack};

/// What an outbox row would be, without index.
const TABLE: &str = "CREATE TABLE bench_floor (payload bytea)";
const SCRIPT: &str = "INSERT INTO bench_floor (payload) VALUES (decode('00112233445566778899aabbccddeeff', 'hex'));\n";
/// Where the script lies, below the bench's own folder.
const SCRIPT_PATH: &str = ".credo/bench/floor.sql";

/// Transactions that a connection alone makes in a second, by about.
const A_SECOND_OF_ONE: f64 = 1_500.0;

/// What a round of it came to.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// Transactions a second.
    pub tps: f64,
    /// Of Postgres, for each transaction.
    pub cpu_us: f64,
}

/// Makes the table and the script.
pub async fn prepare(stack: &Stack) -> Result<()> {
    let mut connection = PgConnection::connect(&stack.superuser_url(DATABASE)?).await?;
    sqlx::raw_sql(TABLE).execute(&mut connection).await?;
    std::fs::create_dir_all(".credo/bench")?;
    Ok(std::fs::write(SCRIPT_PATH, SCRIPT)?)
}

/// Runs it for about so long on a quiet machine. By a number of transactions: `--time` counts the opening of the connections
/// too, and on a busy machine a run of 256 ends before its first transaction.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub async fn run(stack: &Stack, meter: &mut Meter, connections: usize, time: Duration) -> Result<Floor> {
    let idle = meter.read().await?;
    // What the connections cost to open is not the commits'.
    pgbench(stack, connections, 1).await?;
    let before = meter.read().await?;
    let all = connections.min(4) as f64 * A_SECOND_OF_ONE * time.as_secs_f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
    let each = (all / connections as f64).ceil() as usize;
    let text = pgbench(stack, connections, each).await?;
    let opening = before.since(&idle);
    let used = meter.read().await?.since(&before);
    let says = |start: &str| -> Result<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(start));
        let number = line.and_then(|line| line.split(' ').next());
        let number = number.with_context(|| format!("pgbench says no {start:?}: {text}"))?;
        Ok(number.parse()?)
    };
    let transactions = (connections * each) as f64;
    Ok(Floor {
        tps: says("tps = ")?,
        cpu_us: used.postgres_us.saturating_sub(opening.postgres_us) as f64 / transactions,
    })
}

/// What the disk takes for a page that must stay: the median of a few hundred.
pub async fn flush_time() -> Result<Duration> {
    const FLUSHES: usize = 300;
    let measured = tokio::task::spawn_blocking(|| -> std::io::Result<Vec<Duration>> {
        let path = ".credo/bench/flush";
        let mut file = std::fs::File::create(path)?;
        let mut times = Vec::with_capacity(FLUSHES);
        for _ in 0..FLUSHES {
            let began = Instant::now();
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&[7; 8_192])?;
            file.sync_data()?;
            times.push(began.elapsed());
        }
        std::fs::remove_file(path)?;
        Ok(times)
    });
    let mut times = measured.await??;
    times.sort();
    Ok(times[FLUSHES / 2])
}

/// So many transactions over each connection.
async fn pgbench(stack: &Stack, connections: usize, transactions: usize) -> Result<String> {
    let output = Command::new(programs()?.join("pgbench"))
        .args(["--no-vacuum", "--protocol=prepared", "--file", SCRIPT_PATH])
        .args(["--client", &connections.to_string(), "--jobs", "1"])
        .args(["--transactions", &transactions.to_string()])
        .arg(stack.superuser_url(DATABASE)?)
        .output()
        .await?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "pgbench: {words}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Where the server's own programs are: packages do not put them on the path.
pub fn programs() -> Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").context("no Postgres is installed")?;
    let programs = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    programs
        .filter(|path| path.join("pgbench").is_file())
        .max()
        .context("pgbench is not installed")
}
